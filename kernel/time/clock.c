#include "kernel/time/clock.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/sync/context.h"
#include "kernel/sync/waitq.h"

static struct {
    struct spinlock lock; // covers watches, and the offset to change
    uint64_t offset_ns;
    struct list watches;
    struct wait_queue sleepers; // until a time of day
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

static void set_offset(uint64_t offset_ns)
{
    irqflags_t flags = spin_lock(&wall.lock);
    WRITE_ONCE(wall.offset_ns, offset_ns);
    list_for_each(at, &wall.watches)
    {
        struct clock_watch *watch = container_of(at, struct clock_watch, link);
        watch->changed(watch);
    }
    spin_unlock(&wall.lock, flags);
    flags = spin_lock(&wall.sleepers.lock);
    (void)wait_queue_wake_all(&wall.sleepers);
    spin_unlock(&wall.sleepers.lock, flags);
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
    list_push_back(&wall.watches, &watch->link);
    spin_unlock(&wall.lock, flags);
}

void clock_watch_remove(struct clock_watch *watch)
{
    irqflags_t flags = spin_lock(&wall.lock);
    list_remove(&watch->link);
    spin_unlock(&wall.lock, flags);
}

int clock_sleep(int clockid, uint64_t until_ns)
{
    bool jumps = clock_is_wall(clockid);
    int error = 0;
    context_may_sleep();
    irqflags_t flags = spin_lock(&wall.sleepers.lock);
    while (error != -EINTR) { // with the lock: a jump from here on wakes us
        uint64_t offset = jumps ? clock_realtime_offset() : 0;
        uint64_t deadline = until_ns > offset ? min_u64(until_ns - offset, UINT64_MAX - 1) : 0;
        if (timer_now() >= deadline) {
            break;
        }
        error = wait_queue_sleep_interruptible(&wall.sleepers, &flags, deadline);
    }
    spin_unlock(&wall.sleepers.lock, flags);
    return error == -EINTR ? -EINTR : 0;
}
