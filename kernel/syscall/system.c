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

int64_t sys_prctl(const uint64_t arguments[6])
{
    char name[16] = {0};
    switch ((int)arguments[0]) {
    case PR_SET_NAME:
        for (unsigned i = 0; i < sizeof(name) - 1; i++) { // a longer one is cut
            int error = copy_from_user(&name[i], uaddr(arguments[1] + i), 1);
            if (error != 0) {
                return error;
            }
            if (name[i] == 0) {
                break;
            }
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

int64_t sys_prlimit64(const uint64_t arguments[6])
{
    struct limit set, old;
    bool sets = arguments[2] != 0;
    unsigned which = (unsigned)arguments[1];
    int error = sets ? copy_from_user(&set, uaddr(arguments[2]), sizeof(set)) : 0;
    if (error == 0) {
        error = which < RLIMITS ? process_prlimit((int32_t)arguments[0], which, sets ? &set : NULL, &old) : -EINVAL;
    }
    if (error == 0 && arguments[3] != 0) {
        error = copy_to_user(uaddr(arguments[3]), &old, sizeof(old));
    }
    return error;
}

int64_t sys_getrlimit(const uint64_t arguments[6])
{
    const uint64_t words[6] = {0, arguments[0], 0, arguments[1], 0, 0};
    return arguments[1] != 0 ? sys_prlimit64(words) : -EFAULT;
}

int64_t sys_setrlimit(const uint64_t arguments[6])
{
    const uint64_t words[6] = {0, arguments[0], arguments[1], 0, 0, 0};
    return arguments[1] != 0 ? sys_prlimit64(words) : -EFAULT;
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

int64_t sys_personality(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint32_t old = process->personality, wanted = (uint32_t)arguments[0];
    if (wanted != UINT32_MAX) {
        process->personality = wanted;
    }
    return old;
}
