// Clocks that count what processes and threads run.
#pragma once

#include "kernel/base/types.h"

struct process;

uint64_t process_cputime(struct process *process); // ns of all its threads. Any context
// A clock of clock_gettime(2) that is some process's or thread's: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, or
// made from a number as clock_getcpuclockid(3) does. Task context. -EINVAL: no such clock, or nobody of that number.
[[nodiscard]] int cputime_of_clock(int clockid, uint64_t *out);
bool clock_is_cputime(int clockid);
