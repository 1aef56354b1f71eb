#include "kernel/mm/page_alloc.h"

#include <fault/fault.h>
#include <hal/cpu.h>
#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/context.h"

struct page_pool kernel_pages;

int page_pool_init(struct page_pool *pool, paddr_t base, uint64_t frames, struct page *pages)
{
    int error = buddy_init(&pool->buddy, base, frames, pages);
    if (error != 0) {
        return error;
    }
    spin_init(&pool->lock, "pages", RANK_PAGES);
    pool->refills = 0;
    for (unsigned i = 0; i < MAX_CPUS * PAGE_CACHE_ORDERS; i++) {
        pool->cache[i / PAGE_CACHE_ORDERS][i % PAGE_CACHE_ORDERS] = (struct page_cache){.limit = 1};
    }
    return 0;
}

static void set_limits(struct page_pool *pool) REQUIRES(pool->lock)
{
    uint64_t pages = pool->buddy.managed_frames / (PAGE_CACHE_SHARE * MAX_CPUS * PAGE_CACHE_ORDERS);
    pages = max_u64(pages, PAGE_CACHE_MIN);
    for (unsigned i = 0; i < MAX_CPUS * PAGE_CACHE_ORDERS; i++) {
        unsigned order = i % PAGE_CACHE_ORDERS;
        uint64_t blocks = max_u64(min_u64(pages >> order, PAGE_CACHE_MAX), 1);
        pool->cache[i / PAGE_CACHE_ORDERS][order].limit = (uint32_t)blocks;
    }
}

int page_pool_add(struct page_pool *pool, paddr_t start, uint64_t frames)
{
    irqflags_t flags = spin_lock(&pool->lock);
    int error = buddy_add(&pool->buddy, start, frames);
    set_limits(pool);
    spin_unlock(&pool->lock, flags);
    if (error == 0) {
        memory_freed(phys_to_virt(start), frames << PAGE_SHIFT);
    }
    return error;
}

static uint32_t take_one(struct page_cache *cache)
{
    COUNT_ADD(cache->count, -1u);
    return cache->count;
}

static void give_back(struct page_pool *pool, struct page_cache *cache, unsigned order, uint32_t blocks)
    REQUIRES(pool->lock)
{
    while (blocks-- > 0) {
        buddy_release(&pool->buddy, cache->frames[take_one(cache)], order);
    }
}

static void give_back_all(struct page_pool *pool, unsigned cpu) REQUIRES(pool->lock)
{
    for (unsigned order = 0; order < PAGE_CACHE_ORDERS; order++) {
        struct page_cache *cache = &pool->cache[cpu][order];
        give_back(pool, cache, order, cache->count);
    }
}

// Takes up to half a cache of blocks from the buddy; the lowest address ends on top.
static void refill(struct page_pool *pool, struct page_cache *cache, unsigned order) REQUIRES(pool->lock)
{
    uint32_t want = (cache->limit + 1) / 2, missing = want, frame;
    while (missing > 0 && (frame = buddy_take(&pool->buddy, order, PAGE_CACHED)) != BUDDY_NONE) {
        cache->frames[--missing] = frame;
    }
    for (uint32_t i = missing; i < want && missing > 0; i++) {
        cache->frames[i - missing] = cache->frames[i];
    }
    WRITE_ONCE(cache->count, want - missing);
    pool->refills++;
}

static void mark_allocated(paddr_t block, unsigned order)
{
    memory_allocated(phys_to_virt(block), PAGE_SIZE << order);
}

// A block is there.
static inline paddr_t cache_pop(struct page_pool *pool, struct page_cache *cache)
{
    uint32_t frame = cache->frames[take_one(cache)];
    WRITE_ONCE(pool->buddy.pages[frame].state, PAGE_USED_HEAD);
    return buddy_address(&pool->buddy, frame);
}

// What this CPU holds back may be what keeps a block apart.
static __attribute__((noinline)) int drain_and_alloc(struct page_pool *pool, unsigned order, paddr_t *out)
    REQUIRES(pool->lock)
{
    give_back_all(pool, cpu_self());
    return buddy_alloc(&pool->buddy, order, out);
}

bool (*page_reserve_is_ours)(void);

// Whether so many pages may be taken from the buddy by whoever runs now.
static bool may_take(const struct page_pool *pool, unsigned order) REQUIRES(pool->lock)
{
    bool plenty = pool->buddy.free_frames >= page_pool_reserve_of_root(pool) + (1ul << order);
    return plenty || page_reserve_is_ours == NULL || page_reserve_is_ours();
}

