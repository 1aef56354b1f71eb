#include "kernel/time/clock_timer.h"

#include "kernel/base/atomic.h"
#include "kernel/proc/process.h"
#include "kernel/proc/task.h"
#include "kernel/time/cputime.h"

#define SOONEST_NS 50000u    // between two expiries: what falls in between counts as overrun
#define CPU_LOOK_NS 1000000u // a clock that may stand still is looked at no more often

uint64_t clock_source_now(const struct clock_timer *timer, enum clock_source source)
{
    switch (source) {
    case SOURCE_WALL:
        return timer_now() + clock_realtime_offset();
    case SOURCE_PROCESS:
        return process_runtime(timer->process);
    case SOURCE_PROCESS_USER:
        return process_usage(timer->process).user_ns;
    case SOURCE_THREAD:
        return cputime_of_task(timer->process, timer->tid);
    default:
        return timer_now();
    }
}

// When to look whether it has expired, on the machine's clock. Of a process's clocks only this is sure: as many CPUs
// as there are can make them run so many times as fast, and when nobody runs they stand still.
static uint64_t look_at(const struct clock_timer *timer, uint64_t now)
{
    uint64_t left = timer->expiry_ns > now ? timer->expiry_ns - now : 0, at;
    if (timer->source >= SOURCE_PROCESS) {
        uint64_t threads = READ_ONCE(timer->process->task_count);
        left = max_u64(left / min_u64(max_u64(threads, 1), MAX_CPUS), CPU_LOOK_NS);
    }
    return add_fits(timer_now(), left, &at) ? min_u64(at, UINT64_MAX - 1) : UINT64_MAX - 1;
}

// With the lock; it has expired at least once. How often.
static uint64_t wind_on(struct clock_timer *timer, uint64_t now)
{
    if (timer->interval_ns == 0) {
        timer->armed = false;
        return 1;
    }
    uint64_t times = 1 + (now - timer->expiry_ns) / timer->interval_ns;
    timer->expiry_ns += times * timer->interval_ns;
    return times;
}

static void fire(struct timer *base)
{
    struct clock_timer *timer = container_of(base, struct clock_timer, timer);
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source)),
             times = 0; // before the lock: it may take the family's
    spin_lock_raw(&timer->lock);
    if (timer->armed && now >= timer->expiry_ns) {
        times = wind_on(timer, now);
    }
    if (timer->armed) {
        timer_start(&timer->timer, max_u64(look_at(timer, now), timer_now() + (times > 0 ? SOONEST_NS : 0)));
    }
    spin_unlock_raw(&timer->lock);
    if (times > 0) {
        timer->expired(timer, times);
    }
}

// The time of day has jumped: it is looked at anew.
static void changed(struct clock_watch *watch)
{
    timer_start(&container_of(watch, struct clock_timer, watch)->timer, 0);
}

void clock_timer_init(struct clock_timer *timer, struct process *process, enum clock_source source, int32_t tid,
                      void (*expired)(struct clock_timer *timer, uint64_t times))
{
    *timer =
        (struct clock_timer){.process = process, .made_for = source, .source = source, .tid = tid, .expired = expired};
    timer_init(&timer->timer, fire);
    spin_init(&timer->lock, "clock timer", RANK_CLOCK);
    if (source == SOURCE_WALL) {
        clock_watch_add(&timer->watch, changed);
    }
}

void clock_timer_end(struct clock_timer *timer)
{
    if (timer->made_for == SOURCE_WALL) {
        clock_watch_remove(&timer->watch);
    }
    irqflags_t flags = spin_lock(&timer->lock);
    timer->armed = false;
    spin_unlock(&timer->lock, flags);
    (void)timer_cancel(&timer->timer);
}

static uint64_t left_at(const struct clock_timer *timer, uint64_t now)
{
    if (!timer->armed) {
        return 0;
    }
    return timer->expiry_ns > now ? timer->expiry_ns - now : 1; // about to
}

void clock_timer_set(struct clock_timer *timer, enum clock_source source, bool arm, uint64_t expiry_ns,
                     uint64_t interval_ns, uint64_t *left_ns, uint64_t *interval_before_ns)
{
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source));
    irqflags_t flags = spin_lock(&timer->lock);
    *left_ns = left_at(timer, now);
    *interval_before_ns = timer->interval_ns;
    timer->source = source;
    timer->armed = arm;
    timer->expiry_ns = expiry_ns;
    timer->interval_ns = interval_ns;
    if (arm) {
        timer_start(&timer->timer, 0); // looks when that is
    }
    spin_unlock(&timer->lock, flags);
    if (!arm) {
        (void)timer_cancel(&timer->timer);
    }
}

void clock_timer_get(struct clock_timer *timer, bool quiet, uint64_t *left_ns, uint64_t *interval_ns)
{
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source));
    irqflags_t flags = spin_lock(&timer->lock);
    if (quiet && timer->armed && now >= timer->expiry_ns) {
        (void)wind_on(timer, now);
    }
    *left_ns = left_at(timer, now);
    *interval_ns = timer->interval_ns;
    spin_unlock(&timer->lock, flags);
}
