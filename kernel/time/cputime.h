// Clocks that count what processes and threads run.
#pragma once

#include "kernel/base/types.h"

struct process;

// A clock of clock_gettime(2) that is some process's or thread's: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, or
// made from a number as clock_getcpuclockid(3) does. Task context. -EINVAL: no such clock, or nobody of that number.
[[nodiscard]] int cputime_of_clock(int clockid, uint64_t *out);
bool clock_is_cputime(int clockid);
// Of one that cputime_of_clock() takes: is it a thread's? *tid: the thread, or 0; -1: of another process.
bool cputime_is_own(int clockid, int32_t *tid);
uint64_t cputime_of_task(struct process *process, int32_t tid); // 0: it has ended. Any context
