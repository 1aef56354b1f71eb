// What processes have used. Source: getrusage(2), times(2). Any context.
#pragma once

#include "kernel/base/types.h"

struct process;
struct task;
struct thread;
struct space;

struct usage {
    uint64_t user_ns, system_ns;
    uint64_t resident_most; // pages
    uint64_t faults;        // that brought a page
    uint64_t waits, preemptions;
};

// What a process keeps of what is gone. The family's lock covers it.
struct usage_past {
    uint64_t runtime_ns, user_ticks, kernel_ticks, switches, preemptions; // of tasks that have ended
    uint64_t resident_most, faults;                                       // of spaces
    uint64_t user_shown_ns, system_shown_ns;                              // so that neither goes back
    struct usage children;                                                // that were waited for, and theirs
};

struct usage process_usage(struct process *process);
struct usage process_children_usage(struct process *process);
struct usage thread_usage(const struct thread *thread); // time and switches only

// With the family's lock.
struct usage usage_locked(struct process *process);
void usage_add(struct usage *to, const struct usage *more);
void usage_task_ends(struct process *process, const struct thread *thread);
void usage_space_ends(struct process *process, const struct space *space); // NULL is nothing
