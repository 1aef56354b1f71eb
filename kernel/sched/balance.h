// Which CPU runs what: threads go from one run queue to another. What is not idle looks for itself, now and then; what
// is more urgent goes where less urgent work runs. Interrupts off; two queues are never locked together, and no walk
// is longer than the number of CPUs, or BALANCE_WALK_MAX threads. For sched.c only.
#pragma once

#include "kernel/sched/thread.h"

#define BALANCE_WALK_MAX 16u

// With the queue's lock.
void run_queue_add(struct run_queue *queue, struct thread *thread, bool first_of_its_kind);
void run_queue_remove(struct run_queue *queue, struct thread *thread);

// The CPU has nothing to do: takes a ready thread from another one's queue. True when it did.
bool balance_idle(struct cpu *cpu);
void balance_begin(struct cpu *cpu, uint64_t now); // it was idle until now
// In a tick: takes one from the CPU that has the most to do, if that is so much more that both are better off.
void balance_tick(struct cpu *cpu, uint64_t now);
// Before the CPU chooses: takes a real-time thread that waits elsewhere and is more urgent than anything here.
void balance_urgent(struct cpu *cpu);
// Where thread may run: the CPU that runs the least urgent, or has the least to do; cpu, if none is better.
struct cpu *balance_least_urgent(struct cpu *cpu, const struct thread *thread);
struct cpu *balance_least_busy(struct cpu *cpu, const struct thread *thread);
