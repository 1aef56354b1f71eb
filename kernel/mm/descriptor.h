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
#define DESC_PERMISSIONS (DESC_READ_ONLY | DESC_PXN | DESC_UXN) // what may change without break-before-make

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

static inline uint64_t desc_permissions(unsigned flags)
{
    uint64_t desc = (flags & MAP_WRITE) != 0 ? 0 : DESC_READ_ONLY;
    if ((flags & MAP_EXEC) == 0) {
        return desc | DESC_PXN | DESC_UXN;
    }
    return desc | ((flags & MAP_USER) != 0 ? DESC_PXN : DESC_UXN); // nothing is executable at both levels
}

// Everything of a leaf but its address and its type.
static inline uint64_t desc_attributes(unsigned flags)
{
    uint64_t desc = DESC_VALID | DESC_ACCESSED | DESC_INNER_SHAREABLE | desc_permissions(flags);
    desc |= DESC_ATTR((flags & MAP_DEVICE) != 0 ? MMU_ATTR_DEVICE : MMU_ATTR_NORMAL);
    return (flags & MAP_USER) != 0 ? desc | DESC_USER | DESC_NOT_GLOBAL : desc;
}

static inline unsigned desc_flags(uint64_t desc)
{
    bool user = (desc & DESC_USER) != 0;
    unsigned flags = (desc & DESC_READ_ONLY) != 0 ? 0 : MAP_WRITE;
    flags |= user ? MAP_USER : 0;
    flags |= (desc & DESC_ATTR(7)) == DESC_ATTR(MMU_ATTR_DEVICE) ? MAP_DEVICE : 0;
    return flags | ((desc & (user ? DESC_UXN : DESC_PXN)) != 0 ? 0 : MAP_EXEC);
}

// A leaf descriptor: the type bit tells a page from a block.
static inline uint64_t desc_leaf(uint64_t pa, uint64_t attributes, unsigned level)
{
    return pa | attributes | (level == LEAF_LEVEL ? DESC_TABLE : 0);
}
