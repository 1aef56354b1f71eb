// Timers of processes. Source: setitimer(2), timer_create(2) and its relatives.
#include "kernel/mm/usercopy.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"
#include "kernel/time/process_timers.h"

#define TIMER_ABSTIME 1u
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD 2
#define SIGEV_THREAD_ID 4

// --- setitimer -----------------------------------------------------------------------------------------------------

struct user_itimerval {
    struct user_timeval interval, value;
};

// Not 0 unless it is: 0 would say that the timer is not armed.
static struct user_timeval left_of(uint64_t ns)
{
    struct user_timeval time = timeval_of(ns);
    time.microseconds += ns != 0 && time.seconds == 0 && time.microseconds == 0;
    return time;
}

static int itimer_to_user(uint64_t to, const struct timer_setting *setting)
{
    struct user_itimerval value = {timeval_of(setting->interval_ns), left_of(setting->value_ns)};
    return copy_to_user(uaddr(to), &value, sizeof(value));
}

int64_t sys_getitimer(const uint64_t arguments[6])
{
    struct timer_setting now;
    if ((unsigned)arguments[0] >= INTERVAL_TIMERS) {
        return -EINVAL;
    }
    interval_timer((unsigned)arguments[0], NULL, &now);
    return itimer_to_user(arguments[1], &now);
}

int64_t sys_setitimer(const uint64_t arguments[6])
{
    struct user_itimerval value = {0};
    struct timer_setting set, old;
    int error = arguments[1] != 0 ? copy_from_user(&value, uaddr(arguments[1]), sizeof(value)) : 0;
    error = error != 0 ? error : timeval_ns(&value.value, &set.value_ns);
    error = error != 0 ? error : timeval_ns(&value.interval, &set.interval_ns);
    if (error != 0) {
        return error;
    }
    if ((unsigned)arguments[0] >= INTERVAL_TIMERS) {
        return -EINVAL;
    }
    interval_timer((unsigned)arguments[0], &set, &old);
    return arguments[2] != 0 ? itimer_to_user(arguments[2], &old) : 0;
}

// --- timer_create --------------------------------------------------------------------------------------------------

struct user_sigevent {
    uint64_t value;
    int32_t signal, notify, tid;
    uint8_t rest[44];
};
static_assert(sizeof(struct user_sigevent) == 64, "struct sigevent");

static int read_event(uint64_t from, struct timer_event *event)
{
    struct user_sigevent user;
    *event = (struct timer_event){.signal = SIGALRM, .value_is_id = true};
    if (from == 0) {
        return 0;
    }
    int error = copy_from_user(&user, uaddr(from), sizeof(user));
    if (error != 0) {
        return error;
    }
    *event = (struct timer_event){.signal = user.signal, .value = user.value, .quiet = user.notify == SIGEV_NONE};
    bool bad = user.signal < 1 || user.signal > SIGNAL_MAX;
    switch (user.notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        return bad ? -EINVAL : 0;
    case SIGEV_THREAD_ID: {
        struct process *process = process_find_task(user.tid);
        process_put(process);
        event->tid = user.tid;
        return bad || process != process_current() ? -EINVAL : 0;
    }
    default:
        return -EINVAL;
    }
}

int64_t sys_timer_create(const uint64_t arguments[6])
{
    struct timer_event event;
    int32_t id;
    int error = read_event(arguments[1], &event);
    error = error != 0 ? error : process_timer_create((int)arguments[0], &event, &id);
    if (error != 0) {
        return error;
    }
    error = copy_to_user(uaddr(arguments[2]), &id, sizeof(id));
    if (error != 0) {
        int deleted = process_timer_delete(id);
        (void)deleted; // another thread may have guessed its number
    }
    return error;
}

struct user_itimerspec {
    struct user_timespec interval, value;
};

static int setting_to_user(uint64_t to, const struct timer_setting *setting)
{
    struct user_itimerspec value = {timespec_of(setting->interval_ns), timespec_of(setting->value_ns)};
    return copy_to_user(uaddr(to), &value, sizeof(value));
}

int64_t sys_timer_settime(const uint64_t arguments[6])
{
    struct user_itimerspec value;
    struct timer_setting set, old;
    if (arguments[2] == 0) {
        return -EINVAL;
    }
    int error = copy_from_user(&value, uaddr(arguments[2]), sizeof(value));
    error = error != 0 ? error : timespec_ns(&value.value, &set.value_ns);
    error = error != 0 ? error : timespec_ns(&value.interval, &set.interval_ns);
    if (error == 0) {
        bool absolute = (arguments[1] & TIMER_ABSTIME) != 0;
        error = process_timer_set((int32_t)arguments[0], absolute, &set, &old);
    }
    return error == 0 && arguments[3] != 0 ? setting_to_user(arguments[3], &old) : error;
}

int64_t sys_timer_gettime(const uint64_t arguments[6])
{
    struct timer_setting now;
    int error = process_timer_get((int32_t)arguments[0], &now);
    return error != 0 ? error : setting_to_user(arguments[1], &now);
}

int64_t sys_timer_getoverrun(const uint64_t arguments[6])
{
    return process_timer_overrun((int32_t)arguments[0]);
}

int64_t sys_timer_delete(const uint64_t arguments[6])
{
    return process_timer_delete((int32_t)arguments[0]);
}