// The cache is empty.
static __attribute__((noinline)) int refill_and_alloc(struct page_pool *pool, struct page_cache *cache, unsigned order,
                                                      paddr_t *out, irqflags_t flags)
{
    int error = 0;
    spin_lock_raw(&pool->lock);
    if (unlikely(!may_take(pool, order))) {
        error = -ENOMEM;
    } else {
        refill(pool, cache, order);
        if (likely(cache->count > 0)) {
            *out = cache_pop(pool, cache);
        } else {
            error = drain_and_alloc(pool, order, out);
        }
    }
    if (error == 0) {
        mark_allocated(*out, order);
    }
    spin_unlock(&pool->lock, flags);
    return error;
}

static __attribute__((noinline)) int alloc_large(struct page_pool *pool, unsigned order, paddr_t *out)
{
    irqflags_t flags = spin_lock(&pool->lock);
    int error = may_take(pool, order) ? buddy_alloc(&pool->buddy, order, out) : -ENOMEM;
    if (unlikely(error == -ENOMEM) && may_take(pool, order)) {
        error = drain_and_alloc(pool, order, out);
    }
    if (error == 0) {
        mark_allocated(*out, order);
    }
    spin_unlock(&pool->lock, flags);
    return error;
}

static inline int alloc_block(struct page_pool *pool, unsigned order, paddr_t *out)
{
    if (unlikely(order >= PAGE_CACHE_ORDERS)) {
        return alloc_large(pool, order, out);
    }
    irqflags_t flags = irq_save();
    struct page_cache *cache = &pool->cache[cpu_self()][order];
    if (unlikely(cache->count == 0)) {
        return refill_and_alloc(pool, cache, order, out, flags); // a tail call: the common path keeps nothing for it
    }
    *out = cache_pop(pool, cache);
    mark_allocated(*out, order);
    irq_restore(flags);
    return 0;
}

static __attribute__((noinline)) int alloc_or_fail(struct page_pool *pool, unsigned order, paddr_t *out)
{
    return fault_here(FAULT_PAGE_ALLOC) ? -ENOMEM : alloc_block(pool, order, out);
}

int page_alloc(struct page_pool *pool, unsigned order, paddr_t *out)
{
    context_may_allocate();
    return unlikely(fault_possible()) ? alloc_or_fail(pool, order, out) : alloc_block(pool, order, out);
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

// The cache is full.
static __attribute__((noinline)) void make_room(struct page_pool *pool, struct page_cache *cache, unsigned order,
                                                irqflags_t flags)
{
    spin_lock_raw(&pool->lock);
    give_back(pool, cache, order, (cache->limit + 1) / 2);
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
    struct page_cache *cache = &pool->cache[cpu_self()][order];
    WRITE_ONCE(page->state, PAGE_CACHED);
    cache->frames[cache->count] = (uint32_t)frame;
    COUNT_ADD(cache->count, 1);
    if (unlikely(cache->count == cache->limit)) {
        make_room(pool, cache, order, flags);
        return;
    }
    irq_restore(flags);
}

void page_pool_drain(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        give_back_all(pool, cpu);
    }
    spin_unlock(&pool->lock, flags);
}

void page_pool_drain_cpu(struct page_pool *pool)
{
    irqflags_t flags = spin_lock(&pool->lock);
    give_back_all(pool, cpu_self());
    spin_unlock(&pool->lock, flags);
}

static uint64_t cached_pages(const struct page_pool *pool)
{
    uint64_t cached = 0;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        for (unsigned order = 0; order < PAGE_CACHE_ORDERS; order++) {
            cached += (uint64_t)READ_ONCE(pool->cache[cpu][order].count) << order;
        }
    }
    return cached;
}

uint64_t page_pool_free_pages(struct page_pool *pool)
{
    return READ_ONCE(pool->buddy.free_frames) + cached_pages(pool);
}

struct page_stats page_pool_stats(struct page_pool *pool)
{
    struct page_stats stats = {.total = pool->buddy.managed_frames};
    irqflags_t flags = spin_lock(&pool->lock);
    stats.cache_refills = pool->refills;
    stats.free = pool->buddy.free_frames;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        for (uint32_t at = pool->buddy.head[order]; at != BUDDY_NONE; at = pool->buddy.pages[at].next) {
            stats.free_blocks[order]++;
        }
    }
    spin_unlock(&pool->lock, flags);
    stats.cached = cached_pages(pool);
    return stats;
}

static const char *check_cache(const struct page_pool *pool, const struct page_cache *cache, unsigned order)
{
    if (cache->count >= cache->limit) {
        return "a CPU's page cache is over full";
    }
    for (uint32_t i = 0; i < cache->count; i++) {
        uint32_t frame = cache->frames[i];
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
        broken = check_cache(pool, &pool->cache[i / PAGE_CACHE_ORDERS][i % PAGE_CACHE_ORDERS], i % PAGE_CACHE_ORDERS);
    }
    if (broken == NULL && marked != cached_pages(pool)) {
        broken = "cached pages are lost or listed twice";
    }
    spin_unlock(&pool->lock, flags);
    return broken;
}
