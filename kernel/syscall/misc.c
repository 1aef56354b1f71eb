// Time, identity, randomness.
#include <hal/entropy.h>
#include <hal/timer.h>

#include "kernel/mm/usercopy.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/semaphore.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

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

int time_from_user(uint64_t from, uint64_t *ns)
{
    struct user_timespec time;
    int error = copy_from_user(&time, uaddr(from), sizeof(time));
    if (error != 0) {
        return error;
    }
    if (time.seconds < 0 || time.nanoseconds < 0 || time.nanoseconds >= (int64_t)NS_PER_SECOND) {
        return -EINVAL;
    }
    if (!mul_fits((uint64_t)time.seconds, NS_PER_SECOND, ns) || !add_fits(*ns, (uint64_t)time.nanoseconds, ns)) {
        *ns = UINT64_MAX - 1; // some 584 years
    }
    return 0;
}

uint64_t time_deadline(uint64_t ns)
{
    uint64_t deadline;
    return add_fits(ns, timer_now(), &deadline) ? min_u64(deadline, UINT64_MAX - 1) : UINT64_MAX - 1;
}

int64_t sys_nanosleep(const uint64_t arguments[6])
{
    uint64_t span;
    int error = time_from_user(arguments[0], &span);
    if (error != 0) {
        return error;
    }
    uint64_t deadline = time_deadline(span);
    struct semaphore never;
    semaphore_init(&never, 0);
    error = span > 0 ? semaphore_down_interruptible_until(&never, deadline) : 0;
    if (error != -EINTR) {
        return 0;
    }
    uint64_t now = timer_now(), left = deadline > now ? deadline - now : 0;
    struct user_timespec rest = {(int64_t)(left / NS_PER_SECOND), (int64_t)(left % NS_PER_SECOND)};
    error = arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &rest, sizeof(rest)) : 0;
    return error != 0 ? error : -EINTR;
}

// Every clock counts from power-on, until there is a real-time clock.
int64_t sys_clock_nanosleep(const uint64_t arguments[6])
{
    const uint64_t relative[6] = {arguments[2], arguments[3], 0, 0, 0, 0};
    uint64_t until;
    if ((arguments[1] & 1) == 0) { // TIMER_ABSTIME
        return sys_nanosleep(relative);
    }
    int error = time_from_user(arguments[2], &until);
    if (error != 0) {
        return error;
    }
    struct semaphore never;
    semaphore_init(&never, 0);
    error = until > timer_now() ? semaphore_down_interruptible_until(&never, until) : 0;
    return error == -EINTR ? -EINTR : 0;
}

int64_t sys_clock_getres(const uint64_t arguments[6])
{
    struct user_timespec time = {0, 1};
    return arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &time, sizeof(time)) : 0;
}

int64_t sys_gettimeofday(const uint64_t arguments[6])
{
    uint64_t now = timer_now();
    int64_t time[2] = {(int64_t)(now / NS_PER_SECOND), (int64_t)(now % NS_PER_SECOND / 1000)};
    return arguments[0] != 0 ? copy_to_user(uaddr(arguments[0]), time, sizeof(time)) : 0;
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
