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

// One argument of each kind at its edges, beside arithmetic done by hand. ARG_SIZE 8 in argument 1 for those that name
// a length.
TEST(syscall, every_kind_at_its_edges)
{
    static const struct {
        enum argument_kind kind;
        uint64_t param, value, length;
        int error;
    } cases[] = {
        {ARG_INT, 0, UINT64_MAX, 0, 0},
        {ARG_UINT, 0, UINT64_MAX, 0, 0},
        {ARG_PID, 0, UINT64_MAX, 0, 0},
        {ARG_ADDRESS, 0, UINT64_MAX, 0, 0},
        {ARG_FD, 0, 0, 0, 0},
        {ARG_FD, 0, INT32_MAX, 0, 0},
        {ARG_FD, 0, 0x100000000, 0, 0}, // the upper half of the register does not count
        {ARG_FD, 0, 0x80000000, 0, -EBADF},
        {ARG_FD, 0, (uint64_t)-100, 0, -EBADF},
        {ARG_FD, 1, (uint64_t)-100, 0, 0},
        {ARG_FD, 1, 5, 0, 0},
        {ARG_FD, 1, (uint64_t)-99, 0, 0},
        {ARG_SIZE, 0, INT64_MAX, 0, 0},
        {ARG_SIZE, 0, (uint64_t)INT64_MAX + 1, 0, -EINVAL},
        {ARG_FLAGS, 7, 7, 0, 0},
        {ARG_FLAGS, 7, 8, 0, -EINVAL},
        {ARG_FLAGS, 7, 0x800000000, 0, 0},
        {ARG_ENUM, 11, 11, 0, 0},
        {ARG_ENUM, 11, 12, 0, -EINVAL},
        {ARG_ENUM, 11, UINT32_MAX, 0, -EINVAL},
        {ARG_SIGNAL, 0, 1, 0, 0},
        {ARG_SIGNAL, 0, 64, 0, 0},
        {ARG_SIGNAL, 0, 0, 0, -EINVAL},
        {ARG_SIGNAL, 0, 65, 0, -EINVAL},
        {ARG_PATH, 0, USER_LIMIT - 1, 0, 0},
        {ARG_PATH, 0, USER_LIMIT, 0, -EFAULT},
        {ARG_BUF_IN, 1, USER_LIMIT - 8, 8, 0},
        {ARG_BUF_IN, 1, USER_LIMIT - 8, 9, -EFAULT},
        {ARG_BUF_OUT, 1, USER_LIMIT, 0, 0},
        {ARG_BUF_OUT, 1, USER_LIMIT + 1, 0, -EFAULT},
        {ARG_BUF_OUT, 1, 0, UINT64_MAX, -EFAULT},
        {ARG_STRUCT_IN, 16, USER_LIMIT - 16, 0, 0},
        {ARG_STRUCT_IN, 16, USER_LIMIT - 15, 0, -EFAULT},
        {ARG_STRUCT_OUT, 16, 0, 0, 0}, // an address like any other: whether it is mapped is the copy's affair
        {ARG_STRUCT_OUT, 16, UINT64_MAX, 0, -EFAULT},
        {ARG_STRUCT_IN_OPT, 16, 0, 0, 0},
        {ARG_STRUCT_IN_OPT, 16, USER_LIMIT - 15, 0, -EFAULT},
        {ARG_STRUCT_OUT_OPT, 16, 0, 0, 0},
        {ARG_STRUCT_OUT_OPT, 16, USER_LIMIT - 16, 0, 0},
        {ARG_VEC_IN, 1, USER_LIMIT - 1024 * 16, 1024, 0},
        {ARG_VEC_IN, 1, USER_LIMIT - 1024 * 16 + 1, 1024, -EFAULT},
        {ARG_VEC_IN, 1, 0, 1025, -EINVAL},
        {ARG_VEC_IN, 1, 0, 1ul << 60, -EINVAL},     // times 16 is 0
        {(enum argument_kind)99, 0, 0, 0, -EINVAL}, // NOLINT(clang-analyzer-optin.core.EnumCastOutOfRange): no kind
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct syscall_description one = {
            .arguments = {{cases[i].kind, "value", cases[i].param}, {ARG_UINT, "length", 0}}};
        int error = syscall_validate(&one, (uint64_t[6]){cases[i].value, cases[i].length});
        if (error != cases[i].error) {
            ktest_fail(__FILE__, __LINE__, "case %lu: %d, not %d", (uint64_t)i, error, cases[i].error);
            return;
        }
    }
}

#define FD {ARG_FD, "fd", 0}

TEST(syscall, all_six_arguments_are_looked_at_and_the_first_bad_one_counts)
{
    const struct syscall_description six = {.arguments = {FD, FD, FD, FD, FD, {ARG_SIGNAL, "signal", 0}}};
    EXPECT_EQ(syscall_validate(&six, (uint64_t[6]){0, 0, 0, 0, 0, 1}), 0);
    EXPECT_EQ(syscall_validate(&six, (uint64_t[6]){0, 0, 0, 0, 0, 0}), -EINVAL);
    EXPECT_EQ(syscall_validate(&six, (uint64_t[6]){0, UINT64_MAX, 0, 0, 0, 0}), -EBADF);
}
