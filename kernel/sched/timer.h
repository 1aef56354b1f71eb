// Timers: a function that is called at a time. A tree per CPU, so that ten thousand of them cost no more than a few.
// Any context from BOOT_SCHED on unless said otherwise; never sleeps. Times are those of timer_now().
#pragma once

#include <hal/timer.h>

#include "kernel/base/tree.h"
#include "kernel/sync/spinlock.h"

struct timer {
    struct tree_node node;             // these three: lock of the queue of cpu
    uint64_t deadline_ns;              // while armed
    bool armed;                        // in that queue
    uint8_t cpu;                       // whose queue's lock covers it
    void (*fire)(struct timer *timer); // constant
};

struct timer_queue {
    struct spinlock lock; // covers the rest
    struct tree tree;     // earliest first, equal ones as they came
    uint64_t first_ns;    // the earliest deadline, UINT64_MAX: none. Also read without the lock, as a hint
    struct timer *running;
    uint64_t set_ns;  // these two: own CPU, interrupts off: what the hardware is set to,
    uint64_t rest_ns; // and when the next ones may fire, after many at once
};

// Before first use. fire is called in interrupt context with no lock held, on whatever CPU; it may start the timer
// again, or free what it is part of.
void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
// Arms it, or moves it when it is armed. UINT64_MAX is never reached.
void timer_start(struct timer *timer, uint64_t deadline_ns);
// The timer does not run any more when this returns, unless somebody starts it again. True: it was armed, and did not
// fire. Waits while fire runs on another CPU: hold no lock that fire takes, and do not call it from fire itself.
bool timer_cancel(struct timer *timer);

// For the scheduler; interrupts off.
void timer_queue_init(struct timer_queue *queue);
void timer_start_quietly(struct timer *timer, uint64_t deadline_ns); // timer_queue_set() follows on this CPU
void timer_queue_set(struct timer_queue *queue, uint64_t until_ns);  // the hardware: to the first, at most until then
void timer_queue_run(struct timer_queue *queue, uint64_t now_ns);    // interrupt: fires what is due
[[nodiscard]] const char *timer_queue_check(struct timer_queue *queue);
