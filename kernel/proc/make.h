// Putting processes and tasks together: between process.c and clone.c. What a failure leaves is process_unmake()'s and
// task_free()'s to take apart.
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/sigqueue.h"

[[nodiscard]] int process_make(struct process **out);                    // all zeroes, nobody knows it yet. -ENOMEM
void process_unmake(struct process *process);                            // never ran
[[nodiscard]] int task_make(struct process *process, struct task **out); // -ENOMEM
// It acts for as. -ENOMEM, -EAGAIN.
[[nodiscard]] int task_make_thread(struct task *task, const char *name, const struct credentials *as);
void task_unmake(struct task *task); // it never ran
// The thread of a task may have ended, and the task be gone, before thread_start() returns.
