#include "kernel/mm/page_map.h"

#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/mm/user_page.h"

#define LEVEL_BITS 9u

// How many page numbers a tree with so many levels of tables can hold.
static uint64_t reach(unsigned levels)
{
    return 1UL << (levels * LEVEL_BITS);
}

static paddr_t *slot_in(paddr_t table, uint64_t number, unsigned level)
{
    paddr_t *slots = phys_to_virt(table);
    return &slots[number >> (level * LEVEL_BITS) & (PAGE_MAP_FANOUT - 1)];
}

void page_map_init(struct page_map *map, struct page_pool *pool)
{
    *map = (struct page_map){.pool = pool};
}

bool page_map_find(const struct page_map *map, uint64_t number, paddr_t *out)
{
    if (map->root.raw == 0 || number >= reach(map->levels)) {
        return false;
    }
    paddr_t at = map->root;
    for (unsigned level = map->levels; level > 0 && at.raw != 0; level--) {
        at = *slot_in(at, number, level - 1);
    }
    *out = at;
    return at.raw != 0;
}

// Below a table whose first page is base: by what is there, however far apart.
static bool next_in(paddr_t table, unsigned level, uint64_t base, uint64_t *number, paddr_t *out)
{
    if (level == 0) {
        *number = base;
        *out = table;
        return true;
    }
    uint64_t span = reach(level - 1), first = *number > base ? (*number - base) / span : 0;
    for (uint64_t i = first; i < PAGE_MAP_FANOUT; i++) {
        paddr_t below = *slot_in(table, i, 0);
        if (below.raw != 0 && next_in(below, level - 1, base + i * span, number, out)) {
            return true;
        }
    }
    return false;
}

bool page_map_next(const struct page_map *map, uint64_t *number, paddr_t *out)
{
    return map->root.raw != 0 && *number < reach(map->levels) && next_in(map->root, map->levels, 0, number, out);
}

// Puts tables above the root until number is in reach. A failure leaves a taller tree, which says the same.
static int grow(struct page_map *map, uint64_t number)
{
    while (number >= reach(map->levels)) {
        if (map->root.raw != 0) {
            paddr_t table;
            int error = page_alloc_zeroed(map->pool, &table);
            if (error != 0) {
                return error;
            }
            *slot_in(table, 0, 0) = map->root;
            map->root = table;
        }
        map->levels++;
    }
    return 0;
}

int page_map_insert(struct page_map *map, uint64_t number, paddr_t page)
{
    if (number >= PAGE_MAP_LIMIT) {
        return -EFBIG;
    }
    int error = grow(map, number);
    paddr_t *slot = &map->root;
    for (unsigned level = map->levels; level > 0 && error == 0; level--) {
        if (slot->raw == 0) {
            error = page_alloc_zeroed(map->pool, slot);
        }
        slot = error == 0 ? slot_in(*slot, number, level - 1) : slot;
    }
    if (error != 0) {
        return error; // empty tables may stay: they say nothing, and go with the next truncation
    }
    if (slot->raw != 0) {
        return -EEXIST;
    }
    *slot = page;
    map->count++;
    return 0;
}

// Drops pages from first on below the table; true when nothing is left in it.
static bool truncate(struct page_map *map, paddr_t table, unsigned level, uint64_t first)
{
    if (level == 0) {
        map->count--;
        user_page_put(map->pool, table);
        return true;
    }
    uint64_t span = reach(level - 1);
    bool empty = true;
    for (uint64_t i = 0; i < PAGE_MAP_FANOUT; i++) {
        paddr_t *slot = slot_in(table, i, 0);
        if (slot->raw == 0) {
            continue;
        }
        uint64_t start = i * span;
        bool gone = start + span > first && truncate(map, *slot, level - 1, first > start ? first - start : 0);
        slot->raw = gone ? 0 : slot->raw;
        empty &= gone;
    }
    if (empty) {
        page_free(map->pool, table, 0);
    }
    return empty;
}

void page_map_truncate(struct page_map *map, uint64_t first)
{
    if (map->root.raw != 0 && first < reach(map->levels) && truncate(map, map->root, map->levels, first)) {
        map->root.raw = 0;
        map->levels = 0;
    }
}
