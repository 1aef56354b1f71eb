#include "kernel/time/clock_timer.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/sched.h"

static uint64_t expiries;

static void count(struct clock_timer *timer, uint64_t times)
{
    (void)atomic_add(&expiries, times);
}

static bool wait_for(uint64_t wanted)
{
    uint64_t end = timer_now() + 2000000000;
    while (load_acquire(&expiries) < wanted && timer_now() < end) {
        thread_sleep_until(timer_now() + 100000);
    }
    return load_acquire(&expiries) >= wanted;
}

TEST(clock_timer, counts_every_interval)
{
    struct clock_timer timer;
    uint64_t left, interval, start = timer_now();
    expiries = 0;
    clock_timer_init(&timer, NULL, SOURCE_STEADY, 0, count);
    clock_timer_set(&timer, SOURCE_STEADY, true, start + 100000, 1000, &left, &interval); // more often than it can fire
    bool came = wait_for(300);
    clock_timer_set(&timer, SOURCE_STEADY, false, 0, 0, &left, &interval);
    uint64_t seen = load_acquire(&expiries), elapsed = timer_now() - start;
    thread_sleep_until(timer_now() + 500000);
    bool quiet = load_acquire(&expiries) == seen;
    clock_timer_end(&timer);
    EXPECT(came && quiet);
    EXPECT_EQ(interval, 1000);
    EXPECT(seen <= elapsed / 1000 + 1);
    EXPECT_SOUND(sched_check());
}

TEST(clock_timer, a_time_of_day_comes_with_a_jump)
{
    struct clock_timer timer;
    uint64_t left, interval, offset = clock_realtime_offset();
    expiries = 0;
    clock_timer_init(&timer, NULL, SOURCE_WALL, 0, count);
    uint64_t expiry = clock_now(CLOCK_REALTIME) + 3600 * NS_PER_SECOND;
    clock_timer_set(&timer, SOURCE_WALL, true, expiry, 0, &left, &interval);
    thread_sleep_until(timer_now() + 500000);
    uint64_t early = load_acquire(&expiries);
    clock_timer_get(&timer, false, &left, &interval);
    int error = clock_set(expiry + NS_PER_SECOND);
    bool came = wait_for(1);
    (void)clock_set(timer_now() + offset);
    clock_timer_end(&timer);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(early, 0);
    EXPECT(left > 3599 * NS_PER_SECOND && left <= 3600 * NS_PER_SECOND);
    EXPECT(came);
}

TEST(clock_timer, a_quiet_one_is_wound_on_when_asked)
{
    struct clock_timer timer;
    uint64_t left, interval;
    expiries = 0;
    clock_timer_init(&timer, NULL, SOURCE_STEADY, 0, count);
    clock_timer_set(&timer, SOURCE_STEADY, true, timer_now() + 100000, NS_PER_SECOND, &left, &interval);
    EXPECT_EQ(left, 0);
    irqflags_t flags = irq_save(); // it does not fire
    uint64_t end = timer_now() + 200000;
    while (timer_now() < end) {
        cpu_relax();
    }
    irq_restore(flags);
    clock_timer_get(&timer, true, &left, &interval);
    clock_timer_end(&timer);
    EXPECT(left > NS_PER_SECOND - 2000000000 / 2 && left <= NS_PER_SECOND);
    EXPECT_EQ(interval, NS_PER_SECOND);
}
