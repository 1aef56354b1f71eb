#include "kernel/mm/slab.h"

#include <fault/fault.h>
#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/context.h"

#define RED_ZONE (FAULTLINE_CHECKS ? 16u : 0u)
#define RED_BYTE 0xbb
#define POISON_BYTE 0x6b
#define SLAB_MAX_ORDER 3u

// The smallest slab that wastes at most an eighth and holds eight objects, or the largest allowed.
static unsigned slab_order(uint32_t stride)
{
    unsigned order = 0;
    for (; order < SLAB_MAX_ORDER; order++) {
        uint64_t bytes = PAGE_SIZE << order;
        if (bytes / stride >= 8 && bytes % stride <= bytes / 8) {
            break;
        }
    }
    return order;
}

int slab_cache_init(struct slab_cache *cache, const char *name, size_t size, size_t align, struct page_pool *pool)
{
    if (align == 0) {
        align = size >= 16 ? 16 : 8;
    }
    if (size == 0 || size > SLAB_MAX_SIZE || !is_power_of_two(align) || align > PAGE_SIZE) {
        return -EINVAL;
    }
    uint32_t offset = (uint32_t)round_up(RED_ZONE, RED_ZONE > 0 ? align : 1);
    uint32_t stride = (uint32_t)round_up(offset + size + RED_ZONE, align);
    unsigned order = slab_order(stride);
    *cache = (struct slab_cache){
        .name = name,
        .pool = pool,
        .object_size = (uint32_t)size,
        .stride = stride,
        .offset = offset,
        .reciprocal = (uint32_t)(((1UL << 32) + stride - 1) / stride),
        .objects = (uint16_t)min_u64((PAGE_SIZE << order) / stride, SLAB_MAX_OBJECTS),
        .order = (uint8_t)order,
        .partial = BUDDY_NONE,
    };
    if (cache->objects == 0) {
        return -EINVAL; // an alignment so coarse that nothing fits
    }
    spin_init(&cache->lock, name, RANK_SLAB);
    return 0;
}

static struct page *slab_page(const struct slab_cache *cache, uint32_t frame)
{
    return &cache->pool->buddy.pages[frame];
}

static uint32_t slab_frame(const struct slab_cache *cache, const struct page *page)
{
    return (uint32_t)(page - cache->pool->buddy.pages);
}

static char *slab_memory(const struct slab_cache *cache, uint32_t frame)
{
    return phys_to_virt(buddy_address(&cache->pool->buddy, frame));
}

static void partial_push(struct slab_cache *cache, struct page *page)
{
    uint32_t frame = slab_frame(cache, page);
    page->prev = BUDDY_NONE;
    page->next = cache->partial;
    if (page->next != BUDDY_NONE) {
        slab_page(cache, page->next)->prev = frame;
    }
    cache->partial = frame;
}

static void partial_remove(struct slab_cache *cache, const struct page *page)
{
    if (page->prev == BUDDY_NONE) {
        cache->partial = page->next;
    } else {
        slab_page(cache, page->prev)->next = page->next;
    }
    if (page->next != BUDDY_NONE) {
        slab_page(cache, page->next)->prev = page->prev;
    }
}

#if FAULTLINE_CHECKS
static bool all_bytes(const unsigned char *at, size_t size, unsigned char value)
{
    return size == 0 || (at[0] == value && __builtin_memcmp(at, at + 1, size - 1) == 0);
}

static void make_poison(const struct slab_cache *cache, char *slot)
{
    __builtin_memset(slot, POISON_BYTE, cache->stride);
}

// The slot is open; what the object's owner may not touch is closed again.
static void dress(const struct slab_cache *cache, char *slot)
{
    if (!all_bytes((unsigned char *)slot, cache->stride, POISON_BYTE)) {
        panic("slab %s: object %p was written after it was freed", cache->name, (void *)(slot + cache->offset));
    }
    size_t right = cache->offset + cache->object_size;
    __builtin_memset(slot, RED_BYTE, cache->offset);
    __builtin_memset(slot + right, RED_BYTE, cache->stride - right);
    memory_freed(slot, cache->offset);
    memory_freed(slot + right, cache->stride - right);
}

