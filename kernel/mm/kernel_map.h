// The kernel's own address space after boot: stacks with guard pages, in the upper half.
// Task context from BOOT_MEMORY on; never sleeps.
#pragma once

#include "kernel/mm/pagetable.h"

// Apart from the linear map and the image, which the machine places above 0xffff800000000000.
#define KERNEL_STACK_BASE 0xffff000040000000UL
#define KERNEL_STACK_ORDER 2u // 16 KiB
#define KERNEL_STACK_SIZE (PAGE_SIZE << KERNEL_STACK_ORDER)
#define KERNEL_STACK_SPAN (KERNEL_STACK_SIZE * 2) // the lower half is never mapped: the guard
#define KERNEL_STACK_MAX 32768u

struct kernel_stack {
    uint32_t slot;
    vaddr_t top;
    paddr_t memory;
};

// Takes over the tables the machine runs on. -EINVAL, -ENOMEM.
[[nodiscard]] int kernel_map_init(void);
[[nodiscard]] int kernel_stack_alloc(struct kernel_stack *out); // -EAGAIN: all in use; -ENOMEM. Nothing changed then
void kernel_stack_free(const struct kernel_stack *stack);       // not the one in use
[[nodiscard]] const char *kernel_map_check(void);
// Writable and executable leaves, by the live tables; 0 is well (W^X). Prints each through visit.
uint64_t kernel_map_walk(void (*visit)(uint64_t va, uint64_t size, unsigned flags, void *argument), void *argument);
