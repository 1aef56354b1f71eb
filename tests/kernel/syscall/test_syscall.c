#include "kernel/debug/ktest.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/syscall.h"

TEST(syscall, table_is_sorted_and_found)
{
    for (size_t i = 0; i < syscall_table_size; i++) {
        EXPECT(i == 0 || syscall_table[i - 1].number < syscall_table[i].number);
        EXPECT(syscall_find(syscall_table[i].number) == &syscall_table[i]);
    }
    EXPECT(syscall_find(0xffff) == NULL);
    EXPECT(syscall_find(UINT64_MAX) == NULL);
    EXPECT_EQ(syscall_dispatch(9999, (uint64_t[6]){0}), -ENOSYS);
}

TEST(syscall, write_arguments)
{
    const struct syscall_description *write = syscall_find(64);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){1, 0x1000, 16}), 0);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){UINT64_MAX, 0x1000, 16}), -EBADF);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){1, USER_LIMIT, 1}), -EFAULT);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){1, USER_LIMIT, 0}), 0);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){1, 0xffff800000000000, 1}), -EFAULT);
    EXPECT_EQ(syscall_validate(write, (uint64_t[6]){1, 0x1000, UINT64_MAX}), -EFAULT);
}
