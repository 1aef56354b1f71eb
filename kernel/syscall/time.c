// Clocks and sleeps. Source: clock_gettime(2), clock_nanosleep(2), gettimeofday(2), adjtimex(2).
#include "kernel/syscall/time.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/task.h"
#include "kernel/proc/vdso.h"
#include "kernel/syscall/bodies.h"
#include "kernel/time/cputime.h"

#define TIMER_ABSTIME 1u

static struct {
    int32_t minutes_west, dst;
} zone; // for whoever asks; nothing here uses it

static int to_ns(int64_t seconds, int64_t rest, uint64_t rest_ns, uint64_t *ns)
{
    if (seconds < 0 || rest < 0 || (uint64_t)rest * rest_ns >= NS_PER_SECOND) {
        return -EINVAL;
    }
    if (!mul_fits((uint64_t)seconds, NS_PER_SECOND, ns) || !add_fits(*ns, (uint64_t)rest * rest_ns, ns)) {
        *ns = UINT64_MAX - 1; // some 584 years
    }
    return 0;
}

int timespec_ns(const struct user_timespec *time, uint64_t *ns)
{
    return time->nanoseconds < (int64_t)NS_PER_SECOND ? to_ns(time->seconds, time->nanoseconds, 1, ns) : -EINVAL;
}

int timeval_ns(const struct user_timeval *time, uint64_t *ns)
{
    return time->microseconds < 1000000 ? to_ns(time->seconds, time->microseconds, 1000, ns) : -EINVAL;
}

int time_from_user(uint64_t from, uint64_t *ns)
{
    struct user_timespec time;
    int error = copy_from_user(&time, uaddr(from), sizeof(time));
    return error != 0 ? error : timespec_ns(&time, ns);
}

int time_to_user(uint64_t to, uint64_t ns)
{
    struct user_timespec time = timespec_of(ns);
    return copy_to_user(uaddr(to), &time, sizeof(time));
}

uint64_t time_deadline_of_call(uint64_t ns)
{
    struct task *task = task_current();
    if (task->deadline_ns == 0) {
        task->deadline_ns = time_deadline(ns);
    }
    return task->deadline_ns;
}

uint64_t time_deadline(uint64_t ns)
{
    uint64_t deadline;
    return add_fits(ns, timer_now(), &deadline) ? min_u64(deadline, UINT64_MAX - 1) : UINT64_MAX - 1;
}

// --- clocks --------------------------------------------------------------------------------------------------------

static bool is_known(int clockid)
{
    return clockid >= 0 && (clockid <= CLOCK_BOOTTIME || clockid == CLOCK_TAI);
}

static int read_clock(int clockid, uint64_t *ns)
{
    if (clock_is_cputime(clockid)) {
        return cputime_of_clock(clockid, ns);
    }
    *ns = clock_now(clockid);
    return is_known(clockid) ? 0 : -EINVAL;
}

int64_t sys_clock_gettime(const uint64_t arguments[6])
{
    uint64_t ns;
    int error = read_clock((int)arguments[0], &ns);
    return error != 0 ? error : time_to_user(arguments[1], ns);
}

int64_t sys_clock_getres(const uint64_t arguments[6])
{
    int clockid = (int)arguments[0];
    uint64_t unused;
    int error = read_clock(clockid, &unused);
    if (error != 0 || arguments[1] == 0) {
        return error;
    }
    bool coarse = clockid == CLOCK_REALTIME_COARSE || clockid == CLOCK_MONOTONIC_COARSE;
    return time_to_user(arguments[1], coarse ? CLOCK_COARSE_NS : 1);
}

static int set_wall(uint64_t ns)
{
    return capable(CAP_SYS_TIME) ? clock_set(ns) : -EPERM;
}

int64_t sys_clock_settime(const uint64_t arguments[6])
{
    uint64_t ns;
    int clockid = (int)arguments[0];
    if (clockid != CLOCK_REALTIME) {
        return clockid >= 0 || cputime_of_clock(clockid, &ns) != 0 ? -EINVAL : -EPERM;
    }
    int error = time_from_user(arguments[1], &ns);
    return error != 0 ? error : set_wall(ns);
}

int64_t sys_gettimeofday(const uint64_t arguments[6])
{
    struct user_timeval time = timeval_of(clock_now(CLOCK_REALTIME));
    int error = arguments[0] != 0 ? copy_to_user(uaddr(arguments[0]), &time, sizeof(time)) : 0;
    if (error == 0 && arguments[1] != 0) {
        error = copy_to_user(uaddr(arguments[1]), &zone, sizeof(zone));
    }
    return error;
}

