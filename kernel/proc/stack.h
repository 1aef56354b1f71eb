// The first page of a program's stack. Source: System V ABI AArch64 supplement; getauxval(3).
#pragma once

#include "kernel/proc/exec.h"

struct stack_contents {
    const struct exec_strings *strings;
    const char *path;
    uint64_t headers, header_count, entry, base; // of the program; base: of its interpreter, or 0
    uint64_t vdso;                               // or 0
    const struct credentials *as;
    bool wary; // AT_SECURE
};
// Maps a stack that grows, and puts arguments, environment and auxiliary vector on it. *sp: 16-byte aligned. -ENOMEM.
[[nodiscard]] int stack_build(struct space *space, const struct stack_contents *contents, uint64_t *sp);
