// Page allocator: a buddy under a lock, and in front of it a small cache of blocks of the low orders per CPU.
// Task context from BOOT_MEMORY on, also with spinlocks held; never sleeps. Fault site: page_alloc.
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/buddy.h"
#include "kernel/sync/spinlock.h"

#define PAGE_CACHE_ORDERS 8u
#define PAGE_CACHE_MAX 30u   // blocks of one order
#define PAGE_CACHE_MIN 4u    // pages of one order, however little memory there is
#define PAGE_CACHE_SHARE 16u // all caches together hold at most this part of the memory

// Blocks of one order that wait for their CPU; only it looks here, with interrupts off.
struct page_cache {
    uint32_t count, limit; // less than limit between calls
    uint32_t frames[PAGE_CACHE_MAX];
} __attribute__((aligned(64)));

struct page_pool {
    struct spinlock lock; // covers buddy and refills; taken with interrupts off
    struct buddy buddy;
    uint64_t refills; // of caches, from the buddy
    struct page_cache cache[MAX_CPUS][PAGE_CACHE_ORDERS];
};

struct page_stats {
    uint64_t total, free, cached; // pages
    uint64_t free_blocks[BUDDY_ORDERS];
    uint64_t cache_refills;
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
void page_pool_drain_cpu(struct page_pool *pool); // this CPU's only

static inline struct page *page_of(struct page_pool *pool, paddr_t address)
{
    return &pool->buddy.pages[buddy_frame(&pool->buddy, address)];
}
// Pages for user space come to an end while this many are left: for the kernel, which has to go on.
static inline uint64_t page_pool_reserve(const struct page_pool *pool)
{
    return pool->buddy.managed_frames / 256;
}
// The last pages are for those whom this lets have them, so that root can still end who took the rest. Asked with
// interrupts off, and the pool's lock; NULL: everybody. Set once.
extern bool (*page_reserve_is_ours)(void);
static inline uint64_t page_pool_reserve_of_root(const struct page_pool *pool)
{
    return pool->buddy.managed_frames / 64;
}
// With fewer free pages than this, those that other CPUs keep in their caches included, memory is short.
static inline uint64_t page_pool_low(const struct page_pool *pool)
{
    return page_pool_reserve(pool) + pool->buddy.managed_frames / PAGE_CACHE_SHARE + 16;
}
// Pages it manages, free or not.
static inline uint64_t page_pool_total(const struct page_pool *pool)
{
    return pool->buddy.managed_frames;
}
struct page_stats page_pool_stats(struct page_pool *pool);
uint64_t page_pool_free_pages(struct page_pool *pool);             // free and cached
[[nodiscard]] const char *page_pool_check(struct page_pool *pool); // the other CPUs must be quiet

extern struct page_pool kernel_pages; // the machine's own RAM
