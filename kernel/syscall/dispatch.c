#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/trace.h"

int64_t syscall_dispatch(uint64_t number, const uint64_t arguments[6])
{
    const struct syscall_description *description = syscall_find(number);
    int64_t result = description == NULL ? -ENOSYS : syscall_validate(description, arguments);
    if (result == 0) {
        result = description->body(arguments);
    }
    if (unlikely(syscall_tracing)) {
        syscall_trace(description, number, arguments, result);
    }
    return result;
}

void kernel_syscall(struct user_regs *regs)
{
    struct task *task = thread_current()->task;
    const uint64_t *arguments = user_regs_arguments(regs);
    task->current = regs;
    task->first_argument = arguments[0];
    if (likely(!task->again)) {
        task->deadline_ns = 0;
    }
    task->again = false;
    task->returned = false;
    int64_t result = syscall_dispatch(user_regs_syscall_number(regs), arguments);
    if (unlikely(task->returned)) {
        return; // sigreturn(2): the registers are those of another moment, whatever they look like
    }
    bool restart = result == -ERESTART || result == -ERESTART_NOINTR || result == -ERESTART_NOHAND;
    task->restart = restart ? (int)-result : 0;
    user_regs_set_result(regs, restart ? -EINTR : result);
    if (unlikely(restart)) {
        WRITE_ONCE(task->thread->interrupted, true); // what it was may have gone to another: the call is still to end
    }
}
