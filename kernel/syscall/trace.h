// A line in the log for each system call, while it is on. Task context.
#pragma once

#include "kernel/syscall/syscall.h"

extern bool syscall_tracing; // read and written as it comes; the monitor's `trace` sets it
// description NULL: an unknown number.
void syscall_trace(const struct syscall_description *description, uint64_t number, const uint64_t arguments[6],
                   int64_t result);
