// What a program may ask about the machine and itself. Source: the man pages, section 2.
#include <hal/timer.h>

#include "kernel/base/format.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/bodies.h"
#include "kernel/time/clock.h"

#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define RLIM_INFINITY UINT64_MAX
#define RLIMIT_STACK 3u
#define RLIMIT_NOFILE 7u
#define RLIMIT_AS 9u
#define RLIMITS 16u

int64_t sys_prctl(const uint64_t arguments[6])
{
    char name[16] = {0};
    size_t length;
    int error;
    switch ((int)arguments[0]) {
    case PR_SET_NAME:
        error = copy_string_from_user(name, uaddr(arguments[1]), sizeof(name), &length);
        if (error != 0 && error != -ENAMETOOLONG) {
            return error;
        }
        thread_set_name(thread_current(), name);
        return 0;
    case PR_GET_NAME:
        format(name, sizeof(name), "%s", thread_current()->name);
        return copy_to_user(uaddr(arguments[1]), name, sizeof(name));
    default:
        return -EINVAL;
    }
}

// Those that are enforced; all others are without limit.
static uint64_t limit_of(const struct process *process, uint64_t which)
{
    switch (which) {
    case RLIMIT_STACK:
        return process->space->stack_limit;
    case RLIMIT_NOFILE:
        return process->files->limit;
    case RLIMIT_AS:
        return process->space->size_limit;
    default:
        return RLIM_INFINITY;
    }
}

static int set_limit(struct process *process, uint64_t which, uint64_t value)
{
    switch (which) {
    case RLIMIT_STACK:
        process->space->stack_limit = value;
        return 0;
    case RLIMIT_NOFILE:
        if (value > FD_LIMIT_MAX) {
            return -EPERM;
        }
        process->files->limit = (uint32_t)value;
        return 0;
    case RLIMIT_AS:
        process->space->size_limit = value;
        return 0;
    default:
        return value == RLIM_INFINITY ? 0 : -EPERM; // not enforced, so not accepted
    }
}

int64_t sys_prlimit64(const uint64_t arguments[6])
{
    struct process *process = process_current();
    struct {
        uint64_t soft, hard;
    } limit;
    if (arguments[1] >= RLIMITS) {
        return -EINVAL;
    }
    if ((int32_t)arguments[0] != 0 && (int32_t)arguments[0] != process->pid) {
        return -ESRCH;
    }
    uint64_t old = limit_of(process, arguments[1]);
    if (arguments[2] != 0) {
        int error = copy_from_user(&limit, uaddr(arguments[2]), sizeof(limit));
        error = error == 0 && limit.soft > limit.hard ? -EINVAL : error;
        error = error != 0 ? error : set_limit(process, arguments[1], limit.soft);
        if (error != 0) {
            return error;
        }
    }
    limit.soft = old;
    limit.hard = RLIM_INFINITY;
    return arguments[3] != 0 ? copy_to_user(uaddr(arguments[3]), &limit, sizeof(limit)) : 0;
}

int64_t sys_sysinfo(const uint64_t arguments[6])
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
        uint16_t processes, padding;
        uint32_t padding_two;
        uint64_t high_total, high_free;
        uint32_t unit;
        uint8_t rest[4];
    } info = {0};
    static_assert(sizeof(info) == 112, "struct sysinfo");
    struct page_stats stats = page_pool_stats(&kernel_pages);
    info.uptime = (int64_t)(timer_now() / NS_PER_SECOND);
    info.total = stats.total * PAGE_SIZE;
    info.free = (stats.free + stats.cached) * PAGE_SIZE;
    info.processes = (uint16_t)thread_count();
    info.unit = 1;
    return copy_to_user(uaddr(arguments[0]), &info, sizeof(info));
}

int64_t sys_getrusage(const uint64_t arguments[6])
{
    struct {
        int64_t user_seconds, user_microseconds, rest[16];
    } usage = {0};
    static_assert(sizeof(usage) == 144, "struct rusage");
    uint64_t ns = (int)arguments[0] == 0 || (int)arguments[0] == 1 ? process_runtime(process_current()) : 0;
    if ((int)arguments[0] < -1 || (int)arguments[0] > 1) {
        return -EINVAL;
    }
    usage.user_seconds = (int64_t)(ns / NS_PER_SECOND);
    usage.user_microseconds = (int64_t)(ns % NS_PER_SECOND / 1000);
    return copy_to_user(uaddr(arguments[1]), &usage, sizeof(usage));
}

int64_t sys_sched_getaffinity(const uint64_t arguments[6])
{
    uint64_t mask = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        mask |= cpus[id].online ? 1ul << id : 0;
    }
    if (arguments[1] < sizeof(mask) || arguments[1] % sizeof(mask) != 0) {
        return -EINVAL;
    }
    int error = copy_to_user(uaddr(arguments[2]), &mask, sizeof(mask));
    return error != 0 ? error : (int64_t)sizeof(mask);
}
