// System calls as kernel/syscall/syscalls.def describes them, for programs: without the kernel, on any machine.
#pragma once

#include "user/prog/prog.h"

#define SYSCALL(number_, name_, ...) CALL_##name_ = (number_),
enum prog_number {
#include "kernel/syscall/syscalls.def"
};
#undef SYSCALL

// As enum argument_kind of kernel/syscall/syscall.h.
enum prog_argument_kind {
    PROG_ARG_END,
    PROG_ARG_INT,
    PROG_ARG_UINT,
    PROG_ARG_FD,
    PROG_ARG_SIZE,
    PROG_ARG_FLAGS,
    PROG_ARG_ENUM,
    PROG_ARG_PID,
    PROG_ARG_SIGNAL,
    PROG_ARG_PATH,
    PROG_ARG_BUF_IN,
    PROG_ARG_BUF_OUT,
    PROG_ARG_STRUCT_IN,
    PROG_ARG_STRUCT_OUT,
    PROG_ARG_STRUCT_IN_OPT,
    PROG_ARG_STRUCT_OUT_OPT,
    PROG_ARG_VEC_IN,
    PROG_ARG_ADDRESS,
};

struct prog_argument {
    uint8_t kind;
    uint32_t param;
    const char *name;
};

struct prog_description {
    uint16_t number;
    uint8_t argument_count;
    const char *name;
    struct prog_argument arguments[PROG_ARGUMENTS];
};

// All by number, rising; those that are not system calls last.
extern const struct prog_description prog_descriptions[];
extern const unsigned prog_description_count;
// NULL: there is none.
const struct prog_description *prog_describe(uint64_t number);
// Bytes that a call which gave result has written to what its argument points to; 0: none.
uint64_t prog_output_size(const struct prog_description *call, unsigned argument, const uint64_t arguments[],
                          int64_t result);
