// Time, identity, randomness.
#include <hal/entropy.h>
#include <hal/timer.h>

#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/bodies.h"

#define NS_PER_SECOND 1000000000ull

struct user_timespec {
    int64_t seconds, nanoseconds;
};

int64_t sys_clock_gettime(const uint64_t arguments[6])
{
    uint64_t now = timer_now(); // every clock counts from power-on until there is a real-time clock
    struct user_timespec time = {(int64_t)(now / NS_PER_SECOND), (int64_t)(now % NS_PER_SECOND)};
    return copy_to_user(uaddr(arguments[1]), &time, sizeof(time));
}

int64_t sys_nanosleep(const uint64_t arguments[6])
{
    struct user_timespec time;
    int error = copy_from_user(&time, uaddr(arguments[0]), sizeof(time));
    if (error != 0) {
        return error;
    }
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= (int64_t)NS_PER_SECOND) {
        return -EINVAL;
    }
    uint64_t span, deadline;
    if (!mul_fits((uint64_t)time.seconds, NS_PER_SECOND, &span) || !add_fits(span, (uint64_t)time.nanoseconds, &span) ||
        !add_fits(span, timer_now(), &deadline)) {
        deadline = UINT64_MAX - 1; // some 584 years
    }
    thread_sleep_until(deadline);
    return 0;
}

int64_t sys_sched_yield(const uint64_t arguments[6])
{
    thread_yield();
    return 0;
}

int64_t sys_uname(const uint64_t arguments[6])
{
    static const char name[6][65] = {"Faultline", "faultline", "6.1.0", "#1 SMP PREEMPT", "aarch64", "(none)"};
    static_assert(sizeof(name) == 390, "struct new_utsname, uname(2)");
    return copy_to_user(uaddr(arguments[0]), name, sizeof(name));
}

int64_t sys_getpid(const uint64_t arguments[6])
{
    return process_current()->pid;
}

int64_t sys_gettid(const uint64_t arguments[6])
{
    return process_current()->pid; // one thread each, for now
}

int64_t sys_set_tid_address(const uint64_t arguments[6])
{
    return process_current()->pid;
}

int64_t sys_getrandom(const uint64_t arguments[6])
{
    uint8_t chunk[64];
    uint64_t done = 0;
    while (done < arguments[1]) {
        uint64_t part = min_u64(arguments[1] - done, sizeof(chunk));
        entropy_fill(chunk, part);
        int error = copy_to_user(uaddr(arguments[0] + done), chunk, part);
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        done += part;
    }
    return (int64_t)done;
}

int64_t sys_exit(const uint64_t arguments[6])
{
    process_exit((int)(arguments[0] & 0xff));
}

int64_t sys_exit_group(const uint64_t arguments[6])
{
    process_exit((int)(arguments[0] & 0xff));
}
