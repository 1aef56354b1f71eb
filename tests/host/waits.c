// Wake-ups that got lost are told from sleeps that have a reason.
#include "harness/waits.h"

#include "hal/host/machine.h"

#include "kernel/debug/ktest.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/condition.h"
#include "kernel/sync/semaphore.h"

#include <string.h>

static struct semaphore gate;
static struct thread *sleeper;
static const char *said;
static unsigned asked;

static void pass(void *unused)
{
    semaphore_down(&gate);
}

static bool look(void)
{
    asked++;
    said = waits_lost();
    sched_wake(sleeper);
    semaphore_up(&gate);
    return true;
}

// A thread waits at the gate; what is said of it when it has been tampered with.
static const char *judge(void (*tamper)(void))
{
    said = "";
    asked = 0;
    semaphore_init(&gate, 0);
    if (thread_create("sleeper", pass, NULL, &sleeper) != 0) {
        return NULL;
    }
    thread_sleep_until(timer_now() + 1000000);
    tamper();
    machine_on_stuck(look);
    (void)thread_join(sleeper);
    machine_on_stuck(NULL);
    return said;
}

static void leave_alone(void)
{
}

static void raise_silently(void)
{
    gate.count = 1;
}

static void interrupt_silently(void)
{
    sleeper->interruptible = sleeper->interrupted = true;
}

static void take_out_of_line(void)
{
    list_remove(&sleeper->wait_link);
}

TEST(waits, a_sleep_with_a_reason_is_none)
{
    EXPECT(judge(leave_alone) == NULL);
    EXPECT_EQ(asked, 1);
}

TEST(waits, a_lost_wakeup_is_told)
{
    EXPECT(strstr(judge(raise_silently), "\"sleeper\" waits for a semaphore that is up") != NULL);
    EXPECT(strstr(judge(interrupt_silently), "was interrupted and sleeps on") != NULL);
    EXPECT(strstr(judge(take_out_of_line), "is in no line") != NULL);
}
