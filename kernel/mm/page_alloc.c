#include "kernel/mm/page_alloc.h"

#include <fault/fault.h>
#include <hal/cpu.h>
#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/sync/context.h"

struct page_pool kernel_pages;

int page_pool_init(struct page_pool *pool, paddr_t base, uint64_t frames, struct page *pages)
{
    int error = buddy_init(&pool->buddy, base, frames, pages);
    if (error != 0) {
        return error;
    }
    spin_init(&pool->lock, "pages", RANK_PAGES);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        struct page_cache *cache = &pool->cache[cpu];
        cache->hits = cache->refills = 0;
        for (unsigned order = 0; order < PAGE_CACHE_ORDERS; order++) {
            cache->count[order] = 0;
        }
    }
    return 0;
}

int page_pool_add(struct page_pool *pool, paddr_t start, uint64_t frames)
{
    irqflags_t flags = spin_lock(&pool->lock);
    int error = buddy_add(&pool->buddy, start, frames);
    spin_unlock(&pool->lock, flags);
    if (error == 0) {
        memory_freed(phys_to_virt(start), frames << PAGE_SHIFT);
    }
    return error;
}

// Gives blocks of one order back to the buddy.
static void give_back(struct page_pool *pool, struct page_cache *cache, unsigned order, uint32_t blocks)
    REQUIRES(pool->lock)
{
    while (blocks-- > 0) {
        buddy_release(&pool->buddy, cache->frames[order][--cache->count[order]], order);
    }
}

static void give_back_all(struct page_pool *pool, struct page_cache *cache) REQUIRES(pool->lock)
{
    for (unsigned order = 0; order < PAGE_CACHE_ORDERS; order++) {
        give_back(pool, cache, order, cache->count[order]);
    }
}

// Takes up to half a cache of blocks from the buddy; the lowest address ends on top.
static void refill(struct page_pool *pool, struct page_cache *cache, unsigned order) REQUIRES(pool->lock)
{
    paddr_t taken[PAGE_CACHE_MAX / 2];
    uint32_t count = 0;
    while (count < page_cache_limit(order) / 2 && buddy_alloc(&pool->buddy, order, &taken[count]) == 0) {
        count++;
    }
    while (count > 0) {
        uint32_t frame = buddy_frame(&pool->buddy, taken[--count]);
        pool->buddy.pages[frame].state = PAGE_CACHED;
        cache->frames[order][cache->count[order]++] = frame;
    }
    cache->refills++;
}

static void mark_allocated(paddr_t block, unsigned order)
{
    memory_allocated(phys_to_virt(block), PAGE_SIZE << order);
}

// Interrupts off, a block of the order is there.
static paddr_t cache_pop(struct page_pool *pool, struct page_cache *cache, unsigned order)
{
    uint32_t frame = cache->frames[order][--cache->count[order]];
    cache->hits++;
    pool->buddy.pages[frame].state = PAGE_USED_HEAD;
    return buddy_address(&pool->buddy, frame);
}

static int alloc_from_buddy(struct page_pool *pool, struct page_cache *cache, unsigned order, paddr_t *out)
    REQUIRES(pool->lock)
{
    if (order < PAGE_CACHE_ORDERS) {
        if (cache->count[order] == 0) {
            refill(pool, cache, order);
        }
        if (cache->count[order] > 0) {
            *out = cache_pop(pool, cache, order);
            return 0;
        }
    }
    int error = buddy_alloc(&pool->buddy, order, out);
    if (unlikely(error == -ENOMEM)) {
        give_back_all(pool, cache); // what is held back may be what keeps a block apart
        error = buddy_alloc(&pool->buddy, order, out);
    }
    return error;
}

// Everything but a block from a filled cache.
static __attribute__((noinline)) int alloc_slowly(struct page_pool *pool, unsigned order, paddr_t *out)
{
    if (fault_here(FAULT_PAGE_ALLOC)) {
        return -ENOMEM;
    }
    irqflags_t flags = spin_lock(&pool->lock);
    int error = alloc_from_buddy(pool, &pool->cache[cpu_self()], order, out);
    spin_unlock(&pool->lock, flags);
    if (error == 0) {
        mark_allocated(*out, order);
    }
    return error;
}

// The cache was empty. A tail call, so that the common path needs to keep nothing for it.
static __attribute__((noinline)) int restore_and_alloc(struct page_pool *pool, unsigned order, paddr_t *out,
                                                       irqflags_t flags)
{
    irq_restore(flags);
    return alloc_slowly(pool, order, out);
}

int page_alloc(struct page_pool *pool, unsigned order, paddr_t *out)
{
    context_may_allocate();
    if (unlikely(order >= PAGE_CACHE_ORDERS || fault_possible())) {
        return alloc_slowly(pool, order, out);
    }
    irqflags_t flags = irq_save();
    struct page_cache *cache = &pool->cache[cpu_self()];
    if (unlikely(cache->count[order] == 0)) {
        return restore_and_alloc(pool, order, out, flags);
    }
    *out = cache_pop(pool, cache, order);
    mark_allocated(*out, order);
    irq_restore(flags);
    return 0;
}

