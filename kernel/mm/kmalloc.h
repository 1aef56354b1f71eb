// Memory of any size: size classes over slabs, whole pages above. Task context from BOOT_MEMORY on, also with spinlocks
// held; never sleeps. Fault sites: slab_alloc, page_alloc.
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/slab.h"

#define HEAP_CLASSES 16u

struct heap {
    struct page_pool *pool;
    struct slab_cache classes[HEAP_CLASSES]; // 16, 32, 48, 64, 96, 128, 192, … 4096, 8192 bytes
    uint64_t large_pages;                    // held by allocations above the largest class
};

[[nodiscard]] int heap_init(struct heap *heap, struct page_pool *pool); // -EINVAL
[[nodiscard]] int heap_destroy(struct heap *heap);                      // -EBUSY: nothing changed
// At least size bytes, aligned to 16, undefined contents. -EINVAL: size 0; -ENOMEM (also: larger than 2^10 pages).
// Nothing changed then.
[[nodiscard]] int heap_alloc(struct heap *heap, size_t size, void **out);
void heap_free(struct heap *heap, void *memory);         // NULL is nothing; a foreign pointer panics
size_t heap_size(struct heap *heap, const void *memory); // usable bytes of an allocation
uint64_t heap_used_objects(struct heap *heap);
void heap_trim(struct heap *heap);
[[nodiscard]] const char *heap_check(struct heap *heap);

extern struct heap kernel_heap;
[[nodiscard]] int kmalloc(size_t size, void **out); // from kernel_heap
void kfree(void *memory);
