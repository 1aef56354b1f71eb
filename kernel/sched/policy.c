#include "kernel/sched/policy.h"

#include <hal/irq.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/thread_internal.h"

// A step of niceness is a quarter more or less, as on other systems; slices end at a tenth and the tenfold.
uint64_t policy_slice_ns(const struct sched_policy *policy)
{
    uint64_t slice = SCHED_SLICE_NS;
    int nice = policy->kind == SCHED_IDLE ? NICE_MAX : policy->nice;
    for (int i = nice; i < 0 && !policy_is_realtime(policy); i++) {
        slice += slice / 4;
    }
    for (int i = nice; i > 0 && !policy_is_realtime(policy); i--) {
        slice -= slice / 5;
    }
    return max_u64(min_u64(slice, SCHED_SLICE_NS * 10), SCHED_SLICE_NS / 10);
}

bool policy_yields(const struct thread *running, const struct thread *ready, bool slice_is_over)
{
    if (ready->policy.priority != running->policy.priority) {
        return ready->policy.priority > running->policy.priority;
    }
    return slice_is_over && running->policy.kind != SCHED_FIFO;
}

void policy_enqueue(struct list *ready, struct thread *thread, bool first_of_its_kind)
{
    uint8_t priority = thread->policy.priority;
    if (priority == 0 && !first_of_its_kind) { // the common case
        list_push_back(ready, &thread->run_link);
        return;
    }
    struct list *at = ready->next;
    while (at != ready) {
        uint8_t other = container_of(at, struct thread, run_link)->policy.priority;
        if (other < priority || (first_of_its_kind && other == priority)) {
            break;
        }
        at = at->next;
    }
    list_insert_before(at, &thread->run_link);
}

uint32_t sched_online_mask(void)
{
    uint32_t mask = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        mask |= load_acquire(&cpus[id].online) ? 1u << id : 0;
    }
    return mask;
}

void thread_set_allowed(struct thread *thread, uint32_t allowed)
{
    WRITE_ONCE(thread->allowed, allowed);
    if (thread == thread_current()) {
        thread_settle();
    } else {
        sched_nudge(thread);
    }
}

void thread_settle(void)
{
    irqflags_t flags = irq_save();
    while (!thread_may_run_on(thread_current(), this_cpu()->local.id)) {
        sched_move();
    }
    irq_restore(flags);
}

void thread_inherit_policy(struct thread *child, struct thread *parent)
{
    child->allowed = READ_ONCE(parent->allowed);
    if (!parent->policy.reset_on_fork) {
        child->policy = parent->policy;
    }
}