static void undress(const struct slab_cache *cache, char *slot)
{
    size_t right = cache->offset + cache->object_size;
    memory_allocated(slot, cache->offset);
    memory_allocated(slot + right, cache->stride - right);
    if (!all_bytes((unsigned char *)slot, cache->offset, RED_BYTE) ||
        !all_bytes((unsigned char *)slot + right, cache->stride - right, RED_BYTE)) {
        panic("slab %s: bytes around object %p were overwritten", cache->name, (void *)(slot + cache->offset));
    }
    make_poison(cache, slot);
}
#else
static inline void make_poison(const struct slab_cache *cache, char *slot)
{
}
static inline void dress(const struct slab_cache *cache, char *slot)
{
}
static inline void undress(const struct slab_cache *cache, char *slot)
{
}
#endif

static int grow(struct slab_cache *cache) REQUIRES(cache->lock)
{
    paddr_t block;
    int error = page_alloc(cache->pool, cache->order, &block);
    if (error != 0) {
        return error;
    }
    struct page *page = page_of(cache->pool, block);
    for (unsigned tail = 0; tail < 1u << cache->order; tail++) {
        page[tail].owner = cache;
    }
    page->used = 0;
    for (unsigned word = 0; word < ARRAY_SIZE(page->free_bits); word++) {
        unsigned first = word * 64, last = first + 64;
        page->free_bits[word] = cache->objects >= last   ? UINT64_MAX
                                : cache->objects > first ? (1UL << (cache->objects - first)) - 1
                                                         : 0;
    }
    char *memory = phys_to_virt(block);
    for (unsigned i = 0; i < cache->objects && FAULTLINE_CHECKS; i++) {
        make_poison(cache, memory + (size_t)i * cache->stride);
    }
    memory_freed(memory, PAGE_SIZE << cache->order);
    partial_push(cache, page);
    COUNT_ADD(cache->slabs, 1); // /proc/meminfo looks without the lock
    cache->empty++;
    return 0;
}

static void release(struct slab_cache *cache, struct page *page) REQUIRES(cache->lock)
{
    partial_remove(cache, page);
    for (unsigned tail = 0; tail < 1u << cache->order; tail++) {
        page[tail].owner = NULL;
    }
    COUNT_ADD(cache->slabs, -1ul);
    cache->empty--;
    paddr_t block = buddy_address(&cache->pool->buddy, slab_frame(cache, page));
    page_free(cache->pool, block, cache->order);
}

static uint32_t take_object(struct slab_cache *cache, struct page *page) REQUIRES(cache->lock)
{
    unsigned word = 0;
    while (page->free_bits[word] == 0) {
        word++;
    }
    unsigned bit = (unsigned)__builtin_ctzll(page->free_bits[word]);
    page->free_bits[word] &= page->free_bits[word] - 1;
    cache->empty -= page->used == 0;
    if (++page->used == cache->objects) {
        partial_remove(cache, page);
        cache->full++;
    }
    return word * 64 + bit;
}

int slab_alloc(struct slab_cache *cache, void **out)
{
    context_may_allocate();
    irqflags_t flags = spin_lock(&cache->lock);
    if (fault_here(FAULT_SLAB_ALLOC) || (unlikely(cache->partial == BUDDY_NONE) && grow(cache) != 0)) {
        cache->failures++;
        spin_unlock(&cache->lock, flags);
        return -ENOMEM;
    }
    uint32_t frame = cache->partial;
    uint32_t index = take_object(cache, slab_page(cache, frame));
    WRITE_ONCE(cache->used, cache->used + 1); // heap_used_objects() looks without the lock
    cache->allocs++;
    spin_unlock(&cache->lock, flags);
    char *slot = slab_memory(cache, frame) + (size_t)index * cache->stride;
    memory_allocated(slot, cache->stride);
    dress(cache, slot);
    *out = slot + cache->offset;
    return 0;
}

static void bad_free(const struct slab_cache *cache, const void *object, const char *why)
{
    panic("slab %s: free of %p: %s", cache->name, object, why);
}

