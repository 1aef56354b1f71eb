#include "kernel/debug/ktest.h"
#include "kernel/mm/page_alloc.h"

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
