// Who runs before whom, for how long, and where. Source: sched(7). Any context.
#pragma once

#include "kernel/sched/thread.h"

#define SCHED_OTHER 0u
#define SCHED_FIFO 1u
#define SCHED_RR 2u
#define SCHED_BATCH 3u // these two are as SCHED_OTHER
#define SCHED_IDLE 5u
#define SCHED_DEADLINE 6u // not supported
#define SCHED_PRIORITY_MAX 99u
#define NICE_MIN (-20)
#define NICE_MAX 19

// Real-time threads run before others, by priority; the others take turns, with slices by their niceness.
uint64_t policy_slice_ns(const struct sched_policy *policy);
static inline bool policy_is_realtime(const struct sched_policy *policy)
{
    return policy->kind == SCHED_FIFO || policy->kind == SCHED_RR;
}
// The one that runs has to give way to one that is ready.
bool policy_yields(const struct thread *running, const struct thread *ready, bool slice_is_over);
void policy_enqueue(struct list *ready, struct thread *thread, bool first_of_its_kind);

static inline bool thread_may_run_on(const struct thread *thread, unsigned cpu)
{
    return (__atomic_load_n(&thread->allowed, __ATOMIC_RELAXED) >> cpu & 1) != 0;
}
uint32_t sched_online_mask(void);

void thread_set_policy(struct thread *thread, const struct sched_policy *policy);
// allowed names at least one CPU that is online. Takes effect before the thread is in user space again.
void thread_set_allowed(struct thread *thread, uint32_t allowed);
void thread_settle(
    void); // the current thread is on a CPU that it may run on when this returns. Task context; may sleep
void thread_inherit_policy(struct thread *child, struct thread *parent); // child has not started yet
