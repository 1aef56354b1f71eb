#include "kernel/time/clock_timer.h"

#include "kernel/base/atomic.h"
#include "kernel/proc/process.h"
#include "kernel/proc/task.h"
#include "kernel/time/cputime.h"

#define SOONEST_NS 50000u // from being started again to the next expiry: what falls in between counts as overrun

void cpu_timers_init(struct cpu_timers *timers)
{
    *timers = (struct cpu_timers){0};
    spin_init(&timers->lock, "processor timers", RANK_CLOCK);
}

static uint64_t source_now(struct process *process, int32_t tid, enum clock_source source)
{
    switch (source) {
    case SOURCE_WALL:
        return timer_now() + clock_realtime_offset();
    case SOURCE_PROCESS:
        return process_runtime(process);
    case SOURCE_PROCESS_USER:
        return process_usage(process).user_ns;
    case SOURCE_THREAD:
        return cputime_of_task(process, tid);
    default:
        return timer_now();
    }
}

uint64_t clock_source_now(const struct clock_timer *timer, enum clock_source source)
{
    return source_now(timer->process, timer->tid, source);
}

static irqflags_t lock(struct clock_timer *timer) NO_LOCK_ANALYSIS
{
    return spin_lock(timer->cpu != NULL ? &timer->cpu->lock : &timer->lock);
}

static void unlock(struct clock_timer *timer, irqflags_t flags) NO_LOCK_ANALYSIS
{
    spin_unlock(timer->cpu != NULL ? &timer->cpu->lock : &timer->lock, flags);
}

// --- clocks of processor time: a tree of those that are armed, with its lock
// ------------------------------------------

static struct clock_timer *timer_at(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct clock_timer, by_expiry) : NULL;
}

// The clocks of a process: what its threads have run (by number), what it has, and what it has in user space.
static int32_t clock_of(enum clock_source source, int32_t tid)
{
    return source == SOURCE_THREAD ? tid : source == SOURCE_PROCESS ? 0 : -1;
}

static bool is_after(const struct clock_timer *timer, int32_t clock, uint64_t expiry_ns)
{
    int32_t own = clock_of(timer->made_for, timer->tid);
    return own != clock ? own > clock : timer->expiry_ns > expiry_ns;
}

static void plant(struct cpu_timers *timers, struct clock_timer *timer)
{
    struct tree_node *parent = NULL, *at = timers->tree.root;
    int32_t clock = clock_of(timer->made_for, timer->tid);
    unsigned side = 0;
    while (at != NULL) {
        parent = at;
        side = !is_after(timer_at(at), clock, timer->expiry_ns);
        at = at->child[side];
    }
    tree_insert(&timers->tree, &timer->by_expiry, parent, side);
    WRITE_ONCE(timers->count, timers->count + 1);
}

static void pull(struct cpu_timers *timers, struct clock_timer *timer)
{
    tree_remove(&timers->tree, &timer->by_expiry);
    WRITE_ONCE(timers->count, timers->count - 1);
}

// The first to expire on that clock, or NULL.
static struct clock_timer *first_on(const struct cpu_timers *timers, int32_t clock)
{
    struct clock_timer *first = NULL;
    struct tree_node *at = timers->tree.root;
    while (at != NULL) {
        struct clock_timer *timer = timer_at(at);
        bool from_here = clock_of(timer->made_for, timer->tid) >= clock;
        first = from_here ? timer : first;
        at = at->child[!from_here];
    }
    return first != NULL && clock_of(first->made_for, first->tid) == clock ? first : NULL;
}

// --- one timer, with its lock ----------------------------------------------------------------------------------------

// When to look whether it has expired, on the machine's clock.
static uint64_t look_at(const struct clock_timer *timer, uint64_t now)
{
    uint64_t left = timer->expiry_ns > now ? timer->expiry_ns - now : 0, at;
    return add_fits(timer_now(), left, &at) ? min_u64(at, UINT64_MAX - 1) : UINT64_MAX - 1;
}

// One that nobody hears of needs nothing that runs.
static void arm(struct clock_timer *timer, uint64_t look_ns)
{
    timer->armed = true;
    timer->lapsed = false;
    if (timer->expired != NULL && timer->cpu != NULL) {
        plant(timer->cpu, timer);
    } else if (timer->expired != NULL) {
        timer_start(&timer->timer, look_ns);
    }
}

static void disarm(struct clock_timer *timer)
{
    if (timer->armed && timer->expired != NULL && timer->cpu != NULL) {
        pull(timer->cpu, timer);
    }
    timer->armed = false;
}

static void expire(struct clock_timer *timer)
{
    disarm(timer);
    timer->lapsed = timer->interval_ns != 0;
    timer->passed = 0;
}

static void wind_on(struct clock_timer *timer, uint64_t now)
{
    timer->passed += clock_wind_on(&timer->expiry_ns, timer->interval_ns, now);
}

