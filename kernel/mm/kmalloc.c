#include "kernel/mm/kmalloc.h"

#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

struct heap kernel_heap;

static const struct {
    uint16_t size;
    const char *name;
} classes[HEAP_CLASSES] = {
    {16, "heap-16"},     {32, "heap-32"},     {48, "heap-48"},     {64, "heap-64"},
    {96, "heap-96"},     {128, "heap-128"},   {192, "heap-192"},   {256, "heap-256"},
    {384, "heap-384"},   {512, "heap-512"},   {768, "heap-768"},   {1024, "heap-1024"},
    {1536, "heap-1536"}, {2048, "heap-2048"}, {4096, "heap-4096"}, {8192, "heap-8192"},
};

// Class for (size + 15) / 16, for sizes up to 1024: no search on the common path.
static const uint8_t small_class[65] = {
    0,  0,  1,  2,  3,  4,  4,  5,  5,  6,  6,  6,  6,  7,  7,  7,  7,  8,  8,  8,  8,  8,
    8,  8,  8,  9,  9,  9,  9,  9,  9,  9,  9,  10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
};

static unsigned class_of(size_t size)
{
    if (likely(size <= 1024)) {
        return small_class[(size + 15) / 16];
    }
    return size <= 1536 ? 12 : size <= 2048 ? 13 : size <= 4096 ? 14 : 15;
}

int heap_init(struct heap *heap, struct page_pool *pool)
{
    heap->pool = pool;
    heap->large_pages = 0;
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        int error = slab_cache_init(&heap->classes[i], classes[i].name, classes[i].size, 16, pool);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int heap_destroy(struct heap *heap)
{
    if (heap_used_objects(heap) > 0) {
        return -EBUSY;
    }
    heap_trim(heap);
    return 0;
}

static int alloc_large(struct heap *heap, size_t size, void **out)
{
    unsigned order = 0;
    while (order <= BUDDY_MAX_ORDER && PAGE_SIZE << order < size) {
        order++;
    }
    if (order > BUDDY_MAX_ORDER) {
        return -ENOMEM;
    }
    paddr_t block;
    int error = page_alloc(heap->pool, order, &block);
    if (error != 0) {
        return error;
    }
    page_of(heap->pool, block)->owner = heap;
    atomic_add(&heap->large_pages, 1ul << order);
    *out = phys_to_virt(block);
    return 0;
}

int heap_alloc(struct heap *heap, size_t size, void **out)
{
    if (unlikely(size == 0)) {
        return -EINVAL;
    }
    if (likely(size <= SLAB_MAX_SIZE)) {
        return slab_alloc(&heap->classes[class_of(size)], out);
    }
    return alloc_large(heap, size, out);
}

static struct page *page_of_memory(struct heap *heap, const void *memory)
{
    paddr_t address = virt_to_phys(memory);
    uint64_t offset = address.raw - heap->pool->buddy.base.raw;
    if (unlikely(offset >> PAGE_SHIFT >= heap->pool->buddy.frames)) {
        panic("heap: %p is not in its pool", memory);
    }
    return page_of(heap->pool, address);
}

static struct slab_cache *cache_of(struct heap *heap, const struct page *page)
{
    char *owner = page->owner, *first = (char *)heap->classes;
    bool ours = owner >= first && owner < first + sizeof(heap->classes);
    return ours ? page->owner : NULL;
}

static bool is_large(const struct heap *heap, const struct page *page, const void *memory)
{
    return page->owner == heap && page->state == PAGE_USED_HEAD && is_aligned(virt_to_phys(memory).raw, PAGE_SIZE);
}

void heap_free(struct heap *heap, void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct page *page = page_of_memory(heap, memory);
    struct slab_cache *cache = cache_of(heap, page);
    if (likely(cache != NULL)) {
        slab_free(cache, memory);
        return;
    }
    if (!is_large(heap, page, memory)) {
        panic("heap: free of %p, which it did not give out", memory);
    }
    unsigned order = page->order;
    page->owner = NULL;
    atomic_add(&heap->large_pages, -(1ul << order));
    page_free(heap->pool, virt_to_phys(memory), order);
}

size_t heap_size(struct heap *heap, const void *memory)
{
    const struct page *page = page_of_memory(heap, memory);
    const struct slab_cache *cache = cache_of(heap, page);
    if (cache != NULL) {
        return cache->object_size;
    }
    ASSERT(is_large(heap, page, memory));
    return PAGE_SIZE << page->order;
}

uint64_t heap_used_objects(struct heap *heap)
{
    uint64_t used = heap->large_pages;
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        used += READ_ONCE(heap->classes[i].used);
    }
    return used;
}

void heap_trim(struct heap *heap)
{
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        slab_cache_trim(&heap->classes[i]);
    }
}

const char *heap_check(struct heap *heap)
{
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        const char *broken = slab_check(&heap->classes[i]);
        if (broken != NULL) {
            return broken;
        }
    }
    return NULL;
}

int kmalloc(size_t size, void **out)
{
    return heap_alloc(&kernel_heap, size, out);
}

void kfree(void *memory)
{
    heap_free(&kernel_heap, memory);
}
