// The timers of a process. Source: setitimer(2), timer_create(2), timer_settime(2), timer_getoverrun(2).
// Task context unless said otherwise; of the current process.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/proc/signal.h"
#include "kernel/sync/mutex.h"
#include "kernel/time/clock_timer.h"

#define ITIMER_REAL 0u
#define ITIMER_VIRTUAL 1u
#define ITIMER_PROF 2u
#define INTERVAL_TIMERS 3u

struct process_timers {
    struct mutex lock; // covers the rest
    bool intervals_used;
    struct clock_timer intervals[INTERVAL_TIMERS];
    struct cpu_timers cpu; // has a lock of its own
    struct tree by_id;
    uint32_t count;
    int32_t next_id;
};

void process_timers_init(struct process_timers *timers);
void process_timers_exec(struct process *process); // execve(2): timer_create()'s go
void process_timers_end(struct process *process);  // all go, and none of their signals is queued any more
void process_timers_tick(void);                    // the current task's: timers on clocks of processor time
// A signal has been taken, without a lock by now: the timer that sent it goes on. A timer's signal then tells how often
// it has expired meanwhile.
void process_timers_taken(struct signal_info *info);
// The signal is ignored no more: timers that have sent it in vain go on.
void process_timers_heard(int signal);

struct timer_setting {
    uint64_t value_ns, interval_ns; // value 0: not armed
};
// set NULL: only asks. which below INTERVAL_TIMERS.
void interval_timer(unsigned which, const struct timer_setting *set, struct timer_setting *old);

struct timer_event { // struct sigevent
    bool quiet;      // SIGEV_NONE
    int signal;
    int32_t tid; // to that thread; 0: the process
    uint64_t value;
    bool value_is_id;
};
// -EINVAL: no such clock; -EOPNOTSUPP: one without timers; -EAGAIN: more than RLIMIT_SIGPENDING of the
// user, no memory.
[[nodiscard]] int process_timer_create(int clockid, const struct timer_event *event, int32_t *id);
// The rest: -EINVAL: no such timer.
[[nodiscard]] int process_timer_set(int32_t id, bool absolute, const struct timer_setting *set,
                                    struct timer_setting *old);
[[nodiscard]] int process_timer_get(int32_t id, struct timer_setting *now);
[[nodiscard]] int process_timer_overrun(int32_t id); // expiries that the last signal told beside its own
[[nodiscard]] int process_timer_delete(int32_t id);
