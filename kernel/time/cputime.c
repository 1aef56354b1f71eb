#include "kernel/time/cputime.h"

#include "kernel/proc/process.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock.h"

// ~number << 3 | bit 2: of a thread | 2: what it ran
#define CLOCK_THREAD 4
#define CLOCK_KIND 3
#define CLOCK_RAN 2

uint64_t process_cputime(struct process *process)
{
    return process_runtime(process);
}

bool clock_is_cputime(int clockid)
{
    return clockid < 0 || clockid == CLOCK_PROCESS_CPUTIME_ID || clockid == CLOCK_THREAD_CPUTIME_ID;
}

int cputime_of_clock(int clockid, uint64_t *out)
{
    struct process *me = process_current();
    if (clockid == CLOCK_PROCESS_CPUTIME_ID) {
        *out = process_cputime(me);
        return 0;
    }
    if (clockid == CLOCK_THREAD_CPUTIME_ID) {
        *out = thread_runtime(thread_current());
        return 0;
    }
    int number = ~(clockid >> 3);
    if (clockid >= 0 || (clockid & CLOCK_KIND) > CLOCK_RAN || (number != 0 && number != me->pid)) {
        return -EINVAL;
    }
    *out = (clockid & CLOCK_THREAD) != 0 ? thread_runtime(thread_current()) : process_cputime(me);
    return 0;
}
