// A line in the log for each system call of a process that is traced, in the form that programs are written in:
// t7: openat(AT_FDCWD, "a", 0x241, 384)  # 3. Task context.
#pragma once

#include "kernel/syscall/syscall.h"

extern bool syscall_tracing; // somebody may be traced

struct process;
void syscall_trace_all(bool on);
void syscall_trace_process(struct process *process, bool on);
// description NULL: an unknown number. Nothing unless the current process is traced, or all are.
void syscall_trace(const struct syscall_description *description, uint64_t number, const uint64_t arguments[6],
                   int64_t result);
