#include "kernel/time/clock.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/sync/context.h"
#include "kernel/sync/waitq.h"

#define AT_ONCE 32u // are told of a jump while interrupts are off

static struct {
    struct spinlock lock; // covers watches and jumps, and the offset to change
    uint64_t offset_ns, jumps;
    struct list watches;        // those that have not heard of the last jump come first
    struct wait_queue sleepers; // until a time of day; its lock covers sleeping, too
    uint32_t sleeping;
} wall = {.lock = SPINLOCK_INIT("clock", RANK_CLOCK),
          .watches = {&wall.watches, &wall.watches},
          .sleepers = {.lock = SPINLOCK_INIT("clock sleepers", RANK_WAIT_QUEUE),
                       .waiters = {&wall.sleepers.waiters, &wall.sleepers.waiters}}};

uint64_t clock_realtime_offset(void)
{
    return READ_ONCE(wall.offset_ns);
}

bool clock_is_wall(int clockid)
{
    return clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_COARSE || clockid == CLOCK_TAI;
}

uint64_t clock_now(int clockid)
{
    uint64_t now = timer_now();
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_TAI: // nobody has told us of leap seconds
        return now + clock_realtime_offset();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        return now;
    case CLOCK_REALTIME_COARSE:
        return now - now % CLOCK_COARSE_NS + clock_realtime_offset();
    case CLOCK_MONOTONIC_COARSE:
        return now - now % CLOCK_COARSE_NS;
    default:
        return 0;
    }
}

uint64_t clock_wind_on(uint64_t *expiry_ns, uint64_t interval_ns, uint64_t now)
{
    if (now < *expiry_ns) {
        return 0;
    }
    uint64_t more = (now - *expiry_ns) / interval_ns;
    *expiry_ns += more * interval_ns; // at most now
    if (!add_fits(*expiry_ns, interval_ns, expiry_ns)) {
        *expiry_ns = UINT64_MAX - 1;
    }
    return more + 1;
}

// Some of those that have not heard of the last jump. True: there are more.
static bool tell_watches(void)
{
    bool more = true;
    irqflags_t flags = spin_lock(&wall.lock);
    for (unsigned told = 0; told < AT_ONCE && more; told++) {
        struct clock_watch *watch = list_first(&wall.watches, struct clock_watch, link);
        more = !list_empty(&wall.watches) && watch->heard != wall.jumps;
        if (more) {
            watch->heard = wall.jumps;
            list_remove(&watch->link);
            list_push_back(&wall.watches, &watch->link);
            watch->changed(watch);
        }
    }
    spin_unlock(&wall.lock, flags);
    return more;
}

// Some of those that sleep, of left that did. How many are left.
static uint32_t wake_sleepers(uint32_t left)
{
    irqflags_t flags = spin_lock(&wall.sleepers.lock);
    for (unsigned woken = 0; woken < AT_ONCE && left > 0; woken++) {
        left = wait_queue_wake_one(&wall.sleepers) != NULL ? left - 1 : 0;
    }
    spin_unlock(&wall.sleepers.lock, flags);
    return left;
}

static void set_offset(uint64_t offset_ns)
{
    irqflags_t flags = spin_lock(&wall.lock);
    WRITE_ONCE(wall.offset_ns, offset_ns);
    wall.jumps++;
    spin_unlock(&wall.lock, flags);
    while (tell_watches()) {
    }
    flags = spin_lock(&wall.sleepers.lock);
    uint32_t left = wall.sleeping;
    spin_unlock(&wall.sleepers.lock, flags);
    while (left > 0) { // who comes later has seen the new time
        left = wake_sleepers(left);
    }
}

// Leaves the machine thirty years until the time of day is more than 63 bits of nanoseconds, as on Linux: no sum of
// the two clocks wraps.
#define REALTIME_MAX_NS ((INT64_MAX / NS_PER_SECOND - 30ull * 365 * 24 * 3600) * NS_PER_SECOND)

int clock_set(uint64_t realtime_ns)
{
    uint64_t now = timer_now();
    if (realtime_ns < now || realtime_ns >= REALTIME_MAX_NS) {
        return -EINVAL;
    }
    set_offset(realtime_ns - now);
    return 0;
}

void clock_set_at_boot(uint64_t realtime_ns)
{
    uint64_t now = timer_now();
    WRITE_ONCE(wall.offset_ns, realtime_ns > now ? realtime_ns - now : 0);
}

void clock_watch_add(struct clock_watch *watch, void (*changed)(struct clock_watch *watch))
{
    watch->changed = changed;
    irqflags_t flags = spin_lock(&wall.lock);
    watch->heard = wall.jumps;
    list_push_back(&wall.watches, &watch->link);
    spin_unlock(&wall.lock, flags);
}

void clock_watch_remove(struct clock_watch *watch)
{
    irqflags_t flags = spin_lock(&wall.lock);
    list_remove(&watch->link);
    spin_unlock(&wall.lock, flags);
}

// Until the machine's time is until_ns: nobody else has to do with it.
static int sleep_steadily(uint64_t until_ns)
{
    struct wait_queue nobody_wakes;
    int error = 0;
    wait_queue_init(&nobody_wakes, "sleep");
    irqflags_t flags = spin_lock(&nobody_wakes.lock);
    while (error != -EINTR && timer_now() < until_ns) {
        error = wait_queue_sleep_interruptible(&nobody_wakes, &flags, until_ns);
    }
    spin_unlock(&nobody_wakes.lock, flags);
    return error == -EINTR ? -EINTR : 0;
}

int clock_sleep(int clockid, uint64_t until_ns)
{
    int error = 0;
    context_may_sleep();
    until_ns = min_u64(until_ns, UINT64_MAX - 1);
    if (!clock_is_wall(clockid)) {
        return sleep_steadily(until_ns);
    }
    irqflags_t flags = spin_lock(&wall.sleepers.lock);
    wall.sleeping++;
    while (error != -EINTR) { // with the lock: a jump from here on wakes us
        uint64_t offset = clock_realtime_offset();
        uint64_t deadline = until_ns > offset ? until_ns - offset : 0;
        if (timer_now() >= deadline) {
            break;
        }
        error = wait_queue_sleep_interruptible(&wall.sleepers, &flags, deadline);
    }
    wall.sleeping--;
    spin_unlock(&wall.sleepers.lock, flags);
    return error == -EINTR ? -EINTR : 0;
}
