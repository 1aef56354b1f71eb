// Bump allocator for BOOT_EARLY: memory that is never given back. One CPU, no locks. Fault site: boot_alloc.
#pragma once

#include "kernel/base/types.h"

struct bump {
    paddr_t start, end; // the range it may use
    paddr_t next;       // first byte not given out; start <= next <= end
};

// -EINVAL: start above end. *bump unchanged then.
[[nodiscard]] int bump_init(struct bump *bump, paddr_t start, paddr_t end);
// size bytes at a multiple of align, zeroed by nobody. -EINVAL: size 0, or align not a power of two; -ENOMEM. Nothing
// changed then.
[[nodiscard]] int bump_alloc(struct bump *bump, uint64_t size, uint64_t align, paddr_t *out);
[[nodiscard]] const char *bump_check(const struct bump *bump);
