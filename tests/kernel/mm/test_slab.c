#include "kernel/debug/ktest.h"
#include "kernel/mm/kmalloc.h"

TEST(slab, fills_slabs_and_gives_them_back)
{
    static void *objects[300];
    struct slab_cache cache;
    uint64_t before = page_pool_free_pages(&kernel_pages);
    EXPECT_EQ(slab_cache_init(&cache, "test", 0, 0, &kernel_pages), -EINVAL);
    EXPECT_EQ(slab_cache_init(&cache, "test", SLAB_MAX_SIZE + 1, 0, &kernel_pages), -EINVAL);
    EXPECT_EQ(slab_cache_init(&cache, "test", 8, 24, &kernel_pages), -EINVAL);
    EXPECT_EQ(slab_cache_init(&cache, "test", 100, 64, &kernel_pages), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        EXPECT_EQ(slab_alloc(&cache, &objects[i]), 0);
        EXPECT(is_aligned((uint64_t)objects[i], 64));
        __builtin_memset(objects[i], (int)i, 100);
    }
    EXPECT_SOUND(slab_check(&cache));
    EXPECT_EQ(slab_cache_destroy(&cache), -EBUSY);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        EXPECT_EQ(*(unsigned char *)objects[i], i % 256);
        slab_free(&cache, objects[i]);
    }
    EXPECT_SOUND(slab_check(&cache));
    EXPECT_EQ(slab_cache_destroy(&cache), 0);
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}

TEST(kmalloc, every_size_up_to_the_classes_end)
{
    for (size_t size = 1; size <= 9000; size += size < 1100 ? 1 : 97) {
        void *memory;
        EXPECT_EQ(kmalloc(size, &memory), 0);
        EXPECT(heap_size(&kernel_heap, memory) >= size);
        EXPECT(heap_size(&kernel_heap, memory) <= 2 * size + 16);
        EXPECT(is_aligned((uint64_t)memory, 16));
        kfree(memory);
    }
    EXPECT_SOUND(heap_check(&kernel_heap));
}

TEST(kmalloc, refuses_what_cannot_be)
{
    void *memory = &memory;
    EXPECT_EQ(kmalloc(0, &memory), -EINVAL);
    EXPECT_EQ(kmalloc(SIZE_MAX, &memory), -ENOMEM);
    EXPECT_EQ(kmalloc((PAGE_SIZE << BUDDY_MAX_ORDER) + 1, &memory), -ENOMEM);
    EXPECT(memory == &memory);
    kfree(NULL);
}

TEST(slab, what_can_never_fit_is_refused)
{
    struct slab_cache cache;
    EXPECT_EQ(slab_cache_init(&cache, "test", SLAB_MAX_SIZE, PAGE_SIZE, &kernel_pages), 0);
    EXPECT(cache.objects > 0);
    EXPECT_EQ(slab_cache_init(&cache, "test", 8, 2 * PAGE_SIZE, &kernel_pages), -EINVAL);
    EXPECT_EQ(slab_cache_init(&cache, "test", 1, 0, &kernel_pages), 0);
    EXPECT_EQ(cache.stride % 8, 0);
}

// More objects in a slab than fit into one word of its map, taken and given back in different orders.
TEST(slab, many_small_objects)
{
    static void *objects[600];
    struct slab_cache cache;
    EXPECT_EQ(slab_cache_init(&cache, "small", 8, 0, &kernel_pages), 0);
    EXPECT(cache.objects > 64 && cache.objects <= SLAB_MAX_OBJECTS);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        EXPECT_EQ(slab_alloc(&cache, &objects[i]), 0);
        *(uint64_t *)objects[i] = i;
    }
    EXPECT_SOUND(slab_check(&cache));
    EXPECT(cache.full >= 2 && cache.slabs >= 3);
    for (unsigned step = 0; step < 7; step++) {
        for (unsigned i = step; i < ARRAY_SIZE(objects); i += 7) {
            EXPECT_EQ(*(uint64_t *)objects[i], i);
            slab_free(&cache, objects[i]);
        }
        EXPECT_SOUND(slab_check(&cache));
    }
    EXPECT_EQ(cache.empty, 1); // kept against ping-pong
    EXPECT_EQ(slab_cache_destroy(&cache), 0);
    EXPECT_EQ(cache.slabs, 0);
}

TEST(kmalloc, a_heap_in_use_is_not_destroyed)
{
    static struct heap heap;
    void *small, *large;
    EXPECT_EQ(heap_init(&heap, &kernel_pages), 0);
    EXPECT_EQ(heap_alloc(&heap, 10, &small), 0);
    EXPECT_EQ(heap_alloc(&heap, 50000, &large), 0);
    EXPECT_EQ(heap_size(&heap, large), 65536);
    EXPECT_EQ(heap_destroy(&heap), -EBUSY);
    heap_free(&heap, small);
    EXPECT_EQ(heap_destroy(&heap), -EBUSY);
    heap_free(&heap, large);
    EXPECT_EQ(heap_destroy(&heap), 0);
}
