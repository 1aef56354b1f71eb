// The flat model of an address space: disjoint intervals in rising order.
#pragma once

#include "kernel/base/types.h"

#define INTERVALS_MAX 128u

struct interval {
    uint64_t va, size, pa;
    unsigned flags;
};
struct intervals {
    uint32_t count;
    struct interval at[INTERVALS_MAX];
};
enum { INTERVALS_MAP, INTERVALS_UNMAP, INTERVALS_PROTECT };

static inline void intervals_init(struct intervals *set)
{
    set->count = 0;
}

static inline const struct interval *intervals_find(const struct intervals *set, uint64_t va)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (va - set->at[i].va < set->at[i].size) {
            return &set->at[i];
        }
    }
    return NULL;
}

static inline bool intervals_overlap(const struct intervals *set, uint64_t va, uint64_t size)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->at[i].va <= va + (size - 1) && va <= set->at[i].va + (set->at[i].size - 1)) {
            return true;
        }
    }
    return false;
}

static inline uint64_t intervals_bytes(const struct intervals *set)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        sum += set->at[i].size;
    }
    return sum;
}

// 0, -ENOENT at the first hole, -EINVAL at the first page whose flags in mask are not type.
int intervals_covered(const struct intervals *set, uint64_t va, uint64_t size, unsigned type, unsigned mask);
// False when the list is full.
bool intervals_change(struct intervals *set, uint64_t va, uint64_t size, uint64_t pa, unsigned flags, unsigned how);
