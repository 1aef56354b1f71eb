// Preemptive round-robin scheduler: one run queue per CPU, a slice from the timer, wake-ups across CPUs, idle CPUs
// steal.
#pragma once

#include "kernel/sched/thread.h"

#define SCHED_SLICE_NS 4000000ull
#define SGI_RESCHEDULE 0u

[[nodiscard]] int sched_init(void);   // boot CPU, interrupts off: turns the running flow into its first thread; -ENOMEM
void sched_cpu_init(void);            // each other CPU, interrupts off: turns the running flow into its idle thread
_Noreturn void sched_idle_loop(void); // what a CPU does when nothing is ready; starts with interrupts off

// Interrupt handlers, interrupts off.
void sched_tick(void);           // the timer's: wakes whom it is time for, ends the slice
void sched_ipi(void);            // SGI_RESCHEDULE's
void sched_interrupt_exit(void); // end of the outermost interrupt: preempts if asked

void sched_wake(struct thread *thread); // any context: makes a sleeping thread ready; no effect on others
// Gives up the CPU: the current thread stays ready if it is running, and sleeps or ends if it has said so. Interrupts
// off, no locks.
void sched_switch(void);
// The current thread will sleep at the next sched_switch(), unless woken before. Interrupts off. False: it is to be
// interrupted, which is what interruptible wants to know; nothing changed then.
[[nodiscard]] bool sched_prepare_sleep(bool interruptible);
// When this returns every CPU has passed a full memory barrier, and what it does next it has fetched since. Task
// context.
void sched_barrier(void);
// Any context: thread is to look at its signals; ends its sleep if that is interruptible.
void sched_interrupt(struct thread *thread);
void sched_move(void); // the current thread, to a CPU that it may run on. Interrupts off, no locks
// Any context: thread is to look at its signals before it is in user space again, if it runs; no sleep ends.
void sched_nudge(struct thread *thread);
void sched_set_deadline(
    uint64_t deadline_ns);                   // wakes the current thread then; UINT64_MAX: none any more. Interrupts off
[[nodiscard]] const char *sched_check(void); // every run queue and its timers
