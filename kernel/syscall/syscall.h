// System calls: Linux's numbers and meanings (asm-generic/unistd.h). syscalls.def is the single description.
#pragma once

#include <hal/context.h>

#include "kernel/base/types.h"

enum argument_kind {
    ARG_END,       // no such argument
    ARG_INT,       // 32-bit signed, any value
    ARG_UINT,      // 64-bit unsigned, any value
    ARG_FD,        // 0 to INT32_MAX; param bit 0: any, where a path begins
    ARG_SIZE,      // 0 to INT64_MAX
    ARG_FLAGS,     // no bits outside param
    ARG_ENUM,      // 0 to param
    ARG_PID,       // 32-bit signed
    ARG_SIGNAL,    // 1 to 64
    ARG_PATH,      // user string
    ARG_BUF_IN,    // user memory read by the kernel; length in argument number param
    ARG_BUF_OUT,   // user memory written by the kernel; likewise
    ARG_STRUCT_IN, // param bytes at this address
    ARG_STRUCT_OUT,
    ARG_STRUCT_IN_OPT,  // NULL is allowed
    ARG_STRUCT_OUT_OPT, // any value: what cannot be told has been done all the same
    ARG_VEC_IN,         // iovec array; count in argument number param
    ARG_ADDRESS,        // user address that is not followed
};

struct syscall_argument {
    enum argument_kind kind;
    const char *name;
    uint64_t param;
};

struct syscall_description {
    uint16_t number;
    const char *name;
    int64_t (*body)(const uint64_t arguments[6]); // cannot fail on its arguments' form
    struct syscall_argument arguments[6];
};

#define SYSCALL_NUMBERS 512u                                                       // all are below
extern const struct syscall_description *const syscall_by_number[SYSCALL_NUMBERS]; // NULL: unknown
extern const struct syscall_description syscall_table[];                           // by number, rising
extern const size_t syscall_table_size;

static inline const struct syscall_description *syscall_find(uint64_t number) // NULL: unknown
{
    return number < SYSCALL_NUMBERS ? syscall_by_number[number] : NULL;
}
// `validate-then-do`: pure. 0; -EBADF, -EINVAL, -EFAULT or -ENAMETOOLONG as Linux gives for the first bad argument.
[[nodiscard]] int syscall_validate(const struct syscall_description *description, const uint64_t arguments[6]);
// Looks up, validates, does. Task context, interrupts on; may sleep. -ENOSYS: unknown number.
int64_t syscall_dispatch(uint64_t number, const uint64_t arguments[6]);
