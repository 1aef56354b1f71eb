// Processes: a space, open files, a place in the file tree, a family. One thread each, for now. Task context; may
// sleep, unless said otherwise.
#pragma once

#include <hal/context.h>

#include "kernel/fs/fdtable.h"
#include "kernel/mm/space.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/semaphore.h"

#define USER_STACK_TOP (SPACE_HIGH - MIB(1))

struct process {
    int32_t pid;
    // The family's lock covers these.
    int32_t group, session;
    struct process *parent; // NULL: the kernel started it, and waits with process_wait()
    struct list children, sibling, all;
    bool ended;                // a zombie until somebody has asked for its status
    bool orphan;               // nobody will
    bool released;             // a child of vfork(2) that has its own program, or has ended
    int status;                // as wait(2) tells it
    int stop_signal;           // of the last stop
    bool stop_told, continued; // what a parent has been told; what it may be told
    struct signals signals;
    struct semaphore changes;  // up whenever a child has changed
    struct semaphore finished; // up when it has ended, for process_wait()

    struct space *space;
    struct fd_table *files;
    struct vnode *root, *directory;
    struct credentials as;
    uint32_t umask;
    struct user_regs regs;     // to start with
    uint64_t tls;              // likewise
    uint64_t tell_id;          // where the child of clone(2) writes its number first, or 0
    struct user_regs *current; // in a system call
    uint64_t first_argument;   // of the last one
    bool restart;              // it ended with ERESTART
    struct fp_state fp;
    struct thread *thread;
};

struct process *process_current(void); // NULL in a kernel thread

// Starts the program at path with argv (ends with NULL) and an empty environment; the console is its files 0 to 2.
// Errors of file_open(); -ENOEXEC, -ENOMEM, -EAGAIN: nothing is left behind then.
[[nodiscard]] int process_spawn(const char *path, const char *const *argv, struct process **out);
// Sleeps until a process that the kernel started has ended, and frees it. Its exit status: 0 to 255, or 128 + signal.
int process_wait(struct process *process);

// The caller's copy; its pid. flags as of clone(2). -EAGAIN, -ENOMEM, -EINVAL: threads are not there yet.
int process_fork(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t tls, uint64_t child_tid);
// Replaces the caller's program. strings: of argument and environment. An error, or does not return to the old program.
struct exec_strings;
[[nodiscard]] int process_exec(char *path, const struct exec_strings *strings);
// wait4(2). The child's pid, 0 with WNOHANG, -ECHILD.
int process_wait_child(int32_t which, unsigned options, int *status);
_Noreturn void process_exit(int status); // the current one, as wait(2) tells it
static inline int exit_status(int code)
{
    return (code & 0xff) << 8;
}
int32_t process_parent_id(void);
[[nodiscard]] int process_set_group(int32_t pid, int32_t group); // setpgid(2). -ESRCH, -EPERM, -EINVAL
int process_group_of(int32_t pid, bool session);                 // getpgid(2), getsid(2). -ESRCH
int process_new_session(void);                                   // setsid(2): its number. -EPERM
[[nodiscard]] int process_start_reaper(void);                    // once, after the scheduler: buries orphans. -ENOMEM
