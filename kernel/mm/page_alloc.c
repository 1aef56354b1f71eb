#include "kernel/mm/page_alloc.h"

#include <fault/fault.h>
#include <hal/cpu.h>
#include <hal/memory.h>

#include "kernel/base/assert.h"

struct page_pool kernel_pages;

int page_pool_init(struct page_pool *pool, paddr_t base, uint64_t frames, struct page *pages)
{
    int error = buddy_init(&pool->buddy, base, frames, pages);
    if (error != 0) {
        return error;
    }
    spin_init(&pool->lock, "pages", RANK_PAGES);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        pool->cache[cpu].count = 0;
        pool->cache[cpu].hits = pool->cache[cpu].refills = 0;
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

// Interrupts off. Takes up to a batch of single pages from the buddy; the lowest address ends on top.
static int refill(struct page_pool *pool, struct page_cache *cache)
{
    paddr_t taken[PAGE_CACHE_BATCH];
    uint32_t count = 0;
    spin_lock_raw(&pool->lock);
    while (count < PAGE_CACHE_BATCH && buddy_alloc(&pool->buddy, 0, &taken[count]) == 0) {
        count++;
    }
    while (count > 0) {
        uint32_t frame = buddy_frame(&pool->buddy, taken[--count]);
        pool->buddy.pages[frame].state = PAGE_CACHED;
        cache->frames[cache->count++] = frame;
    }
    spin_unlock_raw(&pool->lock);
    cache->refills++;
    return cache->count > 0 ? 0 : -ENOMEM;
}

static void give_back(struct page_pool *pool, struct page_cache *cache, uint32_t count) REQUIRES(pool->lock)
{
    while (count-- > 0) {
        uint32_t frame = cache->frames[--cache->count];
        pool->buddy.pages[frame].state = PAGE_USED_HEAD;
        buddy_free(&pool->buddy, buddy_address(&pool->buddy, frame), 0);
    }
}

static void mark_allocated(paddr_t block, unsigned order)
{
    memory_allocated(phys_to_virt(block), PAGE_SIZE << order);
}

// Interrupts off, the cache not empty.
static paddr_t cache_pop(struct page_pool *pool, struct page_cache *cache)
{
    uint32_t frame = cache->frames[--cache->count];
    cache->hits++;
    pool->buddy.pages[frame].state = PAGE_USED_HEAD;
    return buddy_address(&pool->buddy, frame);
}

static int alloc_single(struct page_pool *pool, paddr_t *out)
{
    irqflags_t flags = irq_save();
    struct page_cache *cache = &pool->cache[cpu_self()];
    int error = cache->count > 0 ? 0 : refill(pool, cache);
    if (error == 0) {
        *out = cache_pop(pool, cache);
    }
    irq_restore(flags);
    return error;
}

static int alloc_block(struct page_pool *pool, unsigned order, paddr_t *out)
{
    irqflags_t flags = spin_lock(&pool->lock);
    int error = buddy_alloc(&pool->buddy, order, out);
    struct page_cache *cache = &pool->cache[cpu_self()];
    if (error == -ENOMEM && cache->count > 0) {
        give_back(pool, cache, cache->count); // single pages held back may be what keeps a block apart
        error = buddy_alloc(&pool->buddy, order, out);
    }
    spin_unlock(&pool->lock, flags);
    return error;
}

// Everything but a single page from a full cache.
static __attribute__((noinline)) int alloc_slowly(struct page_pool *pool, unsigned order, paddr_t *out)
{
    if (fault_here(FAULT_PAGE_ALLOC)) {
        return -ENOMEM;
    }
    int error = order == 0 ? alloc_single(pool, out) : alloc_block(pool, order, out);
    if (error == 0) {
        mark_allocated(*out, order);
    }
    return error;
}

int page_alloc(struct page_pool *pool, unsigned order, paddr_t *out)
{
    if (likely(order == 0 && !fault_possible())) {
        irqflags_t flags = irq_save();
        struct page_cache *cache = &pool->cache[cpu_self()];
        if (likely(cache->count > 0)) {
            *out = cache_pop(pool, cache);
            mark_allocated(*out, 0);
            irq_restore(flags);
            return 0;
        }
        irq_restore(flags);
    }
    return alloc_slowly(pool, order, out);
}

int page_alloc_zeroed(struct page_pool *pool, paddr_t *out)
{
    int error = page_alloc(pool, 0, out);
    if (error == 0) {
        page_zero(phys_to_virt(*out));
    }
    return error;
}

static __attribute__((noinline)) void bad_free(const struct page_pool *pool, paddr_t block)
{
    panic("page free of 0x%lx: not a single page in use (double free?)", block.raw);
}

static __attribute__((noinline)) void make_room(struct page_pool *pool, struct page_cache *cache)
{
    spin_lock_raw(&pool->lock);
    give_back(pool, cache, PAGE_CACHE_BATCH);
    spin_unlock_raw(&pool->lock);
}

static __attribute__((noinline)) void free_block(struct page_pool *pool, paddr_t block, unsigned order)
{
    memory_freed(phys_to_virt(block), PAGE_SIZE << order); // first: once freed, another CPU may have it
    irqflags_t flags = spin_lock(&pool->lock);
    buddy_free(&pool->buddy, block, order);
    spin_unlock(&pool->lock, flags);
}

void page_free(struct page_pool *pool, paddr_t block, unsigned order)
{
    if (order != 0) {
        free_block(pool, block, order);
        return;
    }
    struct buddy *buddy = &pool->buddy;
    uint64_t offset = block.raw - buddy->base.raw, frame = offset >> PAGE_SHIFT;
    struct page *page = &buddy->pages[frame];
    if (unlikely(frame >= buddy->frames || !is_aligned(offset, PAGE_SIZE) || page->state != PAGE_USED_HEAD ||
                 page->order != 0)) {
        bad_free(pool, block);
        return; // never
    }
    memory_freed(phys_to_virt(block), PAGE_SIZE);
    irqflags_t flags = irq_save();
    struct page_cache *cache = &pool->cache[cpu_self()];
    page->state = PAGE_CACHED;
    cache->frames[cache->count++] = (uint32_t)frame;
    if (unlikely(cache->count == PAGE_CACHE_MAX)) {
        make_room(pool, cache);
    }
    irq_restore(flags);
}

void page_pool_drain(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        give_back(pool, &pool->cache[cpu], pool->cache[cpu].count);
    }
    spin_unlock(&pool->lock, flags);
}

static uint64_t cached_pages(const struct page_pool *pool)
{
    uint64_t cached = 0;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        cached += pool->cache[cpu].count;
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

const char *page_pool_check(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    const char *broken = buddy_check(&pool->buddy);
    uint64_t marked = 0;
    for (uint32_t frame = 0; frame < pool->buddy.frames; frame++) {
        marked += pool->buddy.pages[frame].state == PAGE_CACHED;
    }
    for (unsigned cpu = 0; cpu < MAX_CPUS && broken == NULL; cpu++) {
        const struct page_cache *cache = &pool->cache[cpu];
        if (cache->count > PAGE_CACHE_MAX) {
            broken = "a CPU's page cache is over full";
        }
        for (uint32_t i = 0; i < cache->count && broken == NULL; i++) {
            if (cache->frames[i] >= pool->buddy.frames || pool->buddy.pages[cache->frames[i]].state != PAGE_CACHED) {
                broken = "a CPU's page cache holds a page that is not cached";
            }
        }
    }
    spin_unlock(&pool->lock, flags);
    if (broken == NULL && marked != cached_pages(pool)) {
        broken = "cached pages are lost or listed twice";
    }
    return broken;
}
