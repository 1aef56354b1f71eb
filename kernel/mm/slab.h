// Slab allocator: caches of equal objects. Task context from BOOT_MEMORY on, also with spinlocks held; never sleeps.
// Fault site: slab_alloc. With FAULTLINE_CHECKS each object has red zones and is poisoned while free.
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/page_alloc.h"

#define SLAB_MAX_SIZE 8192u
#define SLAB_MAX_OBJECTS 256u

struct slab_cache {
    struct spinlock lock; // covers all below that changes
    const char *name;
    struct page_pool *pool;
    uint32_t object_size; // as asked for
    uint32_t stride;      // distance of two objects
    uint32_t offset;      // of the object in its stride: the left red zone
    uint32_t reciprocal;  // 2^32 / stride, rounded up
    uint16_t objects;     // in one slab, at most SLAB_MAX_OBJECTS
    uint8_t order;        // pages of one slab, as a power of two
    uint32_t partial; // frame of the first slab with free objects; BUDDY_NONE ends. At most one of them has none in use
    uint32_t full;    // slabs without free objects: counted, not listed
    uint32_t empty;   // slabs without used objects, 0 or 1, kept against ping-pong
    uint64_t slabs, used;      // slabs held, objects given out
    uint64_t allocs, failures; // since init
};

// size 1 to SLAB_MAX_SIZE, align a power of two up to PAGE_SIZE (0: natural). -EINVAL: nothing changed.
[[nodiscard]] int slab_cache_init(struct slab_cache *cache, const char *name, size_t size, size_t align,
                                  struct page_pool *pool);
// Gives all memory back. -EBUSY while objects are in use: nothing changed.
[[nodiscard]] int slab_cache_destroy(struct slab_cache *cache);
// An object with undefined contents. -ENOMEM: *out and the cache unchanged.
[[nodiscard]] int slab_alloc(struct slab_cache *cache, void **out);
// Double free, wrong cache, a pointer into an object, or a broken red zone panics and names the cache and the object.
void slab_free(struct slab_cache *cache, void *object);
// Returns the spare slab to the pages.
void slab_cache_trim(struct slab_cache *cache);
[[nodiscard]] const char *slab_check(struct slab_cache *cache);
