// Who runs next on the simulated machine: what each way to decide promises, and that equal choices give equal runs.
#include "hal/host/machine.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/policy.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/semaphore.h"

#include <string.h>

#define STEPS 400u
#define THREADS 2u

static char trace[THREADS * STEPS + 1];
static uint32_t traced, ended;

// TSan is not to look: the trace is the schedule itself.
__attribute__((no_sanitize("thread"))) static void walk(void *argument)
{
    for (unsigned i = 0; i < STEPS; i++) {
        irqflags_t flags = irq_save();
        trace[traced++] = *(const char *)argument;
        irq_restore(flags); // a switch point
    }
    atomic_add(&ended, 1);
}

static void start(const char *name, unsigned cpu)
{
    struct thread *thread;
    EXPECT_EQ(thread_make("walk", walk, (void *)(uintptr_t)name, &thread), 0);
    thread_set_allowed(thread, 1u << cpu);
    thread_start(thread);
    thread_detach(thread);
}

// Two threads, each on a CPU of its own; how often the turn passed from one to the other.
__attribute__((no_sanitize("thread"))) static unsigned turns(enum machine_schedule mode, unsigned depth,
                                                             const uint8_t *choices, size_t size)
{
    traced = ended = 0;
    memset(trace, 0, sizeof(trace));
    thread_set_allowed(thread_current(), 1); // who waits is on the same CPU each time
    machine_choices(choices, size);
    machine_schedule(mode, depth);
    start("a", 0);
    start("b", 1);
    while (READ_ONCE(ended) < THREADS) {
        thread_sleep_until(timer_now() + 10000000);
    }
    machine_choices(NULL, 0);
    machine_schedule(MACHINE_CHOICES, 0);
    thread_set_allowed(thread_current(), UINT32_MAX);
    unsigned changes = 0;
    for (uint32_t i = 1; i < traced; i++) {
        changes += trace[i] != trace[i - 1];
    }
    return changes;
}

TEST(schedule, turns_alternate_without_choices)
{
    unsigned changes = turns(MACHINE_TURNS, 0, NULL, 0);
    EXPECT_EQ(traced, THREADS * STEPS);
    EXPECT(changes >= 4 && changes <= THREADS * STEPS / 16);
}

TEST(schedule, equal_choices_give_equal_runs)
{
    static uint8_t choices[600];
    static char first[sizeof(trace)];
    uint32_t state = 1;
    for (unsigned i = 0; i < sizeof(choices); i++) {
        state = state * 1664525 + 1013904223;
        choices[i] = (uint8_t)(state >> 24);
    }
    const enum machine_schedule modes[] = {MACHINE_TURNS, MACHINE_CHOICES, MACHINE_PRIORITIES};
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        unsigned changes = turns(modes[i], 3, choices, sizeof(choices));
        memcpy(first, trace, sizeof(first));
        EXPECT_EQ(turns(modes[i], 3, choices, sizeof(choices)), changes);
        EXPECT(memcmp(first, trace, sizeof(first)) == 0);
    }
}

TEST(schedule, choices_end_a_turn_early)
{
    uint8_t choices[400];
    for (unsigned i = 0; i < sizeof(choices); i++) {
        choices[i] = i % 2 == 0 ? 3 : 0; // from the end: now; then three points more, and the next CPU; …
    }
    EXPECT(turns(MACHINE_TURNS, 0, choices, sizeof(choices)) > turns(MACHINE_TURNS, 0, NULL, 0) * 2);
}

TEST(schedule, priorities_change_no_more_than_they_may)
{
    EXPECT(turns(MACHINE_PRIORITIES, 0, NULL, 0) <= 2); // one after the other, but for when the second starts
    uint8_t choices[64] = {};
    EXPECT(turns(MACHINE_PRIORITIES, 200, choices, sizeof(choices)) >= 3);
}

// --- hooks ---------------------------------------------------------------------------------------------------------

static struct semaphore never;
static unsigned asked;

static bool raise_it(void)
{
    asked++;
    semaphore_up(&never);
    return true;
}

TEST(schedule, who_is_stuck_is_asked)
{
    semaphore_init(&never, 0);
    machine_on_stuck(raise_it);
    semaphore_down(&never);
    EXPECT_EQ(asked, 1);
    semaphore_down(&never);
    EXPECT_EQ(asked, 2);
    machine_on_stuck(NULL);
}

static unsigned overrun;

static void count_overrun(void)
{
    overrun++;
    EXPECT(irq_enabled());
}

TEST(schedule, too_much_work_is_told_once)
{
    machine_on_overrun(100, count_overrun);
    (void)turns(MACHINE_TURNS, 0, NULL, 0);
    EXPECT_EQ(overrun, 1);
    (void)turns(MACHINE_TURNS, 0, NULL, 0);
    EXPECT_EQ(overrun, 2);
    machine_on_overrun(0, NULL);
}
