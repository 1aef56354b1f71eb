#include "kernel/mm/page_map.h"

#include "kernel/debug/ktest.h"
#include "kernel/mm/user_page.h"

TEST(page_map, sparse_numbers_and_truncation)
{
    static const uint64_t numbers[] = {0, 511, 512, 7, 1UL << 18, (1UL << 18) + 1, (1UL << 36) + 5, PAGE_MAP_LIMIT - 1};
    struct page_map map;
    paddr_t pages[ARRAY_SIZE(numbers)], found;
    uint64_t before = page_pool_free_pages(&kernel_pages);
    page_map_init(&map, &kernel_pages);
    EXPECT(!page_map_find(&map, 0, &found));
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        EXPECT_EQ(user_page_alloc(&kernel_pages, &pages[i]), 0);
        EXPECT_EQ(page_map_insert(&map, numbers[i], pages[i]), 0);
        EXPECT_EQ(page_map_insert(&map, numbers[i], pages[i]), -EEXIST);
        for (unsigned k = 0; k <= i; k++) {
            EXPECT(page_map_find(&map, numbers[k], &found) && found.raw == pages[k].raw);
        }
        EXPECT(!page_map_find(&map, numbers[i] + 2, &found));
    }
    EXPECT_EQ(page_map_insert(&map, PAGE_MAP_LIMIT, pages[0]), -EFBIG);
    static const uint64_t sorted[] = {0, 7, 511, 512, 1UL << 18, (1UL << 18) + 1, (1UL << 36) + 5, PAGE_MAP_LIMIT - 1};
    uint64_t number = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(sorted); i++, number++) { // as fast over the widest gap
        EXPECT(page_map_next(&map, &number, &found) && number == sorted[i]);
        paddr_t same;
        EXPECT(page_map_find(&map, number, &same) && same.raw == found.raw);
    }
    EXPECT(!page_map_next(&map, &number, &found));
    page_map_truncate(&map, (1UL << 18) + 1);
    EXPECT_EQ(map.count, 5);
    EXPECT(page_map_find(&map, 1UL << 18, &found) && !page_map_find(&map, (1UL << 18) + 1, &found));
    EXPECT(!page_map_find(&map, PAGE_MAP_LIMIT - 1, &found));
    page_map_truncate(&map, 1);
    EXPECT(map.count == 1 && page_map_find(&map, 0, &found));
    page_map_truncate(&map, 0);
    EXPECT_EQ(map.count, 0);
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}
