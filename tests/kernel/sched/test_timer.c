#include "kernel/sched/timer.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"

#define MANY 1000u

static struct {
    struct timer timer;
    uint64_t fired_ns;
    uint32_t count, wanted;
} one;

static uint32_t fired, out_of_order;
static uint64_t last_ns;

static void count(struct timer *timer)
{
    out_of_order += timer->deadline_ns < last_ns || timer->deadline_ns > timer_now();
    last_ns = timer->deadline_ns;
    atomic_add(&fired, 1);
}

static void fire_again(struct timer *timer)
{
    one.fired_ns = timer_now();
    if (atomic_add(&one.count, 1) + 1 < READ_ONCE(one.wanted)) {
        timer_start(timer, one.fired_ns + 20000);
    }
}

static void start_one(uint64_t deadline_ns, uint32_t wanted)
{
    one.count = 0;
    one.wanted = wanted;
    timer_init(&one.timer, fire_again);
    timer_start(&one.timer, deadline_ns);
}

static bool wait_for(const uint32_t *word, uint32_t wanted)
{
    uint64_t end = timer_now() + 2000000000;
    while (load_acquire(word) < wanted && timer_now() < end) {
        thread_sleep_until(timer_now() + 100000);
    }
    return load_acquire(word) == wanted;
}

TEST(timer, fires_once_and_not_before)
{
    uint64_t deadline = timer_now() + 1000000;
    start_one(deadline, 1);
    EXPECT(wait_for(&one.count, 1));
    EXPECT(one.fired_ns >= deadline);
    EXPECT(!timer_cancel(&one.timer));
    thread_sleep_until(timer_now() + 300000);
    EXPECT_EQ(one.count, 1);
}

TEST(timer, may_start_itself_again)
{
    start_one(timer_now() + 10000, 10);
    EXPECT(wait_for(&one.count, 10));
    EXPECT(!timer_cancel(&one.timer));
    EXPECT_SOUND(sched_check());
}

TEST(timer, a_cancelled_one_stays_away_and_a_moved_one_comes_later)
{
    start_one(timer_now() + 1000000000, 1);
    EXPECT(timer_cancel(&one.timer));
    EXPECT(!timer_cancel(&one.timer));
    irqflags_t flags = irq_save(); // however long the machine stands still, the first does not fire
    timer_start(&one.timer, timer_now() + 500000);
    uint64_t later = timer_now() + 2000000;
    timer_start(&one.timer, later);
    irq_restore(flags);
    EXPECT(wait_for(&one.count, 1));
    EXPECT(one.fired_ns >= later);
    timer_start(&one.timer, timer_now() + 1000000000);
    later = timer_now() + 500000;
    timer_start(&one.timer, later); // and sooner
    EXPECT(wait_for(&one.count, 2));
    EXPECT(one.fired_ns >= later && one.fired_ns < later + 900000000);
    timer_start(&one.timer, 0); // long past
    EXPECT(wait_for(&one.count, 3));
}

TEST(timer, many_fire_in_order)
{
    void *memory;
    EXPECT_EQ(kmalloc(MANY * sizeof(struct timer), &memory), 0);
    struct timer *timers = memory;
    fired = out_of_order = 0;
    last_ns = 0;
    irqflags_t flags = irq_save(); // all on this CPU
    uint64_t from = timer_now() + 100000;
    for (uint32_t i = 0; i < MANY; i++) {
        timer_init(&timers[i], count);
        timer_start(&timers[i], from + i * 7919 % MANY * 1000);
    }
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < MANY; i += 3) {
        cancelled += timer_cancel(&timers[i]);
    }
    irq_restore(flags);
    const char *broken = sched_check();
    bool all = wait_for(&fired, MANY - cancelled);
    kfree(memory);
    EXPECT_SOUND(broken);
    EXPECT(all);
    EXPECT_EQ(cancelled, (MANY + 2) / 3);
    EXPECT_EQ(out_of_order, 0);
}

// One that starts and cancels, against the clock and against another of its kind.
static struct {
    struct timer timer;
    uint32_t fired, after_cancel;
    bool cancelled; // by the only one who starts it
} raced;

static void note(struct timer *timer)
{
    atomic_add(&raced.fired, 1);
    atomic_add(&raced.after_cancel, (uint32_t)load_acquire(&raced.cancelled));
}

static void start_and_cancel(void *argument)
{
    for (unsigned i = 0; i < 300; i++) {
        store_release(&raced.cancelled, false);
        timer_start(&raced.timer, timer_now() + i % 5 * 700);
        for (unsigned spins = i % 11; spins > 0; spins--) {
            cpu_relax();
        }
        (void)timer_cancel(&raced.timer);
        store_release(&raced.cancelled, true);
        if (i % 8 == 0) {
            thread_yield(); // may go on elsewhere
        }
    }
}

TEST(timer, none_fires_after_its_cancel)
{
    struct thread *thread;
    raced.fired = raced.after_cancel = 0;
    timer_init(&raced.timer, note);
    EXPECT_EQ(thread_create("timer", start_and_cancel, NULL, &thread), 0);
    EXPECT_EQ(thread_join(thread), 0);
    EXPECT_EQ(raced.after_cancel, 0);
    EXPECT_SOUND(sched_check());
}

static void start_only(void *argument)
{
    for (unsigned i = 0; i < 200; i++) {
        timer_start(&raced.timer, timer_now() + (i % 3 != 0 ? 2000 : 900000000));
        cpu_relax();
        if (i % 4 == 0) {
            (void)timer_cancel(&raced.timer);
        }
    }
}

TEST(timer, several_may_start_and_cancel_one)
{
    struct thread *threads[3];
    raced.fired = 0;
    raced.cancelled = false;
    timer_init(&raced.timer, note);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_create("timer", start_only, NULL, &threads[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_join(threads[i]), 0);
    }
    (void)timer_cancel(&raced.timer);
    uint32_t before = raced.fired;
    thread_sleep_until(timer_now() + 1000000);
    EXPECT_EQ(raced.fired, before);
    EXPECT(!timer_cancel(&raced.timer));
    EXPECT_SOUND(sched_check());
}

// How many fire in one interrupt: in the next one, whoever runs has had another tick.
static struct {
    uint32_t fired, row, longest;
    const struct thread *interrupted;
    uint64_t tick;
} rows;

static void note_row(struct timer *timer)
{
    const struct thread *current = this_cpu()->queue.current;
    uint64_t tick = current->kernel_ticks + current->user_ticks;
    rows.row = rows.interrupted == current && rows.tick == tick ? rows.row + 1 : 1;
    rows.longest = rows.row > rows.longest ? rows.row : rows.longest;
    rows.interrupted = current;
    rows.tick = tick;
    atomic_add(&rows.fired, 1);
}

TEST(timer, many_at_once_leave_time_to_others)
{
    void *memory;
    EXPECT_EQ(kmalloc(MANY * sizeof(struct timer), &memory), 0);
    struct timer *timers = memory;
    rows.fired = rows.row = rows.longest = 0;
    irqflags_t flags = irq_save(); // all of them on this CPU
    for (unsigned i = 0; i < MANY; i++) {
        timer_init(&timers[i], note_row);
        timer_start(&timers[i], 1);
    }
    irq_restore(flags);
    bool came = wait_for(&rows.fired, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        (void)timer_cancel(&timers[i]);
    }
    kfree(timers);
    EXPECT(came);
    EXPECT(rows.longest > 0 && rows.longest <= 64);
}