static uint64_t left_at(struct clock_timer *timer, bool counts_on, uint64_t now)
{
    if (counts_on && timer->armed && timer->expired == NULL && now >= timer->expiry_ns) {
        expire(timer);
    }
    if (counts_on && timer->lapsed) {
        wind_on(timer, now);
        return timer->expiry_ns - now;
    }
    if (!timer->armed) {
        return 0;
    }
    return timer->expiry_ns > now ? timer->expiry_ns - now : 1; // about to
}

// --- from outside ----------------------------------------------------------------------------------------------------

static void fire(struct timer *base)
{
    struct clock_timer *timer = container_of(base, struct clock_timer, timer);
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source));
    spin_lock_raw(&timer->lock);
    bool due = timer->armed && now >= timer->expiry_ns;
    if (due) {
        expire(timer);
    } else if (timer->armed) { // the time of day has been set back
        timer_start(&timer->timer, look_at(timer, now));
    }
    spin_unlock_raw(&timer->lock);
    if (due) {
        timer->expired(timer);
    }
}

// The time of day has jumped: it is looked at anew.
static void changed(struct clock_watch *watch)
{
    timer_start(&container_of(watch, struct clock_timer, watch)->timer, 0);
}

void clock_timer_init(struct clock_timer *timer, struct process *process, struct cpu_timers *cpu,
                      enum clock_source source, int32_t tid, void (*expired)(struct clock_timer *timer))
{
    *timer = (struct clock_timer){.process = process,
                                  .cpu = source >= SOURCE_PROCESS ? cpu : NULL,
                                  .made_for = source,
                                  .source = source,
                                  .tid = tid,
                                  .expired = expired};
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
    irqflags_t flags = lock(timer);
    disarm(timer);
    timer->lapsed = false;
    unlock(timer, flags);
    (void)timer_cancel(&timer->timer);
}

void clock_timer_set(struct clock_timer *timer, const struct clock_timer_setting *set, bool counts_on,
                     uint64_t *left_ns, uint64_t *interval_ns)
{
    uint64_t before = clock_source_now(timer, READ_ONCE(timer->source)); // before the lock: it may take the family's
    uint64_t now = set->source == timer->source ? before : clock_source_now(timer, set->source);
    irqflags_t flags = lock(timer);
    *left_ns = left_at(timer, counts_on, before);
    *interval_ns = timer->interval_ns;
    disarm(timer);
    timer->lapsed = false;
    timer->passed = 0;
    timer->source = set->source;
    timer->expiry_ns = min_u64(set->expiry_ns, UINT64_MAX - 1);
    timer->interval_ns = set->interval_ns;
    if (set->arm) {
        arm(timer, look_at(timer, now));
    }
    unlock(timer, flags);
    if (!set->arm) {
        (void)timer_cancel(&timer->timer);
    }
}

void clock_timer_get(struct clock_timer *timer, bool counts_on, uint64_t *left_ns, uint64_t *interval_ns)
{
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source));
    irqflags_t flags = lock(timer);
    *left_ns = left_at(timer, counts_on, now);
    *interval_ns = timer->interval_ns;
    unlock(timer, flags);
}

uint64_t clock_timer_go_on(struct clock_timer *timer, bool told)
{
    uint64_t now = clock_source_now(timer, READ_ONCE(timer->source)), overruns = 0;
    irqflags_t flags = lock(timer);
    if (timer->lapsed) {
        wind_on(timer, now);
        arm(timer, max_u64(look_at(timer, now), timer_now() + SOONEST_NS));
        overruns = timer->passed > 0 ? timer->passed - 1 : 0; // beside the one that was heard of
        timer->passed = told ? 0 : timer->passed;
    }
    unlock(timer, flags);
    return overruns;
}

static void tick_clock(struct process *process, struct cpu_timers *timers, enum clock_source source, int32_t tid)
{
    uint64_t now = 0;
    bool known = false;
    for (;;) {
        irqflags_t flags = spin_lock(&timers->lock);
        struct clock_timer *timer = first_on(timers, clock_of(source, tid));
        bool due = known && timer != NULL && timer->expiry_ns <= now;
        if (due) {
            expire(timer);
        }
        spin_unlock(&timers->lock, flags);
        if (due) {
            timer->expired(timer);
        } else if (known || timer == NULL) {
            return;
        } else { // without the lock: it may take the family's
            now = source_now(process, tid, source);
            known = true;
        }
    }
}

void clock_timers_tick(struct process *process, struct cpu_timers *timers, int32_t tid)
{
    tick_clock(process, timers, SOURCE_PROCESS, 0);
    tick_clock(process, timers, SOURCE_PROCESS_USER, 0);
    if (tid != 0) {
        tick_clock(process, timers, SOURCE_THREAD, tid);
    }
}
