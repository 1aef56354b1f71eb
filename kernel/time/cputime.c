#include "kernel/time/cputime.h"

#include "kernel/proc/process_internal.h"
#include "kernel/time/clock.h"

// ~number << 3 | bit 2: of a thread | 2: what it ran
#define CLOCK_THREAD 4
#define CLOCK_KIND 3
#define CLOCK_RAN 2

bool clock_is_cputime(int clockid)
{
    return clockid < 0 || clockid == CLOCK_PROCESS_CPUTIME_ID || clockid == CLOCK_THREAD_CPUTIME_ID;
}

uint64_t cputime_of_task(struct process *process, int32_t tid)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct task *task = family_find_task(tid);
    uint64_t ns = task != NULL && task->process == process ? thread_runtime(task->thread) : 0;
    spin_unlock(&family.lock, flags);
    return ns;
}

static bool is_thread(int clockid)
{
    return clockid == CLOCK_THREAD_CPUTIME_ID || (clockid < 0 && (clockid & CLOCK_THREAD) != 0);
}

static int32_t number_of(int clockid)
{
    return clockid < 0 ? ~(clockid >> 3) : 0;
}

int cputime_of_clock(int clockid, uint64_t *out)
{
    const struct task *me = task_current();
    int32_t number = number_of(clockid);
    if (!clock_is_cputime(clockid) || (clockid < 0 && (clockid & CLOCK_KIND) > CLOCK_RAN)) {
        return -EINVAL;
    }
    if (!is_thread(clockid)) {
        struct process *process = process_find(number != 0 ? number : me->process->pid);
        *out = process != NULL ? process_runtime(process) : 0;
        process_put(process);
        return process != NULL ? 0 : -EINVAL;
    }
    irqflags_t flags = spin_lock(&family.lock); // only of the own process, as on Linux
    const struct task *task = number != 0 ? family_find_task(number) : me;
    int error = task != NULL && task->process == me->process ? 0 : -EINVAL;
    *out = error == 0 ? thread_runtime(task->thread) : 0;
    spin_unlock(&family.lock, flags);
    return error;
}

bool cputime_is_own(int clockid, int32_t *tid)
{
    const struct task *me = task_current();
    int32_t number = number_of(clockid);
    if (is_thread(clockid)) {
        *tid = number != 0 ? number : me->tid;
        return true;
    }
    *tid = number == 0 || number == me->process->pid ? 0 : -1;
    return false;
}
