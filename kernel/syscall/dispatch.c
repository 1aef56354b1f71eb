#include <hal/upcall.h>

#include "kernel/proc/task.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/trace.h"

const struct syscall_description *syscall_find(uint64_t number)
{
    // The table is sorted by number, and static_asserts cannot see that: the unit test does.
    size_t low = 0, high = syscall_table_size;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (syscall_table[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < syscall_table_size && syscall_table[low].number == number ? &syscall_table[low] : NULL;
}

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
    struct task *task = task_current();
    uint64_t arguments[6];
    for (unsigned i = 0; i < 6; i++) {
        arguments[i] = user_regs_argument(regs, i);
    }
    task->current = regs;
    task->first_argument = arguments[0];
    if (likely(!task->again)) {
        task->deadline_ns = 0;
    }
    task->again = false;
    int64_t result = syscall_dispatch(user_regs_syscall_number(regs), arguments);
    bool restart = result == -ERESTART || result == -ERESTART_NOHAND;
    task->restart = restart ? (int)-result : 0;
    user_regs_set_result(regs, restart ? -EINTR : result);
}
