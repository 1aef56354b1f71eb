#include "kernel/proc/layout.h"

#include "kernel/debug/ktest.h"

#define PAGES_RANDOM (1ull << 18)

TEST(layout, parts_keep_their_distance)
{
    static const uint64_t limits[] = {0, KIB(64), MIB(8), GIB(1), UINT64_MAX};
    static struct space space;
    for (unsigned i = 0; i < ARRAY_SIZE(limits) * 4; i++) {
        uint64_t limit = limits[i / 4];
        space = (struct space){0};
        layout_choose(&space, limit);
        uint64_t bias = layout_bias(&space), gap = space.stack_top - space.mmap_top;
        EXPECT(is_aligned(space.stack_top | space.mmap_top | bias, PAGE_SIZE));
        EXPECT(space.stack_top < SPACE_HIGH && space.stack_top >= SPACE_HIGH - MIB(1) - PAGES_RANDOM * PAGE_SIZE);
        EXPECT(gap >= MIB(128) && space.mmap_top < space.stack_top && space.mmap_top > SPACE_LOW);
        EXPECT(limit == UINT64_MAX || gap >= limit + SPACE_STACK_GUARD);
        EXPECT(bias >= 0x555555550000 && bias < 0x555555550000 + PAGES_RANDOM * PAGE_SIZE);
        EXPECT(layout_brk(&space, MIB(5)) - MIB(5) < PAGES_RANDOM * PAGE_SIZE);
        EXPECT(layout_stack_offset(&space) < 2048 && is_aligned(layout_stack_offset(&space), 16));
    }
}

TEST(layout, may_be_fixed)
{
    static struct space a, b;
    a = b = (struct space){.fixed_layout = true};
    layout_choose(&a, MIB(8));
    layout_choose(&b, MIB(8));
    EXPECT_EQ(a.stack_top, b.stack_top);
    EXPECT_EQ(a.mmap_top, b.mmap_top);
    EXPECT_EQ(layout_bias(&a), layout_bias(&b));
    EXPECT_EQ(layout_brk(&a, MIB(7)), MIB(7));
    EXPECT_EQ(layout_stack_offset(&a), 0);
}
