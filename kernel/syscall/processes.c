// Processes: make, replace, wait, end.
#include "kernel/base/format.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

#define STRINGS_MAX 8192u // of argument and environment together

#define CLONE_THREAD 0x10000u
#define EXIT_SIGNAL 0xffu // in the flags of clone(2)

int64_t sys_clone(const uint64_t arguments[6])
{
    struct clone_request request = {.flags = (uint32_t)arguments[0] & ~EXIT_SIGNAL,
                                    .exit_signal = (int)(arguments[0] & EXIT_SIGNAL),
                                    .stack = arguments[1],
                                    .parent_tid = arguments[2],
                                    .tls = arguments[3],
                                    .child_tid = arguments[4]};
    return process_clone(&request);
}

#define CLONE_SETTLS 0x80000u
struct user_clone_arguments { // clone_args
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define CLONE_ARGUMENTS_MIN 64u // the first that there was

int64_t sys_clone3(const uint64_t arguments[6])
{
    struct user_clone_arguments user = {0};
    if (arguments[1] < CLONE_ARGUMENTS_MIN) {
        return -EINVAL;
    }
    if (arguments[1] > PAGE_SIZE) {
        return -E2BIG;
    }
    int error = copy_from_user(&user, uaddr(arguments[0]), min_u64(arguments[1], sizeof(user)));
    for (uint64_t at = sizeof(user); error == 0 && at < arguments[1]; at++) {
        uint8_t unknown;
        error = copy_from_user(&unknown, uaddr(arguments[0] + at), 1);
        error = error == 0 && unknown != 0 ? -E2BIG : error;
    }
    if (error != 0) {
        return error;
    }
    bool stack_is_whole = (user.stack == 0) == (user.stack_size == 0);
    bool threads_end_silently = (user.flags & CLONE_THREAD) == 0 || user.exit_signal == 0;
    if (!stack_is_whole || !threads_end_silently || user.exit_signal > SIGNAL_MAX || user.set_tid != 0 ||
        user.set_tid_size != 0 || (user.flags & EXIT_SIGNAL) != 0) {
        return -EINVAL;
    }
    struct clone_request request = {.flags = user.flags,
                                    .exit_signal = (int)user.exit_signal,
                                    .stack = user.stack + user.stack_size,
                                    .parent_tid = user.parent_tid,
                                    .tls = user.tls,
                                    .child_tid = user.child_tid};
    return process_clone(&request);
}

// Adds the strings that a user vector points to; their number.
static int add_vector(struct exec_strings *strings, uint64_t vector, uint32_t *count)
{
    for (*count = 0; vector != 0; vector += sizeof(uint64_t), (*count)++) {
        uint64_t text;
        size_t length;
        int error = thread_killed() ? -EINTR : copy_from_user(&text, uaddr(vector), sizeof(text));
        if (error != 0 || text == 0) {
            return error;
        }
        if (*count == STRINGS_MAX || strings->size == ARGUMENTS_MAX) {
            return -E2BIG;
        }
        error =
            copy_string_from_user(strings->bytes + strings->size, uaddr(text), ARGUMENTS_MAX - strings->size, &length);
        if (error != 0) {
            return error == -ENAMETOOLONG ? -E2BIG : error;
        }
        strings->size += length + 1;
    }
    return 0;
}

// path: PATH_MAX bytes.
static int64_t run_program(char *path, uint64_t argv, uint64_t envp)
{
    struct exec_strings strings;
    int error = exec_strings_init(&strings);
    error = error != 0 ? error : add_vector(&strings, argv, &strings.argc);
    error = error != 0 ? error : add_vector(&strings, envp, &strings.envc);
    error = error != 0 ? error : process_exec(path, &strings);
    exec_strings_free(&strings);
    return error;
}

int64_t sys_execve(const uint64_t arguments[6])
{
    void *path;
    size_t length;
    int64_t error = kmalloc(PATH_MAX, &path);
    if (error != 0) {
        return error;
    }
    error = copy_string_from_user(path, uaddr(arguments[0]), PATH_MAX, &length);
    error = error != 0 ? error : run_program(path, arguments[1], arguments[2]);
    kfree(path);
    return error;
}

#define AT_FDCWD (-100)
#define AT_EMPTY_PATH 0x1000u

// A path that means the same without the descriptor: what /proc has of it.
static int join_descriptor(char *path, int32_t fd, size_t length)
{
    char prefix[32];
    size_t start = format(prefix, sizeof(prefix), length > 0 ? "/proc/self/fd/%d/" : "/proc/self/fd/%d", fd);
    if (start + length >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    __builtin_memmove(path + start, path, length + 1);
    __builtin_memcpy(path, prefix, start);
    return 0;
}

int64_t sys_execveat(const uint64_t arguments[6])
{
    void *path;
    size_t length;
    int32_t fd = (int32_t)arguments[0];
    int64_t error = kmalloc(PATH_MAX, &path);
    if (error != 0) {
        return error;
    }
    error = copy_string_from_user(path, uaddr(arguments[1]), PATH_MAX, &length);
    if (error == 0 && length == 0 && (arguments[4] & AT_EMPTY_PATH) == 0) {
        error = -ENOENT;
    }
    if (error == 0 && fd != AT_FDCWD && *(char *)path != '/') {
        struct file *file;
        error = fd_file_or_place(process_current()->files, (uint32_t)fd, &file);
        if (error == 0) {
            bool directory = file->node != NULL && vnode_is(file->node, S_IFDIR);
            error = length > 0 && !directory ? -ENOTDIR : join_descriptor(path, fd, length);
            file_put(file);
        }
    }
    error = error != 0 ? error : run_program(path, arguments[2], arguments[3]);
    kfree(path);
    return error;
}

#define CLONE_FS 0x200u
#define CLONE_FILES 0x400u

// What a task may stop sharing: descriptors with another process; the rest only threads share, which keep it.
int64_t sys_unshare(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint64_t flags = arguments[0];
    if ((flags & ~(uint64_t)(CLONE_FS | CLONE_FILES)) != 0 || (flags != 0 && process->task_count > 1)) {
        return -EINVAL;
    }
    return (flags & CLONE_FILES) != 0 ? process_unshare_files(process) : 0;
}

static int rusage_to_user(uint64_t to, const struct usage *usage)
{
    struct {
        struct user_timeval user, system;
        uint64_t resident_most, sizes[3], minor_faults, major_faults, swaps, in, out, messages[2], signals, waits,
            preemptions;
    } rusage = {.user = timeval_of(usage->user_ns),
                .system = timeval_of(usage->system_ns),
                .resident_most = usage->resident_most * (PAGE_SIZE / 1024),
                .minor_faults = usage->faults,
                .waits = usage->waits,
                .preemptions = usage->preemptions};
    static_assert(sizeof(rusage) == 144, "struct rusage");
    return copy_to_user(uaddr(to), &rusage, sizeof(rusage));
}

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1

int64_t sys_getrusage(const uint64_t arguments[6])
{
    struct process *process = process_current();
    struct usage usage = process_usage(process);
    switch ((int)arguments[0]) {
    case RUSAGE_SELF:
        break;
    case RUSAGE_CHILDREN:
        usage = process_children_usage(process);
        break;
    case RUSAGE_THREAD: {
        struct usage mine = thread_usage(thread_current());
        mine.resident_most = usage.resident_most;
        mine.faults = usage.faults; // they are counted by space
        usage = mine;
        break;
    }
    default:
        return -EINVAL;
    }
    return rusage_to_user(arguments[1], &usage);
}

#define NS_PER_CLOCK_TICK 10000000u // sysconf(_SC_CLK_TCK) is 100

int64_t sys_times(const uint64_t arguments[6])
{
    struct process *process = process_current();
    struct usage own = process_usage(process), children = process_children_usage(process);
    int64_t times[4] = {(int64_t)(own.user_ns / NS_PER_CLOCK_TICK), (int64_t)(own.system_ns / NS_PER_CLOCK_TICK),
                        (int64_t)(children.user_ns / NS_PER_CLOCK_TICK),
                        (int64_t)(children.system_ns / NS_PER_CLOCK_TICK)};
    int error = arguments[0] != 0 ? copy_to_user(uaddr(arguments[0]), times, sizeof(times)) : 0;
    return error != 0 ? error : (int64_t)(clock_now(CLOCK_MONOTONIC) / NS_PER_CLOCK_TICK);
}

#define WAIT_KNOWN (WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | 0xe0000000u) // and __WNOTHREAD to __WCLONE

int64_t sys_wait4(const uint64_t arguments[6])
{
    struct wait_result result;
    unsigned options = (unsigned)arguments[2];
    if ((options & ~(WAIT_KNOWN & ~(WEXITED | WNOWAIT))) != 0) {
        return -EINVAL;
    }
    int32_t which = (int32_t)arguments[0];
    if (which == INT32_MIN) {
        return -ESRCH;
    }
    enum wait_for kind = which == -1 ? WAIT_ANY : which > 0 ? WAIT_PID : WAIT_GROUP;
    int error = process_wait_child(kind, which > 0 ? which : -which, options | WEXITED, &result);
    if (error == 0 && result.pid > 0 && arguments[1] != 0) {
        error = copy_to_user(uaddr(arguments[1]), &result.status, sizeof(result.status));
    }
    if (error == 0 && result.pid > 0 && arguments[3] != 0) {
        error = rusage_to_user(arguments[3], &result.usage);
    }
    return error != 0 ? error : result.pid;
}

// A status of wait(2) as siginfo_t has it.
static void split_status(int status, int32_t *code, int32_t *value)
{
    if (status == 0xffff) {
        *code = 6; // CLD_CONTINUED
        *value = SIGCONT;
    } else if ((status & 0xff) == 0x7f) {
        *code = 5; // CLD_STOPPED
        *value = status >> 8;
    } else if ((status & 0x7f) != 0) {
        *code = 2; // CLD_KILLED
        *value = status & 0x7f;
    } else {
        *code = 1; // CLD_EXITED
        *value = status >> 8 & 0xff;
    }
}

int64_t sys_waitid(const uint64_t arguments[6])
{
    struct wait_result result = {0};
    unsigned options = (unsigned)arguments[3], wanted = WEXITED | WUNTRACED | WCONTINUED;
    int kind = (int)arguments[0];
    int32_t id = (int32_t)arguments[1], info[7] = {0};
    int error = (options & ~WAIT_KNOWN) != 0 || (options & wanted) == 0 ? -EINVAL : 0;
    bool good = kind == WAIT_ANY || (kind == WAIT_PID && id > 0) || (kind == WAIT_GROUP && id >= 0);
    error = error != 0 || !good ? -EINVAL : process_wait_child((enum wait_for)kind, id, options, &result);
    if (error == 0 && result.pid > 0) {
        info[0] = SIGCHLD;
        info[4] = result.pid;
        info[5] = (int32_t)result.uid;
        split_status(result.status, &info[2], &info[6]);
        if (arguments[4] != 0) {
            error = rusage_to_user(arguments[4], &result.usage);
        }
    }
    // Also after an error, as on Linux.
    int copied = arguments[2] != 0 && error != -ERESTART ? copy_to_user(uaddr(arguments[2]), info, sizeof(info)) : 0;
    return copied != 0 ? copied : error;
}

int64_t sys_exit(const uint64_t arguments[6])
{
    task_exit(exit_status((int)arguments[0]));
}

int64_t sys_exit_group(const uint64_t arguments[6])
{
    process_exit(exit_status((int)arguments[0]));
}

int64_t sys_getpid(const uint64_t arguments[6])
{
    return process_current()->pid;
}

int64_t sys_gettid(const uint64_t arguments[6])
{
    return task_current()->tid;
}

int64_t sys_set_tid_address(const uint64_t arguments[6])
{
    task_current()->clear_tid = arguments[0];
    return task_current()->tid;
}

int64_t sys_getppid(const uint64_t arguments[6])
{
    return process_parent_id();
}

int64_t sys_setpgid(const uint64_t arguments[6])
{
    int32_t pid = (int32_t)arguments[0], group = (int32_t)arguments[1];
    return group < 0 || (group == 0 && pid < 0) ? -EINVAL : process_set_group(pid, group);
}

int64_t sys_getpgid(const uint64_t arguments[6])
{
    return process_group_of((int32_t)arguments[0], false);
}

int64_t sys_getsid(const uint64_t arguments[6])
{
    return process_group_of((int32_t)arguments[0], true);
}

int64_t sys_setsid(const uint64_t arguments[6])
{
    return process_new_session();
}
