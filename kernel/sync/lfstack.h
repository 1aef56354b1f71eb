// Lock-free stack of small indices (Treiber's, made ABA-safe by a generation beside the head). Any context, also
// interrupts.
#pragma once

#include "kernel/base/types.h"

#define LFSTACK_EMPTY UINT32_MAX

struct lfstack {
    uint64_t head;  // generation << 32 | index
    uint32_t *next; // [capacity]; a slot belongs to whoever popped it
    uint32_t capacity;
};

[[nodiscard]] int lfstack_init(struct lfstack *stack, uint32_t *next,
                               uint32_t capacity);        // -EINVAL: capacity 0 or 2^32 - 1
void lfstack_push(struct lfstack *stack, uint32_t index); // index < capacity, not in the stack
uint32_t lfstack_pop(struct lfstack *stack);              // LFSTACK_EMPTY when there is none
[[nodiscard]] const char *lfstack_check(const struct lfstack *stack,
                                        uint32_t *length); // quiescent; no cycles, indices in range
