// Asserts: a failed one is a bug in the kernel, never something that user space, a disk or a device did
// (`no-assert-on-user`).
#pragma once

#include "kernel/base/types.h"

// Any context. Prints the report on the console and stops the machine.
_Noreturn void panic(const char *text, ...) __attribute__((format(printf, 1, 2)));

#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (unlikely(!(condition)))                                                                                    \
            panic("assertion failed: %s, %s:%d", #condition, __FILE__, __LINE__);                                      \
    } while (0)

// Checks too dear for every build: on in debug and host builds (FAULTLINE_CHECKS=1).
#if FAULTLINE_CHECKS
#define DEBUG_ASSERT(condition) ASSERT(condition)
#define DEBUG_CHECK(walk)                                                                                              \
    do {                                                                                                               \
        const char *broken_ = (walk);                                                                                  \
        if (unlikely(broken_ != NULL))                                                                                 \
            panic("%s: %s, %s:%d", #walk, broken_, __FILE__, __LINE__);                                                \
    } while (0)
#else
#define DEBUG_ASSERT(condition) ((void)sizeof(condition))
#define DEBUG_CHECK(walk) ((void)sizeof(walk))
#endif
