// Between thread.c and sched.c only.
#pragma once

#include "kernel/sched/thread.h"

void thread_subsystem_init(void);
struct thread *thread_adopt_boot_flow(const char *name); // this CPU's, which runs on a stack the machine gave
struct thread *thread_next(const struct thread *after);  // of all, NULL: the first. No lock: for when all stands still
void thread_put(struct thread *thread);                  // ends a reference; the last one frees. No locks held
void sched_add(struct thread *thread);
void sched_timer_fired(struct timer *timer); // a thread's: its deadline
void sched_finish_switch(void);              // the first thing a new flow does
