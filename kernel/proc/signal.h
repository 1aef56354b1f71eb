// Signals. Source: signal(7), sigaction(2); numbers and layouts are Linux's. Task context unless said otherwise.
#pragma once

#include <hal/context.h>

#include "kernel/base/types.h"

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
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
#define SIGWINCH 28
#define SIGNAL_MAX 64

struct process;

struct signal_action { // as user space gives it
    uint64_t handler, flags, restorer, mask;
};

struct signal_info {
    int32_t signal, error, code;
    uint64_t value[2]; // pid and uid, pid and status, or an address, by code
};

// One process's; its lock covers them.
struct signals {
    struct signal_action actions[SIGNAL_MAX];
    struct signal_info infos[SIGNAL_MAX]; // of those that are pending
    uint64_t pending, blocked, saved;     // bit signal - 1; saved: to go back to after sigsuspend(2)
    bool restore;                         // saved means something
    bool stopped;
    uint64_t stack, stack_size; // sigaltstack(2)
    int32_t stack_flags;
};

static inline uint64_t signal_bit(int signal)
{
    return 1ul << (signal - 1);
}

void signals_init(struct signals *signals);
void signals_exec(struct signals *signals); // handlers go back to their defaults
// Any context but interrupts.
void signal_send(struct process *process, const struct signal_info *info);
// A fault of the current process: it cannot look away.
void signal_force(const struct signal_info *info);
// To everybody in the group, or with -1 to all; -ESRCH: nobody there. signal 0 only asks.
[[nodiscard]] int signal_send_group(int32_t group, int signal);
[[nodiscard]] int signal_send_pid(int32_t pid, int signal); // kill(2), with its meanings of pid
// The current process's. What was blocked may be due then.
// Another mask until the current process has dealt with what is pending (sigsuspend(2), ppoll(2)); or until it goes
// back.
void signals_set_mask(struct process *process, uint64_t mask);
void signals_mask_for_now(struct process *process, uint64_t mask);
void signals_mask_back(struct process *process);
bool signals_waiting(void); // for the current process, and not blocked
// sigreturn(2): what the frame at the stack pointer says. -EFAULT: it is none, and the process is told so.
[[nodiscard]] int64_t signal_return(struct user_regs *regs);
// Runs what is pending on the way to user space.
void signals_deliver(struct process *process, struct user_regs *regs);
