// What a handler finds on its stack: the arm64 frame as Linux lays it out (arch/arm64/include/uapi/asm/sigcontext.h,
// asm-generic/ucontext.h). Task context; may sleep.
#pragma once

#include "kernel/proc/task.h"

// Makes regs run the handler. mask: to be restored when it returns. -EFAULT: there is no stack.
[[nodiscard]] int sigframe_push(struct task *task, struct user_regs *regs, const struct signal_info *info,
                                const struct signal_action *action, uint64_t mask);
// Takes everything back. -EFAULT, -EINVAL: what lies there is no frame.
[[nodiscard]] int sigframe_pop(struct task *task, struct user_regs *regs, uint64_t *mask);
