// Tasks: the threads of a process as user space knows them. Each has a kernel thread, and keeps what that does not
// know: its number, its signals, its registers of user space, what becomes of its memory's locks when it ends.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/proc/process.h"

#define TIMER_SLACK_NS 50000u

struct task {
    int32_t tid;             // the first one's is the process's
    uint64_t identity;       // of what has that number; likewise
    struct process *process; // constant
    struct thread *thread;   // set before it runs
    struct list sibling;     // of process->tasks; family's lock
    struct tree_node by_tid; // family's lock
    struct task_signals signals;
    bool parked;                                   // in a stop; family's lock
    bool no_new_privileges;                        // these three by prctl(2): its own to set
    uint64_t timer_slack_ns, timer_slack_usual_ns; // only told
    bool over_limit; // its user had more tasks than RLIMIT_NPROC when it became that user: execve(2) asks; its own
    bool deaf;       // sleeps where only the end of its process reaches it; likewise

    // Its own.
    struct user_regs *current; // in a system call
    uint64_t first_argument;   // of the last one
    int restart;               // how it ended: 0, or ERESTART or ERESTART_NOHAND
    bool again;                // this call is one that is made again, or the next one is
    bool returned;             // it was sigreturn(2), and has set all registers
    uint64_t deadline_ns;      // of a call that is made again: when its wait ends; 0: not known yet
    uint64_t clear_tid;        // set_tid_address(2): written, and woken, when it ends; 0: none
    uint64_t robust_list;      // set_robust_list(2), or 0
    bool owns_pi;              // others wait for a lock that it has (futex_lock()); these two: family's lock
    bool gave_up_locks;
    // To start with.
    struct user_regs regs;
    uint64_t tls;
    uint64_t tell_tid; // where it writes its number first, or 0

    struct fp_state fp;
};

static inline struct task *task_current(void) // NULL in a kernel thread
{
    struct thread *me = thread_current();
    return me != NULL ? me->task : NULL;
}
// Calls visit for the task of that number (0: the current one) under the family's lock. Its result, or -ESRCH.
[[nodiscard]] int task_visit(int32_t tid, int (*visit)(struct task *task, void *argument), void *argument);
// Ends the current task; the last one ends its process. status as wait(2) tells it.
_Noreturn void task_exit(int status);
// Sleeps until somebody signals the condition after it was seen at that generation (kernel/sync/condition.h).
// -EINTR: the task is to end, with its process or for an execve(2) of another; other signals have to wait.
struct condition;
[[nodiscard]] int task_wait_killable(struct condition *condition, uint32_t seen);
// get_robust_list(2): another task's. -ESRCH, -EPERM.
[[nodiscard]] int task_robust_list(int32_t tid, uint64_t *head);
