// What happens when user space wants a page and there is none: one process is killed, the one that has most.
// Task context; sleeps.
#pragma once

#include "kernel/base/types.h"

#define OOM_SCORE_ADJ_MIN (-1000) // never killed

struct process;

// After a failure to get a page for the current process; relief: all zeroes at the first. True: there may be one now.
struct oom_relief {
    unsigned tries, enough;
};
bool oom_relieve(struct oom_relief *relief);
void oom_ended(const struct process *process); // its memory is back. With the family's lock
void oom_init(void);                           // once, before the first process
unsigned oom_kills(void);                      // since boot; any context
// How much killing it would give back, 0 to 1000 of all memory and its adjustment: /proc/<pid>/oom_score.
uint32_t oom_score(struct process *process);
