// Page allocator: a buddy under a lock, and in front of it a small cache of blocks of the low orders per CPU.
// Task context from BOOT_MEMORY on, also with spinlocks held; never sleeps. Fault site: page_alloc.
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/buddy.h"
#include "kernel/sync/spinlock.h"

#define PAGE_CACHE_ORDERS 4u
#define PAGE_CACHE_MAX 32u // pages of each order that a CPU may hold back

static inline uint32_t page_cache_limit(unsigned order) // blocks
{
    return PAGE_CACHE_MAX >> order;
}

// Own CPU, interrupts off.
struct page_cache {
    uint32_t count[PAGE_CACHE_ORDERS];
    uint32_t frames[PAGE_CACHE_ORDERS][PAGE_CACHE_MAX];
    uint64_t hits, refills;
} __attribute__((aligned(64)));

struct page_pool {
    struct spinlock lock; // covers buddy
    struct buddy buddy;
    struct page_cache cache[MAX_CPUS];
};

struct page_stats {
    uint64_t total, free, cached; // pages
    uint64_t free_blocks[BUDDY_ORDERS];
    uint64_t cache_hits, cache_refills;
};

// As buddy_init(); then give memory with page_pool_add(), as buddy_add().
[[nodiscard]] int page_pool_init(struct page_pool *pool, paddr_t base, uint64_t frames, struct page *pages);
[[nodiscard]] int page_pool_add(struct page_pool *pool, paddr_t start, uint64_t frames);

// 2^order pages, naturally aligned, contents undefined. -EINVAL, -ENOMEM: nothing changed.
[[nodiscard]] int page_alloc(struct page_pool *pool, unsigned order, paddr_t *out);
[[nodiscard]] int page_alloc_zeroed(struct page_pool *pool, paddr_t *out); // one page
// Exactly what was allocated; a double or foreign free panics.
void page_free(struct page_pool *pool, paddr_t block, unsigned order);
// Gives every cached page back to the buddy. The other CPUs must be quiet.
void page_pool_drain(struct page_pool *pool);

static inline struct page *page_of(struct page_pool *pool, paddr_t address)
{
    return &pool->buddy.pages[buddy_frame(&pool->buddy, address)];
}
struct page_stats page_pool_stats(struct page_pool *pool);
uint64_t page_pool_free_pages(struct page_pool *pool);             // free and cached
[[nodiscard]] const char *page_pool_check(struct page_pool *pool); // the other CPUs must be quiet

extern struct page_pool kernel_pages; // the machine's own RAM
