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
