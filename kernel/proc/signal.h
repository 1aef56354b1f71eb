// Signals. Source: signal(7), sigaction(2), sigqueue(3); numbers and layouts are Linux's. Task context unless said
// otherwise. The family's lock covers everything here.
#pragma once

#include <hal/context.h>

#include "kernel/base/list.h"
#include "kernel/base/types.h"

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGSYS 31
#define SIGRTMIN 32 // from here on they queue
#define SIGNAL_MAX 64

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE (-1)
#define SI_TIMER (-2)
#define SI_TKILL (-6)

struct process;
struct task;

struct signal_action { // as user space gives it
    uint64_t handler, flags, restorer, mask;
};

struct signal_info {
    int32_t signal, error, code;
    bool timed; // it is of a timer of timer_create(2), which waits until it has been taken
    // The 16 bytes that follow in siginfo_t, by code: pid and uid in one word, then a value or a status; or an address;
    // or a timer's number and overruns in one word, then its value.
    uint64_t value[2];
};
static inline uint64_t signal_sender(int32_t pid, uint32_t uid)
{
    return (uint32_t)pid | (uint64_t)uid << 32;
}

// One that waits in line, and whose it is: the queue's (freed when it is taken), or a timer's.
struct signal_queue;
struct signal_record {
    struct list link;
    struct signal_queue *queue; // NULL: not in line. Also read without the lock, as a hint
    struct signal_info info;
    struct account *account; // that it is charged to, with a reference; NULL: it is its owner's, who keeps it
};

// Those that are pending for a task, or for a process and whichever of its tasks looks first.
struct signal_queue {
    uint64_t pending; // bit signal - 1
    uint64_t single;  // of those, which have their only record here:
    struct signal_info singles[SIGNAL_MAX];
    struct list
        *first[SIGNAL_MAX]; // of those in line, a ring in order of arrival; NULL: none. They are also in pending
};

// One process's.
struct signals {
    struct signal_action actions[SIGNAL_MAX];
    struct signal_queue shared;
    uint64_t directed; // what its tasks may have pending for themselves: all of it, and perhaps more
};

// One task's.
struct task_signals {
    struct signal_queue own;
    uint64_t blocked, saved;    // saved: to go back to after sigsuspend(2)
    uint64_t waited;            // blocked, but what sigtimedwait(2) waits for
    bool restore;               // saved means something
    uint64_t stack, stack_size; // sigaltstack(2)
    int32_t stack_flags;
};

static inline uint64_t signal_bit(int signal)
{
    return 1ul << (signal - 1);
}

// Any context. A signal of a number below SIGRTMIN that is pending already is lost, as POSIX has it. Real-time signals
// queue, but for want of memory, or in an interrupt, only the first: see signal_queue_send() and signal_send_record().
void signal_send(struct process *process, const struct signal_info *info);
void signal_send_task(struct task *task, const struct signal_info *info); // the current one, or one that cannot end
// Task context. tid 0: to the process. -EAGAIN: no memory, or more than RLIMIT_SIGPENDING of its user; -ESRCH: no such
// task there.
[[nodiscard]] int signal_queue_send(struct process *process, int32_t tid, const struct signal_info *info);
// Any context. The caller's record stays queued until it is taken or signal_cancel_record(). Nothing if it is queued,
// if the signal is ignored, or (with tid not 0) there is no such task.
void signal_send_record(struct process *process, int32_t tid, struct signal_record *record,
                        const struct signal_info *info);
static inline bool signal_record_is_queued(const struct signal_record *record)
{
    return __atomic_load_n(&record->queue, __ATOMIC_RELAXED) != NULL;
}
void signal_cancel_record(struct process *process, struct signal_record *record); // nothing if it is not queued
// A fault of the current task: it cannot look away.
void signal_force(const struct signal_info *info);
bool signal_is_handled(int signal); // by the current process, if it came now
// To everybody in the group, or with -1 to all; -ESRCH: nobody there. signal 0 only asks.
[[nodiscard]] int signal_send_group(int32_t group, int signal);
[[nodiscard]] int signal_send_pid(int32_t pid, int signal); // kill(2), with its meanings of pid
// tgkill(2); pid 0: any, as tkill(2).
[[nodiscard]] int signal_send_tid(int32_t pid, int32_t tid, const struct signal_info *info);

// The current task's. What was blocked may be due then.
void signals_set_mask(uint64_t mask);
// Another mask until the task has dealt with what is pending (sigsuspend(2), ppoll(2)); or until it goes back.
void signals_mask_for_now(uint64_t mask);
void signals_mask_back(void);
// Takes the first one of set that is pending for the current task, blocked or not. Its number, or 0. For sigwait(3),
// signalfd(2).
int signal_take(uint64_t set, struct signal_info *info);
// Until one of set comes, or deadline_ns. Its number, -EAGAIN or -EINTR.
[[nodiscard]] int signal_wait(uint64_t set, uint64_t deadline_ns, struct signal_info *info);
uint64_t signals_pending(void); // for the current task
// With an action given, changes it. What is ignored from now on is forgotten.
void signal_set_action(int signal, const struct signal_action *action, struct signal_action *old);

void signals_exec(struct process *process, struct task *task); // handlers go back to their defaults
