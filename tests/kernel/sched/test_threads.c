#include <hal/cpu.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/policy.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"

static struct mutex mutex;
static uint32_t counter;

static void count_up(void *argument)
{
    for (int i = 0; i < 200; i++) {
        mutex_lock(&mutex);
        uint32_t seen = counter;
        if (i % 16 == 0) {
            thread_yield();
        }
        counter = seen + 1;
        mutex_unlock(&mutex);
    }
}

TEST(sched, mutex_excludes)
{
    struct thread *threads[4];
    mutex_init(&mutex, "test");
    counter = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_create("count", count_up, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_join(threads[i]), 0);
    }
    EXPECT_EQ(counter, 800);
    EXPECT_SOUND(mutex_check(&mutex));
    EXPECT_SOUND(sched_check());
}

static void exit_with(void *argument)
{
    thread_exit(*(int *)argument);
}

TEST(sched, join_gives_the_exit_code)
{
    int code = 42;
    struct thread *thread;
    EXPECT_EQ(thread_create("exit", exit_with, &code, &thread), 0);
    EXPECT_EQ(thread_join(thread), 42);
}

TEST(sched, sleep_and_timeout_last_long_enough)
{
    uint64_t start = timer_now();
    thread_sleep_until(start + 2000000);
    EXPECT(timer_now() >= start + 2000000);
    struct semaphore never;
    semaphore_init(&never, 0);
    start = timer_now();
    EXPECT_EQ(semaphore_down_timeout(&never, start + 1000000), -ETIMEDOUT);
    EXPECT(timer_now() >= start + 1000000);
    EXPECT(!semaphore_try_down(&never));
    semaphore_up(&never);
    EXPECT_EQ(semaphore_down_timeout(&never, timer_now()), 0);
}

static void spin_until(void *flag)
{
    while (!load_acquire((bool *)flag)) {
        cpu_relax(); // where the simulated machine can interrupt
    }
}

// A thread that never yields must not keep another from running, on one CPU too.
TEST(sched, a_busy_thread_is_preempted)
{
    bool stop = false;
    struct thread *spinners[MAX_CPUS];
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        EXPECT_EQ(thread_create("spin", spin_until, &stop, &spinners[i]), 0);
    }
    thread_sleep_until(timer_now() + 1000000);
    store_release(&stop, true);
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        EXPECT_EQ(thread_join(spinners[i]), 0);
    }
}

// Deadlines and wake-ups at the same moment: whoever gives up must not have taken one along, and none may be lost.
static struct {
    struct semaphore tokens, done;
    uint32_t taken, given_up;
} race;

static void take_in_a_hurry(void *argument)
{
    uint64_t patience = (uint64_t)argument;
    for (unsigned i = 0; i < 100; i++) {
        int error = semaphore_down_timeout(&race.tokens, timer_now() + patience * (i % 7));
        atomic_add(error == 0 ? &race.taken : &race.given_up, 1);
    }
    semaphore_up(&race.done);
}

TEST(sched, deadlines_race_with_wakeups)
{
    static const uint64_t patiences[] = {0, 500, 3000, 20000, 100000};
    struct thread *takers[ARRAY_SIZE(patiences)];
    semaphore_init(&race.tokens, 0);
    semaphore_init(&race.done, 0);
    race.taken = race.given_up = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(takers); i++) {
        EXPECT_EQ(thread_create("hurry", take_in_a_hurry, (void *)patiences[i], &takers[i]), 0);
    }
    uint32_t given = 0;
    unsigned finished = 0;
    while (finished < ARRAY_SIZE(takers)) {
        semaphore_up(&race.tokens);
        given++;
        if (given % 3 == 0) {
            thread_yield();
        }
        cpu_relax(); // where the simulated machine lets another CPU go on
        finished += semaphore_try_down(&race.done);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(takers); i++) {
        EXPECT_EQ(thread_join(takers[i]), 0);
    }
    uint32_t left = 0;
    while (semaphore_try_down(&race.tokens)) {
        left++;
    }
    EXPECT_EQ(race.taken + race.given_up, 100 * ARRAY_SIZE(takers));
    EXPECT_EQ(race.taken + left, given);
    EXPECT(list_empty(&race.tokens.waiters.waiters));
    EXPECT_SOUND(sched_check());
}

static bool hogs_stop;

static void hog(void *argument)
{
    while (!READ_ONCE(hogs_stop)) {
        cpu_relax();
    }
}

#define HOGS_PER_CPU 3u

// Whatever CPU they began on: nobody waits behind a crowd while others have a CPU almost for themselves.
TEST(sched, equal_hogs_get_equal_shares)
{
    struct thread *hogs[HOGS_PER_CPU * MAX_CPUS];
    uint64_t before[HOGS_PER_CPU * MAX_CPUS], least = UINT64_MAX, most = 0;
    unsigned count = HOGS_PER_CPU * (unsigned)__builtin_popcount(sched_online_mask());
    hogs_stop = false;
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(thread_make("hog", hog, NULL, &hogs[i]), 0);
        thread_set_allowed(hogs[i], 1u << cpu_self());
        thread_start(hogs[i]); // all of them on one CPU
    }
    for (unsigned i = 0; i < count; i++) {
        WRITE_ONCE(hogs[i]->allowed, UINT32_MAX);
    }
    thread_sleep_until(timer_now() + 150000000);
    for (unsigned i = 0; i < count; i++) {
        before[i] = thread_runtime(hogs[i]);
    }
    thread_sleep_until(timer_now() + 900000000);
    for (unsigned i = 0; i < count; i++) {
        uint64_t share = thread_runtime(hogs[i]) - before[i];
        least = min_u64(least, share);
        most = max_u64(most, share);
    }
    WRITE_ONCE(hogs_stop, true);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(thread_join(hogs[i]), 0);
    }
    EXPECT(least > 0 && most <= least + least / 2);
    EXPECT_SOUND(sched_check());
}

// Two that are urgent begin on the same CPU; the others have less urgent work. Neither waits for the other's end.
TEST(sched, what_is_urgent_goes_where_less_urgent_work_runs)
{
    struct thread *hogs[2 * MAX_CPUS + 2] = {NULL};
    unsigned online = (unsigned)__builtin_popcount(sched_online_mask()), count = 2 * online + 2;
    if (online < 3) {
        return; // this thread needs one, too
    }
    hogs_stop = false;
    for (unsigned i = 0; i < count; i++) {
        bool is_urgent = i >= 2 * online;
        EXPECT_EQ(thread_make("hog", hog, NULL, &hogs[i]), 0);
        if (is_urgent) {
            hogs[i]->policy = (struct sched_policy){.kind = SCHED_FIFO, .priority = 10};
            WRITE_ONCE(hogs[i]->allowed, 2);
        }
        thread_start(hogs[i]);
        WRITE_ONCE(hogs[i]->allowed, UINT32_MAX);
    }
    thread_sleep_until(timer_now() + 200000000);
    uint64_t one = thread_runtime(hogs[count - 2]), other = thread_runtime(hogs[count - 1]);
    WRITE_ONCE(hogs_stop, true);
    for (unsigned i = 0; i < count; i++) {
        EXPECT_EQ(thread_join(hogs[i]), 0);
    }
    EXPECT(one > 0 && other > 0);
    EXPECT_SOUND(sched_check());
}
