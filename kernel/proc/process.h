// Processes: a space, open files, a place in the file tree, a family, and the tasks that run there
// (kernel/proc/task.h). Task context; may sleep, unless said otherwise.
#pragma once

#include <hal/context.h>

#include "kernel/fs/fdtable.h"
#include "kernel/fs/path.h"
#include "kernel/mm/space.h"
#include "kernel/proc/limits.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/usage.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/condition.h"
#include "kernel/sync/semaphore.h"
#include "kernel/time/process_timers.h"

#define PID_MAX_LEAST 301 // numbers begin again at 300
#define PID_MAX_MOST 4194304
extern uint64_t pid_max; // atomic: /proc/sys/kernel/pid_max

struct process {
    int32_t pid;
    uint64_t identity;   // no other process ever has it, as others will have the number. Constant
    uint32_t references; // atomic
    // The family's lock covers these.
    int32_t group, session;
    struct process *parent; // NULL: the kernel started it, and waits with process_wait(); or nobody will
    struct list children, sibling, all;
    struct list births; // of struct birth: children that are still being made
    uint64_t told_by;   // the walk over many that told it at its birth: kernel/proc/signal.c
    struct tree_node by_pid, by_group, by_session;
    struct list tasks;
    uint32_t task_count;   // those that have not ended
    struct task *survivor; // the one that runs execve(2): the others end
    bool exiting;          // all end, with this status:
    int status;            // as wait(2) tells it
    bool ended;            // a zombie until somebody has asked for its status
    bool orphan;           // nobody will
    bool shielded;         // the first process: what would end or stop it by default does not, unless it did so itself
    bool executed;         // has had another program since it was born; family's lock
    bool subreaper;        // these two by prctl(2): orphans below are its children
    uint8_t death_signal;  // comes when its parent ends; 0: none
    bool oom_skip;         // was killed for want of memory, and nobody waits for it any more
    bool released;         // a child of vfork(2) that has its own program, or has ended
    int exit_signal;       // to the parent; 0: none
    int stop_signal;       // of the last stop
    bool stopping;         // tasks are to park; stopped: all have
    bool stopped;
    bool stop_told, continued; // what a parent has been told; what it may be told
    struct signals signals;
    struct condition changes;   // signalled whenever a child has changed, or a task has ended
    struct condition arrivals;  // whenever a signal has come
    struct semaphore finished;  // up when it has ended, for process_wait()
    uint32_t threads;           // atomic: whose memory is not free yet
    uint64_t born_ns;           // timer_now() at its making
    char name[THREAD_NAME_MAX]; // when it has ended: of its last task
    bool traced;                // its system calls are written to the log
    struct usage_past past;

    struct space *space;    // NULL when it has ended; process_space_get() for others
    struct fd_table *files; // likewise
    struct spinlock places; // covers root and directory
    struct vnode *root, *directory;
    const struct credentials *as; // of the first task, with a reference; family's lock
    uint32_t umask, personality;  // atomic
    int32_t oom_score_adj;        // atomic: -1000 to 1000, see kernel/proc/oom.h
    struct limits limits;
    struct process_timers timers;
};

// NULL, or what is wrong: credentials of tasks, and what their users are charged for. Nobody forks meanwhile.
[[nodiscard]] const char *process_check_all(void);

static inline struct process *process_current(void) // NULL in a kernel thread
{
    struct thread *me = thread_current();
    return me != NULL ? me->process : NULL;
}

// Starts the program at path with argv (ends with NULL) and an empty environment; the console is its files 0 to 2.
// Errors of file_open(); -ENOEXEC, -ENOMEM, -EAGAIN: nothing is left behind then.
[[nodiscard]] int process_spawn(const char *path, const char *const *argv, struct process **out);
// Sleeps until a process that the kernel started has ended, and frees it. Its exit status: 0 to 255, or 128 + signal.
int process_wait(struct process *process);

// clone(2), clone3(2). stack: its upper end, or 0 for the caller's.
struct clone_request {
    uint64_t flags; // CLONE_*, without the signal
    int exit_signal;
    uint64_t stack, tls, parent_tid, child_tid;
};
#define CLONE_CLEAR_SIGHAND 0x100000000ull
// The number of the new task. -EINVAL: flags that do not go together, or that there are not; -EAGAIN, -ENOMEM.
int process_clone(const struct clone_request *request);
// Replaces the caller's program; its other tasks end. strings: of argument and environment. An error, or does not
// return to the old program.
struct exec_strings;
[[nodiscard]] int process_exec(char *path, const struct exec_strings *strings);

#define WNOHANG 1u
#define WUNTRACED 2u // also WSTOPPED
#define WEXITED 4u
#define WCONTINUED 8u
#define WNOWAIT 0x1000000u
struct wait_result {
    int32_t pid; // 0: with WNOHANG, nothing as yet
    uint32_t uid;
    int status;
    struct usage usage; // of the child and those it has waited for
};
enum wait_for { WAIT_ANY, WAIT_PID, WAIT_GROUP }; // the numbers of waitid(2)
// wait4(2), waitid(2): children of that number or group; group 0 is the caller's as it is now. 0, -ECHILD, -ERESTART.
[[nodiscard]] int process_wait_child(enum wait_for kind, int32_t id, unsigned options, struct wait_result *out);
_Noreturn void process_exit(int status); // all tasks of the current one, as wait(2) tells it
static inline int exit_status(int code)
{
    return (code & 0xff) << 8;
}
// The current one's descriptors are its own from here on, as they are. -ENOMEM.
[[nodiscard]] int process_unshare_files(struct process *process);
int32_t process_parent_id(void);
[[nodiscard]] int process_set_group(int32_t pid, int32_t group); // setpgid(2). -ESRCH, -EPERM, -EINVAL, -EACCES
int process_group_of(int32_t pid, bool session);                 // getpgid(2), getsid(2). -ESRCH
int process_new_session(void);                                   // setsid(2): its number. -EPERM
[[nodiscard]] int process_start_reaper(void);                    // once, after the scheduler: buries orphans. -ENOMEM

// Of the process, or of the task with tid not 0, that has that number now: no other ever has the same. 0: there is
// none.
uint64_t process_identity(int32_t pid, int32_t tid);
// With a reference; NULL: there is none, or it has been waited for. A zombie has no space and no files.
struct process *process_find(int32_t pid);
struct process *process_find_task(int32_t tid); // the process of that task
struct process *process_find_any(int32_t id);   // by either: a zombie's tasks have ended
void process_put(struct process *process);
// Calls visit for each, zombies too, under the family's lock, until it says false. By number; the lock is given up now
// and then, so that those that come meanwhile may be seen or not.
void process_for_each(bool (*visit)(struct process *process, void *argument), void *argument);
uint64_t process_runtime(struct process *process); // ns that all its tasks have run. Any context
// Of another process, with a reference; NULL: it has ended.
struct space *process_space_get(struct process *process);
struct fd_table *process_files_get(struct process *process);
void process_space_put(struct space *space); // the last one destroys it; NULL is nothing

// Where the current process's paths begin, with references.
void process_places_get(struct process *process, struct path_start *out);
void process_places_put(struct path_start *start);
// Takes over the reference to node.
void process_set_directory(struct vnode *node);
void process_set_root(struct vnode *node);
