#include <hal/upcall.h>

#include "kernel/syscall/syscall.h"

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
    if (description == NULL) {
        return -ENOSYS;
    }
    int error = syscall_validate(description, arguments);
    return error != 0 ? error : description->body(arguments);
}

void kernel_syscall(struct user_regs *regs)
{
    uint64_t arguments[6];
    for (unsigned i = 0; i < 6; i++) {
        arguments[i] = user_regs_argument(regs, i);
    }
    user_regs_set_result(regs, syscall_dispatch(user_regs_syscall_number(regs), arguments));
}
