#include "kernel/time/clock_timer.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/sched.h"

static uint64_t expiries;

static void count(struct clock_timer *timer)
{
    (void)atomic_add(&expiries, 1);
}

static void set(struct clock_timer *timer, enum clock_source source, uint64_t expiry_ns, uint64_t interval_ns)
{
    uint64_t left, interval;
    clock_timer_set(timer, &(struct clock_timer_setting){source, expiry_ns != 0, expiry_ns, interval_ns}, false, &left,
                    &interval);
}

static bool wait_for(uint64_t wanted)
{
    uint64_t end = timer_now() + 2000000000;
    while (load_acquire(&expiries) < wanted && timer_now() < end) {
        thread_sleep_until(timer_now() + 100000);
    }
    return load_acquire(&expiries) >= wanted;
}

// However short its interval: what nobody has heard of costs nothing, and is counted when somebody does.
TEST(clock_timer, expires_once_until_it_is_heard)
{
    struct clock_timer timer;
    uint64_t left, interval, start = timer_now();
    expiries = 0;
    clock_timer_init(&timer, NULL, NULL, SOURCE_STEADY, 0, count);
    set(&timer, SOURCE_STEADY, start + 100000, 1000);
    bool came = wait_for(1);
    thread_sleep_until(timer_now() + 500000);
    uint64_t unheard = load_acquire(&expiries), now = timer_now();
    uint64_t overruns = clock_timer_go_on(&timer, true), after = timer_now();
    bool again = wait_for(2);
    clock_timer_get(&timer, true, &left, &interval);
    clock_timer_end(&timer);
    EXPECT(came && again);
    EXPECT_EQ(unheard, 1);
    EXPECT(overruns >= (now - start - 100000) / 1000 && overruns <= (after - start - 100000) / 1000);
    EXPECT(interval == 1000 && left > 0 && left <= 1000);
    EXPECT_SOUND(sched_check());
}

TEST(clock_timer, an_interval_without_end_comes_once)
{
    struct clock_timer timer;
    uint64_t left, interval;
    expiries = 0;
    clock_timer_init(&timer, NULL, NULL, SOURCE_STEADY, 0, count);
    set(&timer, SOURCE_STEADY, timer_now() + 100000, UINT64_MAX - 1);
    bool came = wait_for(1);
    uint64_t overruns = clock_timer_go_on(&timer, true);
    thread_sleep_until(timer_now() + 500000);
    clock_timer_get(&timer, true, &left, &interval);
    clock_timer_end(&timer);
    EXPECT(came && overruns == 0);
    EXPECT_EQ(load_acquire(&expiries), 1);
    EXPECT(left > UINT64_MAX / 2);
}

TEST(clock_timer, winds_on_as_far_as_times_go)
{
    uint64_t expiry = 100;
    EXPECT_EQ(clock_wind_on(&expiry, 10, 99), 0);
    EXPECT_EQ(expiry, 100);
    EXPECT_EQ(clock_wind_on(&expiry, 10, 100), 1);
    EXPECT_EQ(expiry, 110);
    EXPECT_EQ(clock_wind_on(&expiry, 10, 135), 3);
    EXPECT_EQ(expiry, 140);
    EXPECT_EQ(clock_wind_on(&expiry, UINT64_MAX - 1, 1000), 1);
    EXPECT_EQ(expiry, UINT64_MAX - 1);
}

TEST(clock_timer, a_time_of_day_comes_with_a_jump)
{
    struct clock_timer timer;
    uint64_t left, interval, offset = clock_realtime_offset();
    expiries = 0;
    clock_timer_init(&timer, NULL, NULL, SOURCE_WALL, 0, count);
    uint64_t expiry = clock_now(CLOCK_REALTIME) + 3600 * NS_PER_SECOND;
    set(&timer, SOURCE_WALL, expiry, 0);
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

TEST(clock_timer, one_that_nobody_hears_is_counted_on_when_asked)
{
    struct clock_timer timer;
    uint64_t left, interval, start = timer_now();
    clock_timer_init(&timer, NULL, NULL, SOURCE_STEADY, 0, NULL);
    set(&timer, SOURCE_STEADY, start + 100000, NS_PER_SECOND);
    thread_sleep_until(start + 200000);
    clock_timer_get(&timer, true, &left, &interval);
    clock_timer_end(&timer);
    EXPECT(left > NS_PER_SECOND / 2 && left < NS_PER_SECOND);
    EXPECT_EQ(interval, NS_PER_SECOND);
}
