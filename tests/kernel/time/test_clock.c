#include "kernel/time/clock.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/drivers/pl031.h"
#include "kernel/sched/thread.h"

// Puts the time of day back where it was.
static void restore(uint64_t offset_ns)
{
    (void)clock_set(timer_now() + offset_ns);
}

TEST(clock, time_of_day_is_an_offset)
{
    uint64_t offset = clock_realtime_offset();
    EXPECT_EQ(clock_set(0), -EINVAL); // before power-on
    EXPECT_EQ(clock_realtime_offset(), offset);
    EXPECT_EQ(clock_set(1700000000 * NS_PER_SECOND), 0);
    uint64_t day = clock_now(CLOCK_REALTIME), coarse = clock_now(CLOCK_REALTIME_COARSE);
    uint64_t steady = clock_now(CLOCK_MONOTONIC), after = timer_now();
    restore(offset);
    EXPECT(day >= 1700000000 * NS_PER_SECOND && day < 1700000001 * NS_PER_SECOND);
    EXPECT(coarse + CLOCK_COARSE_NS > day && coarse < 1700000001 * NS_PER_SECOND);
    EXPECT(steady <= after);
    EXPECT(clock_is_wall(CLOCK_TAI) && !clock_is_wall(CLOCK_BOOTTIME));
    EXPECT_EQ(clock_now(10), 0);
}

static uint32_t seen;

static void count(struct clock_watch *watch)
{
    atomic_add(&seen, 1);
}

TEST(clock, a_watch_sees_each_jump)
{
    struct clock_watch watch;
    uint64_t offset = clock_realtime_offset();
    seen = 0;
    clock_watch_add(&watch, count);
    restore(offset + NS_PER_SECOND);
    EXPECT_EQ(clock_set(0), -EINVAL);
    clock_watch_remove(&watch);
    restore(offset);
    EXPECT_EQ(seen, 1);
}

static uint32_t woken;

static void sleep_to_a_time_of_day(void *argument)
{
    int error = clock_sleep(CLOCK_REALTIME, *(uint64_t *)argument);
    (void)error;
    atomic_add(&woken, 1);
}

TEST(clock, sleepers_follow_the_time_of_day)
{
    uint64_t offset = clock_realtime_offset();
    uint64_t until = clock_now(CLOCK_REALTIME) + 3600 * NS_PER_SECOND;
    struct thread *thread;
    woken = 0;
    EXPECT_EQ(thread_create("sleeper", sleep_to_a_time_of_day, &until, &thread), 0);
    thread_sleep_until(timer_now() + 1000000);
    uint32_t early = load_acquire(&woken);
    restore(offset + 1800 * NS_PER_SECOND); // half way
    thread_sleep_until(timer_now() + 1000000);
    early += load_acquire(&woken);
    restore(offset + 3600 * NS_PER_SECOND);
    EXPECT_EQ(thread_join(thread), 0);
    restore(offset);
    EXPECT_EQ(early, 0);
    EXPECT_EQ(woken, 1);
}

TEST(clock, a_steady_sleep_is_long_enough)
{
    uint64_t until = timer_now() + 1000000;
    EXPECT_EQ(clock_sleep(CLOCK_MONOTONIC, until), 0);
    EXPECT(timer_now() >= until);
    EXPECT_EQ(clock_sleep(CLOCK_MONOTONIC, 0), 0);
}

TEST(clock, pl031_refuses_a_region_that_is_too_small)
{
    uint64_t seconds = 5;
    EXPECT_EQ(pl031_read(paddr(0x9010000), PAGE_SIZE - 1, &seconds), -EINVAL);
    EXPECT_EQ(seconds, 5);
}
