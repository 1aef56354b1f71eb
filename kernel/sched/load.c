#include "kernel/sched/load.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"

#define PERIOD_NS 5000000000ull

#define PERIODS_MAX 2000u // of rest: after that, nothing is left of any average

static struct timer timer;
static uint64_t averages[3];
static uint64_t rest_began_ns; // when there was nothing to sample any more
bool load_rests;
// exp(-5 s / 1, 5, 15 min) with LOAD_SHIFT bits.
static const uint64_t decays[3] = {1884, 2014, 2037};

static uint64_t count_ready(void)
{
    uint64_t ready = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        if (cpus[id].online) {
            const struct run_queue *queue = &cpus[id].queue;
            ready += READ_ONCE(queue->length) + (READ_ONCE(queue->current) != queue->idle);
        }
    }
    return ready;
}

static void add_sample(uint64_t ready)
{
    for (unsigned i = 0; i < 3; i++) {
        uint64_t one = 1u << LOAD_SHIFT;
        WRITE_ONCE(averages[i], (averages[i] * decays[i] + ready * one * (one - decays[i])) >> LOAD_SHIFT);
    }
}

// An idle machine is left alone: nobody is woken up to find that nobody wants to run.
static void sample(struct timer *again)
{
    uint64_t ready = count_ready(), now = timer_now();
    add_sample(ready);
    if (ready > 0) {
        timer_start(again, now + PERIOD_NS);
    } else {
        rest_began_ns = now;
        __atomic_store_n(&load_rests, true, __ATOMIC_RELEASE);
    }
}

void load_resume(void)
{
    if (!__atomic_exchange_n(&load_rests, false, __ATOMIC_ACQ_REL)) {
        return; // another CPU does it
    }
    uint64_t now = timer_now(), missed = (now - rest_began_ns) / PERIOD_NS;
    for (uint64_t i = 0; i < min_u64(missed, PERIODS_MAX); i++) {
        add_sample(0);
    }
    timer_start(&timer, now + PERIOD_NS);
}

void load_start(void)
{
    timer_init(&timer, sample);
    timer_start(&timer, timer_now() + PERIOD_NS);
}

uint64_t load_average(unsigned which)
{
    return READ_ONCE(averages[which]);
}
