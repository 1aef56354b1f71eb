// Pages by number, with holes: the contents of a file. A radix tree with as many levels as its highest page needs. The
// owner's lock covers it; task context. Fault site: page_alloc.
#pragma once

#include "kernel/mm/page_alloc.h"

#define PAGE_MAP_FANOUT 512u
#define PAGE_MAP_LEVELS_MAX 5u
#define PAGE_MAP_LIMIT (1UL << 45) // page numbers are below

struct page_map {
    struct page_pool *pool;
    paddr_t root;    // a table of 2^9 entries, or with no levels a page itself; 0: empty
    unsigned levels; // of tables
    uint64_t count;  // pages
};

void page_map_init(struct page_map *map, struct page_pool *pool);
bool page_map_find(const struct page_map *map, uint64_t number, paddr_t *out);
// The first page numbered *number or above, and its number there. False: there is none.
bool page_map_next(const struct page_map *map, uint64_t *number, paddr_t *out);
// The map takes over the caller's reference to page. -ENOMEM, -EFBIG: number too large; -EEXIST. Nothing changed then.
[[nodiscard]] int page_map_insert(struct page_map *map, uint64_t number, paddr_t page);
// Drops the map's reference to every page numbered first and above.
void page_map_truncate(struct page_map *map, uint64_t first);
