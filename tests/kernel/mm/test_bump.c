#include "kernel/debug/ktest.h"
#include "kernel/mm/bump.h"

TEST(bump, aligns_and_ends)
{
    struct bump bump;
    paddr_t out = paddr(1);
    EXPECT_EQ(bump_init(&bump, paddr(0x2000), paddr(0x1000)), -EINVAL);
    EXPECT_EQ(bump_init(&bump, paddr(0x1001), paddr(0x3000)), 0);
    EXPECT_EQ(bump_alloc(&bump, 0, 8, &out), -EINVAL);
    EXPECT_EQ(bump_alloc(&bump, 8, 3, &out), -EINVAL);
    EXPECT_EQ(bump_alloc(&bump, 1, 0x1000, &out), 0);
    EXPECT_EQ(out.raw, 0x2000);
    EXPECT_EQ(bump_alloc(&bump, 0x1000, 1, &out), -ENOMEM);
    EXPECT_EQ(out.raw, 0x2000);
    EXPECT_EQ(bump_alloc(&bump, 0xfff, 1, &out), 0);
    EXPECT_EQ(bump_alloc(&bump, UINT64_MAX, 1, &out), -ENOMEM);
    EXPECT_EQ(bump_alloc(&bump, 1, 1UL << 63, &out), -ENOMEM);
    EXPECT_SOUND(bump_check(&bump));
    EXPECT_EQ(bump_init(&bump, paddr(UINT64_MAX - 100), paddr(UINT64_MAX)), 0);
    EXPECT_EQ(bump_alloc(&bump, 1, 0x1000, &out), -ENOMEM); // aligning alone runs over
    EXPECT_EQ(bump_alloc(&bump, 100, 1, &out), 0);
    EXPECT_SOUND(bump_check(&bump));
}