int page_alloc_zeroed(struct page_pool *pool, paddr_t *out)
{
    int error = page_alloc(pool, 0, out);
    if (error == 0) {
        page_zero(phys_to_virt(*out));
    }
    return error;
}

static _Noreturn __attribute__((noinline)) void bad_free(paddr_t block, unsigned order)
{
    panic("page free of 0x%lx, order %u: not a block in use of that order (double free?)", block.raw, order);
}

// The cache is full. A tail call too.
static __attribute__((noinline)) void make_room(struct page_pool *pool, struct page_cache *cache, unsigned order,
                                                irqflags_t flags)
{
    spin_lock_raw(&pool->lock);
    give_back(pool, cache, order, page_cache_limit(order) / 2);
    spin_unlock(&pool->lock, flags);
}

static __attribute__((noinline)) void free_to_buddy(struct page_pool *pool, uint32_t frame, unsigned order)
{
    irqflags_t flags = spin_lock(&pool->lock);
    buddy_release(&pool->buddy, frame, order);
    spin_unlock(&pool->lock, flags);
}

void page_free(struct page_pool *pool, paddr_t block, unsigned order)
{
    struct buddy *buddy = &pool->buddy;
    uint64_t offset = block.raw - buddy->base.raw, frame = offset >> PAGE_SHIFT;
    struct page *page = &buddy->pages[frame];
    if (unlikely(frame >= buddy->frames || !is_aligned(offset, PAGE_SIZE) || page->state != PAGE_USED_HEAD ||
                 page->order != order)) {
        bad_free(block, order);
    }
    memory_freed(phys_to_virt(block), PAGE_SIZE << order); // first: once freed, another CPU may have it
    if (unlikely(order >= PAGE_CACHE_ORDERS)) {
        free_to_buddy(pool, (uint32_t)frame, order);
        return;
    }
    irqflags_t flags = irq_save();
    struct page_cache *cache = &pool->cache[cpu_self()];
    page->state = PAGE_CACHED;
    cache->frames[order][cache->count[order]++] = (uint32_t)frame;
    if (unlikely(cache->count[order] == page_cache_limit(order))) {
        make_room(pool, cache, order, flags);
        return;
    }
    irq_restore(flags);
}

void page_pool_drain(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        give_back_all(pool, &pool->cache[cpu]);
    }
    spin_unlock(&pool->lock, flags);
}

static uint64_t cached_pages(const struct page_pool *pool)
{
    uint64_t cached = 0;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        for (unsigned order = 0; order < PAGE_CACHE_ORDERS; order++) {
            cached += (uint64_t)pool->cache[cpu].count[order] << order;
        }
    }
    return cached;
}

uint64_t page_pool_free_pages(struct page_pool *pool)
{
    return pool->buddy.free_frames + cached_pages(pool);
}

struct page_stats page_pool_stats(struct page_pool *pool)
{
    struct page_stats stats = {.total = pool->buddy.managed_frames};
    irqflags_t flags = spin_lock(&pool->lock);
    stats.free = pool->buddy.free_frames;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        for (uint32_t at = pool->buddy.head[order]; at != BUDDY_NONE; at = pool->buddy.pages[at].next) {
            stats.free_blocks[order]++;
        }
    }
    spin_unlock(&pool->lock, flags);
    stats.cached = cached_pages(pool);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        stats.cache_hits += pool->cache[cpu].hits;
        stats.cache_refills += pool->cache[cpu].refills;
    }
    return stats;
}

static const char *check_cache(const struct page_pool *pool, const struct page_cache *cache, unsigned order)
{
    if (cache->count[order] > page_cache_limit(order)) {
        return "a CPU's page cache is over full";
    }
    for (uint32_t i = 0; i < cache->count[order]; i++) {
        uint32_t frame = cache->frames[order][i];
        if (frame >= pool->buddy.frames || pool->buddy.pages[frame].state != PAGE_CACHED ||
            pool->buddy.pages[frame].order != order) {
            return "a CPU's page cache holds a block that is not cached, or of another order";
        }
    }
    return NULL;
}

const char *page_pool_check(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    const char *broken = buddy_check(&pool->buddy);
    uint64_t marked = 0;
    for (uint32_t frame = 0; frame < pool->buddy.frames; frame++) {
        const struct page *page = &pool->buddy.pages[frame];
        marked += page->state == PAGE_CACHED ? 1ul << page->order : 0;
    }
    for (unsigned i = 0; i < MAX_CPUS * PAGE_CACHE_ORDERS && broken == NULL; i++) {
        broken = check_cache(pool, &pool->cache[i / PAGE_CACHE_ORDERS], i % PAGE_CACHE_ORDERS);
    }
    if (broken == NULL && marked != cached_pages(pool)) {
        broken = "cached pages are lost or listed twice";
    }
    spin_unlock(&pool->lock, flags);
    return broken;
}