// The slab that object lies in, and its number there. A kernel bug that got this far is named.
static struct page *find_object(struct slab_cache *cache, const void *object, uint32_t *index)
{
    const struct buddy *buddy = &cache->pool->buddy;
    uint64_t offset = virt_to_phys(object).raw - buddy->base.raw;
    if (offset >> PAGE_SHIFT >= buddy->frames) {
        bad_free(cache, object, "not in this pool");
    }
    uint32_t frame = (uint32_t)(offset >> PAGE_SHIFT) & ~((1u << cache->order) - 1);
    struct page *page = slab_page(cache, frame);
    if (page->owner != cache) {
        bad_free(cache, object, "belongs to another cache, or to none");
    }
    uint64_t inside = offset - ((uint64_t)frame << PAGE_SHIFT) - cache->offset;
    *index = (uint32_t)((inside * cache->reciprocal) >> 32);
    if (*index >= cache->objects || (uint64_t)*index * cache->stride != inside) {
        bad_free(cache, object, "not the start of an object");
    }
    return page;
}

void slab_free(struct slab_cache *cache, void *object)
{
    uint32_t index;
    struct page *page = find_object(cache, object, &index);
    uint64_t bit = 1UL << (index % 64);
    char *slot = (char *)object - cache->offset;
    irqflags_t flags = spin_lock(&cache->lock);
    if (unlikely((page->free_bits[index / 64] & bit) != 0)) {
        bad_free(cache, object, "freed twice");
    }
    undress(cache, slot);
    memory_freed(slot, cache->stride);
    page->free_bits[index / 64] |= bit;
    WRITE_ONCE(cache->used, cache->used - 1);
    if (page->used-- == cache->objects) {
        partial_push(cache, page);
        cache->full--;
    }
    if (page->used == 0 && cache->empty++ > 0) {
        release(cache, page); // one empty slab is enough
    }
    spin_unlock(&cache->lock, flags);
}

void slab_cache_trim(struct slab_cache *cache)
{
    irqflags_t flags = spin_lock(&cache->lock);
    for (uint32_t frame = cache->partial; frame != BUDDY_NONE && cache->empty > 0;) {
        struct page *page = slab_page(cache, frame);
        frame = page->next;
        if (page->used == 0) {
            release(cache, page);
        }
    }
    spin_unlock(&cache->lock, flags);
}

int slab_cache_destroy(struct slab_cache *cache)
{
    if (cache->used > 0) {
        return -EBUSY;
    }
    slab_cache_trim(cache);
    return 0;
}

static const char *check_slab(const struct slab_cache *cache, const struct page *page)
{
    if (page->owner != cache || page->state != PAGE_USED_HEAD || page->order != cache->order) {
        return "a listed slab is not the cache's";
    }
    unsigned free = 0;
    for (unsigned word = 0; word < ARRAY_SIZE(page->free_bits); word++) {
        free += (unsigned)__builtin_popcountll(page->free_bits[word]);
    }
    if (free + page->used != cache->objects) {
        return "a slab's count of used objects is wrong";
    }
    return free > 0 ? NULL : "a full slab is listed as partial";
}

const char *slab_check(struct slab_cache *cache)
{
    irqflags_t flags = spin_lock(&cache->lock);
    const char *broken = NULL;
    uint64_t slabs = cache->full, used = (uint64_t)cache->full * cache->objects;
    uint32_t empty = 0, previous = BUDDY_NONE;
    for (uint32_t frame = cache->partial; frame != BUDDY_NONE && broken == NULL;) {
        const struct page *page = slab_page(cache, frame);
        broken = page->prev != previous ? "the partial list's back link is wrong" : check_slab(cache, page);
        if (slabs++ > cache->slabs) {
            broken = "the partial list runs in a circle";
        }
        used += page->used;
        empty += page->used == 0;
        previous = frame;
        frame = page->next;
    }
    if (broken == NULL && (slabs != cache->slabs || used != cache->used || empty != cache->empty)) {
        broken = "slabs or objects are lost or counted twice";
    }
    if (broken == NULL && empty > 1) {
        broken = "more than one empty slab is kept";
    }
    spin_unlock(&cache->lock, flags);
    return broken;
}
