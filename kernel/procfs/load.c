#include "kernel/procfs/load.h"

#include "kernel/base/atomic.h"
#include "kernel/procfs/procfs_internal.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"

#define PERIOD_NS 5000000000ull

static struct timer timer;
static uint64_t averages[3];
// exp(-5 s / 1, 5, 15 min) with LOAD_SHIFT bits.
static const uint64_t decays[3] = {1884, 2014, 2037};

static void sample(struct timer *again)
{
    uint64_t ready = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        if (cpus[id].online) {
            const struct run_queue *queue = &cpus[id].queue;
            ready += READ_ONCE(queue->length) + (READ_ONCE(queue->current) != queue->idle);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t one = 1u << LOAD_SHIFT;
        WRITE_ONCE(averages[i], (averages[i] * decays[i] + ready * one * (one - decays[i])) >> LOAD_SHIFT);
    }
    timer_start(again, timer_now() + PERIOD_NS);
}

void proc_load_start(void)
{
    timer_init(&timer, sample);
    timer_start(&timer, timer_now() + PERIOD_NS);
}

uint64_t load_average(unsigned which)
{
    return READ_ONCE(averages[which]);
}