int64_t sys_settimeofday(const uint64_t arguments[6])
{
    struct user_timeval time;
    int32_t wanted[2];
    uint64_t ns = 0;
    int error = arguments[0] != 0 ? copy_from_user(&time, uaddr(arguments[0]), sizeof(time)) : 0;
    error = error == 0 && arguments[0] != 0 ? timeval_ns(&time, &ns) : error;
    if (error == 0 && arguments[1] != 0) {
        error = copy_from_user(wanted, uaddr(arguments[1]), sizeof(wanted));
    }
    if (error == 0 && !capable(CAP_SYS_TIME)) {
        error = -EPERM;
    }
    if (error == 0 && arguments[1] != 0 && (wanted[0] > 15 * 60 || wanted[0] < -15 * 60)) {
        error = -EINVAL;
    }
    if (error == 0 && arguments[0] != 0) {
        error = clock_set(ns);
    }
    if (error == 0 && arguments[1] != 0) {
        WRITE_ONCE(zone.minutes_west, wanted[0]);
        WRITE_ONCE(zone.dst, wanted[1]);
        vdso_set_zone(wanted[0], wanted[1]);
    }
    return error;
}

// --- adjtimex ------------------------------------------------------------------------------------------------------

struct user_timex {
    uint32_t modes, padding;
    int64_t offset, frequency, max_error, error;
    int32_t status, padding_two;
    int64_t constant, precision, tolerance;
    struct user_timeval time;
    int64_t tick, pps[8];
    int32_t tai, unused[11];
};
static_assert(sizeof(struct user_timex) == 208, "struct timex");
#define STATE_ERROR 5 // the clock is not synchronised
#define STATUS_UNSYNCHRONISED 0x40
#define ADJ_OFFSET_READ 0xa001u

// Nobody steers this clock: what can be asked is answered, and nothing can be changed.
static int64_t adjust(uint64_t address)
{
    struct user_timex timex;
    int error = copy_from_user(&timex, uaddr(address), sizeof(timex));
    if (error == 0 && timex.modes != 0 && timex.modes != ADJ_OFFSET_READ) {
        error = capable(CAP_SYS_TIME) ? -EINVAL : -EPERM;
    }
    if (error != 0) {
        return error;
    }
    timex = (struct user_timex){.modes = timex.modes,
                                .max_error = 16000000,
                                .error = 16000000,
                                .status = STATUS_UNSYNCHRONISED,
                                .constant = 2,
                                .precision = 1,
                                .tolerance = 32768000,
                                .time = timeval_of(clock_now(CLOCK_REALTIME)),
                                .tick = 10000};
    error = copy_to_user(uaddr(address), &timex, sizeof(timex));
    return error != 0 ? error : STATE_ERROR;
}

int64_t sys_adjtimex(const uint64_t arguments[6])
{
    return adjust(arguments[0]);
}

int64_t sys_clock_adjtime(const uint64_t arguments[6])
{
    if ((int)arguments[0] != CLOCK_REALTIME) {
        return is_known((int)arguments[0]) ? -EOPNOTSUPP : -EINVAL;
    }
    return adjust(arguments[1]);
}

// --- sleeps --------------------------------------------------------------------------------------------------------

// Until that clock shows until_ns. rest: of a relative sleep that a signal ended, or 0.
static int64_t sleep_until(int clockid, uint64_t until_ns, uint64_t rest)
{
    int error = clock_sleep(clockid, until_ns);
    if (error == -EINTR && rest != 0) {
        uint64_t now = clock_now(clockid);
        int copied = time_to_user(rest, until_ns > now ? until_ns - now : 0);
        error = copied != 0 ? copied : -EINTR;
    }
    return error == -EINTR ? -ERESTART_NOHAND : error;
}

int64_t sys_nanosleep(const uint64_t arguments[6])
{
    uint64_t span;
    int error = time_from_user(arguments[0], &span);
    return error != 0 ? error : sleep_until(CLOCK_MONOTONIC, time_deadline_of_call(span), arguments[1]);
}

// The clock goes on only as other threads of the process run: asked again after what it lacks has passed.
static int sleep_on_cputime(int clockid, uint64_t ns, bool absolute)
{
    uint64_t now, until;
    int error = cputime_of_clock(clockid, &now);
    if (!absolute && !add_fits(ns, now, &ns)) {
        ns = UINT64_MAX;
    }
    until = ns;
    while (error == 0 && now < until) {
        error = clock_sleep(CLOCK_MONOTONIC, time_deadline(max_u64(until - now, 1000000)));
        error = error != 0 ? error : cputime_of_clock(clockid, &now);
    }
    return error;
}

int64_t sys_clock_nanosleep(const uint64_t arguments[6])
{
    int clockid = (int)arguments[0];
    bool absolute = (arguments[1] & TIMER_ABSTIME) != 0;
    uint64_t ns;
    if (clockid == CLOCK_THREAD_CPUTIME_ID || clockid == CLOCK_MONOTONIC_RAW || clockid == CLOCK_REALTIME_COARSE ||
        clockid == CLOCK_MONOTONIC_COARSE) {
        return -EOPNOTSUPP;
    }
    int error = read_clock(clockid, &ns);
    error = error != 0 ? error : time_from_user(arguments[2], &ns);
    if (error != 0) {
        return error;
    }
    if (clock_is_cputime(clockid)) {
        return sleep_on_cputime(clockid, ns, absolute);
    }
    // Only an absolute sleep follows the time of day when it jumps.
    return absolute ? sleep_until(clockid, ns, 0)
                    : sleep_until(CLOCK_MONOTONIC, time_deadline_of_call(ns), arguments[3]);
}
