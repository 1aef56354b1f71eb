#include "kernel/mm/page_alloc.h"

#include <hal/memory.h>

#include "kernel/debug/ktest.h"

TEST(page_alloc, orders_are_aligned_and_come_back)
{
    uint64_t before = page_pool_free_pages(&kernel_pages);
    paddr_t blocks[BUDDY_ORDERS];
    unsigned got = 0;
    for (; got < 8; got++) {
        EXPECT_EQ(page_alloc(&kernel_pages, got, &blocks[got]), 0);
        EXPECT(is_aligned(blocks[got].raw, PAGE_SIZE << got));
    }
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before - 255);
    EXPECT_EQ(page_alloc(&kernel_pages, BUDDY_MAX_ORDER + 1, &blocks[8]), -EINVAL);
    while (got-- > 0) {
        page_free(&kernel_pages, blocks[got], got);
    }
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}

TEST(page_alloc, no_page_twice)
{
    enum { COUNT = 100 };
    static paddr_t pages[COUNT];
    for (int i = 0; i < COUNT; i++) {
        EXPECT_EQ(page_alloc(&kernel_pages, 0, &pages[i]), 0);
        for (int j = 0; j < i; j++) {
            EXPECT(pages[i].raw != pages[j].raw);
        }
    }
    for (int i = 0; i < COUNT; i++) {
        page_free(&kernel_pages, pages[i], 0);
    }
    EXPECT_SOUND(page_pool_check(&kernel_pages));
}

TEST(page_alloc, statistics_add_up)
{
    paddr_t page;
    EXPECT_EQ(page_alloc(&kernel_pages, 0, &page), 0);
    page_free(&kernel_pages, page, 0);
    struct page_stats stats = page_pool_stats(&kernel_pages);
    uint64_t in_blocks = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        in_blocks += stats.free_blocks[order] << order;
    }
    EXPECT_EQ(in_blocks, stats.free);
    EXPECT(stats.cached > 0 && stats.free + stats.cached <= stats.total);
    EXPECT_EQ(stats.free + stats.cached, page_pool_free_pages(&kernel_pages));
}

TEST(page_alloc, a_zeroed_page_is_zero)
{
    paddr_t page;
    EXPECT_EQ(page_alloc(&kernel_pages, 0, &page), 0);
    __builtin_memset(phys_to_virt(page), 0xa5, PAGE_SIZE);
    page_free(&kernel_pages, page, 0);
    EXPECT_EQ(page_alloc_zeroed(&kernel_pages, &page), 0); // the same, out of this CPU's cache, or another
    const uint64_t *words = phys_to_virt(page);
    uint64_t any = 0;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
        any |= words[i];
    }
    page_free(&kernel_pages, page, 0);
    EXPECT_EQ(any, 0);
}

TEST(page_alloc, a_pool_that_cannot_be_is_refused)
{
    static struct page_pool pool;
    static struct page pages[2];
    EXPECT_EQ(page_pool_init(&pool, paddr(PAGE_SIZE), 2, pages), -EINVAL);
    EXPECT_EQ(page_pool_init(&pool, paddr(0), 2, pages), 0);
    EXPECT_EQ(page_pool_add(&pool, paddr(PAGE_SIZE), 2), -EINVAL);
    EXPECT_EQ(page_pool_free_pages(&pool), 0);
}
