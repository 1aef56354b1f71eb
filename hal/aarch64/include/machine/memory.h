// AArch64: the upper half.
//   0xffff080000000000 + pa  all RAM, read-write, never executable; the image's text and rodata read-only
//   0xffff800000000000 …     the image, as linked (kernel.ld)
//   0xffffc00000000000 + pa  device registers
// Each has its own level-0 slot; every other slot is free for the kernel to map.
#pragma once

#include "kernel/base/types.h"

#define LINEAR_BASE 0xffff080000000000UL
#define IMAGE_BASE 0xffff800000000000UL
#define DEVICE_BASE 0xffffc00000000000UL
#define LINEAR_SIZE (1UL << 39) // one level-1 table: more than any machine we know has

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(address.raw + LINEAR_BASE);
}

static inline paddr_t virt_to_phys(const void *pointer)
{
    return paddr((uint64_t)pointer - LINEAR_BASE);
}

static inline void memory_allocated(void *start, size_t size)
{
}

static inline void memory_freed(void *start, size_t size)
{
}
