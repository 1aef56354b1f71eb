// Descriptors as the machine's own start needs them (Arm ARM D8.3). The kernel's page-table code has its own, richer
// set.
#pragma once

#include "kernel/base/types.h"

#include <hal/mmu.h>

#define D_TABLE 3UL
#define D_PAGE 3UL
#define D_BLOCK 1UL
#define D_ATTR(index) ((uint64_t)(index) << 2)
#define D_READ_ONLY (1UL << 7)
#define D_INNER (3UL << 8)
#define D_ACCESSED (1UL << 10)
#define D_PXN (1UL << 53)
#define D_UXN (1UL << 54)
#define D_ADDRESS 0x0000fffffffff000UL

#define D_NORMAL (D_ATTR(MMU_ATTR_NORMAL) | D_INNER | D_ACCESSED | D_UXN)
#define D_TEXT (D_NORMAL | D_READ_ONLY)
#define D_RODATA (D_NORMAL | D_READ_ONLY | D_PXN)
#define D_DATA (D_NORMAL | D_PXN)
#define D_DEVICE (D_ATTR(MMU_ATTR_DEVICE) | D_INNER | D_ACCESSED | D_UXN | D_PXN)

#define ENTRIES 512u
struct table {
    uint64_t slots[ENTRIES];
} __attribute__((aligned(4096)));

#define TABLE __attribute__((section(".tables,\"aw\",@nobits//")))

static inline unsigned slot_index(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (39 - 9 * level)) & (ENTRIES - 1);
}
