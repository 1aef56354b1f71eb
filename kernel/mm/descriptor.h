// Stage 1 descriptors as integers. Source: Arm ARM D8.3.1 (table, block and page descriptors), D8.4.1 (access
// permissions).
#pragma once

#include <hal/mmu.h>

#include "kernel/mm/pagetable.h"

#define DESC_VALID (1UL << 0)
#define DESC_TABLE (1UL << 1) // at levels 0 to 2: a table; at level 3: a page; clear at levels 1 and 2: a block
#define DESC_ATTR(index) ((uint64_t)(index) << 2)
#define DESC_USER (1UL << 6)      // AP[1]
#define DESC_READ_ONLY (1UL << 7) // AP[2]
#define DESC_INNER_SHAREABLE (3UL << 8)
#define DESC_ACCESSED (1UL << 10)
#define DESC_NOT_GLOBAL (1UL << 11)
#define DESC_PXN (1UL << 53)
#define DESC_UXN (1UL << 54)
#define DESC_ADDRESS 0x0000fffffffff000UL
#define DESC_FLAGS_SHIFT 55 // bits 55 to 58 are software's: enum map_flags, so that a query has nothing to decode
// What may change without break-before-make.
#define DESC_PERMISSIONS                                                                                               \
    (DESC_USER | DESC_READ_ONLY | DESC_PXN | DESC_UXN | ((uint64_t)MAP_FLAGS_ALL << DESC_FLAGS_SHIFT))

#define TABLE_ENTRIES 512u
#define LEAF_LEVEL 3u

static inline unsigned level_shift(unsigned level)
{
    return 39 - 9 * level;
}
static inline uint64_t level_size(unsigned level)
{
    return 1UL << level_shift(level);
}
static inline unsigned level_index(uint64_t va, unsigned level)
{
    return (unsigned)(va >> level_shift(level)) & (TABLE_ENTRIES - 1);
}
static inline bool desc_is_table(uint64_t desc, unsigned level)
{
    return level < LEAF_LEVEL && (desc & DESC_TABLE) != 0;
}

// Everything of a leaf but its address and its type; user: in the lower half. Nothing is executable at both levels.
#define DESC_ATTRIBUTES(flags, user)                                                                                   \
    (DESC_VALID | DESC_ACCESSED | DESC_INNER_SHAREABLE | (uint64_t)(flags) << DESC_FLAGS_SHIFT |                       \
     (((flags) & MAP_WRITE) != 0 ? 0 : DESC_READ_ONLY) |                                                               \
     (((flags) & MAP_EXEC) == 0   ? DESC_PXN | DESC_UXN                                                                \
      : ((flags) & MAP_USER) != 0 ? DESC_PXN                                                                           \
                                  : DESC_UXN) |                                                                        \
     DESC_ATTR(((flags) & MAP_DEVICE) != 0 ? MMU_ATTR_DEVICE : MMU_ATTR_NORMAL) |                                      \
     (((flags) & MAP_USER) != 0 ? DESC_USER : 0) | ((user) ? DESC_NOT_GLOBAL : 0))

static inline unsigned desc_flags(uint64_t desc)
{
    return (unsigned)(desc >> DESC_FLAGS_SHIFT) & MAP_FLAGS_ALL;
}

// The bits that the hardware reads say what the software's do.
static inline bool desc_is_sound(uint64_t desc, bool user)
{
    unsigned flags = desc_flags(desc);
    return (desc & ~(DESC_ADDRESS | DESC_TABLE)) == DESC_ATTRIBUTES(flags, user);
}

// A leaf descriptor: the type bit tells a page from a block.
static inline uint64_t desc_leaf(uint64_t pa, uint64_t attributes, unsigned level)
{
    return pa | attributes | (level == LEAF_LEVEL ? DESC_TABLE : 0);
}
