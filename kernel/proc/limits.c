#include "kernel/proc/limits.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/file.h"
#include "kernel/proc/access.h"
#include "kernel/proc/process_internal.h"

#define FILES_MOST 1048576u // as /proc/sys/fs/nr_open
#define FILES_FIRST 1024u
#define PAGES_PER_THREAD 32u
#define STACK_MOST MIB(8)

// So many that their kernel stacks take an eighth of the memory.
static uint64_t threads_most(void)
{
    return max_u64(page_pool_total(&kernel_pages) / PAGES_PER_THREAD, 20);
}

void limits_init(struct limits *limits)
{
    for (unsigned i = 0; i < RLIMITS; i++) {
        limits->of[i] = (struct limit){RLIM_INFINITY, RLIM_INFINITY};
    }
    limits->of[RLIMIT_STACK].soft = STACK_MOST;
    limits->of[RLIMIT_CORE].soft = 0;
    limits->of[RLIMIT_NOFILE] = (struct limit){FILES_FIRST, 4096};
    limits->of[RLIMIT_MEMLOCK] = (struct limit){MIB(8), MIB(8)};
    limits->of[RLIMIT_NPROC] = (struct limit){threads_most() / 2, threads_most() / 2};
    limits->of[RLIMIT_SIGPENDING] = limits->of[RLIMIT_NPROC];
    limits->of[RLIMIT_MSGQUEUE] = (struct limit){819200, 819200};
    limits->of[RLIMIT_NICE] = limits->of[RLIMIT_RTPRIO] = (struct limit){0, 0};
}

uint64_t process_limit(const struct process *process, unsigned which)
{
    return READ_ONCE(process->limits.of[which].soft);
}

struct space_limits space_limits(void)
{
    const struct process *process = process_current();
    if (process == NULL) { // a first program is being loaded
        return (struct space_limits){STACK_MOST, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    }
    bool locks = capable(CAP_IPC_LOCK);
    return (struct space_limits){process_limit(process, RLIMIT_STACK), process_limit(process, RLIMIT_AS),
                                 process_limit(process, RLIMIT_DATA),
                                 locks ? UINT64_MAX : process_limit(process, RLIMIT_MEMLOCK)};
}

uint32_t fd_limit(void)
{
    const struct process *process = process_current();
    return process != NULL ? (uint32_t)min_u64(process_limit(process, RLIMIT_NOFILE), FD_LIMIT_MAX) : FILES_FIRST;
}

// With the family's lock.
static int change(struct process *process, unsigned which, const struct limit *set)
{
    struct limit *limit = &process->limits.of[which];
    if (set->soft > set->hard) {
        return -EINVAL;
    }
    if ((set->hard > limit->hard && !capable(CAP_SYS_RESOURCE)) || (which == RLIMIT_NOFILE && set->hard > FILES_MOST)) {
        return -EPERM;
    }
    WRITE_ONCE(limit->soft, set->soft);
    WRITE_ONCE(limit->hard, set->hard);
    return 0;
}

int process_prlimit(int32_t pid, unsigned which, const struct limit *set, struct limit *old)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct task *task = pid != 0 ? family_find_task(pid) : task_current();
    struct process *process = task != NULL ? task->process : family_find(pid);
    int error = process == NULL ? -ESRCH : process_may_limit(process, task);
    if (error == 0) {
        *old = process->limits.of[which];
        error = set != NULL ? change(process, which, set) : 0;
    }
    spin_unlock(&family.lock, flags);
    return error;
}

int file_limit_growth(uint64_t offset, uint64_t *size)
{
    const struct process *process = process_current();
    uint64_t limit = process != NULL ? process_limit(process, RLIMIT_FSIZE) : UINT64_MAX;
    if (offset >= limit && *size > 0) {
        signal_send_task(task_current(), &(struct signal_info){.signal = SIGXFSZ});
        return -EFBIG;
    }
    *size = *size < limit - offset ? *size : limit - offset;
    return 0;
}

int limits_check_clone(void)
{
    return thread_count() >= threads_most() ? -EAGAIN : 0;
}
