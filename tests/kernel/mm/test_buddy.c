#include "kernel/mm/buddy.h"

#include "kernel/debug/ktest.h"

#define BASE MIB(64)

static struct page frames[32];
static struct buddy buddy;

static paddr_t frame(uint64_t number)
{
    return paddr(BASE + number * PAGE_SIZE);
}

TEST(buddy, ranges_that_cannot_be_are_refused)
{
    EXPECT_EQ(buddy_init(&buddy, paddr(BASE + PAGE_SIZE), 32, frames), -EINVAL);
    EXPECT_EQ(buddy_init(&buddy, paddr(BASE), 0, frames), -EINVAL);
    EXPECT_EQ(buddy_init(&buddy, paddr(BASE), (1ul << 31) + 1, frames), -EINVAL);
    EXPECT_EQ(buddy_init(&buddy, paddr(BASE), 32, frames), 0);
    EXPECT_EQ(buddy_add(&buddy, paddr(BASE - PAGE_SIZE), 1), -EINVAL);
    EXPECT_EQ(buddy_add(&buddy, paddr(BASE + 1), 1), -EINVAL);
    EXPECT_EQ(buddy_add(&buddy, frame(33), 0), -EINVAL);
    EXPECT_EQ(buddy_add(&buddy, frame(30), 3), -EINVAL);
    EXPECT_EQ(buddy_add(&buddy, frame(1), UINT64_MAX), -EINVAL);
    EXPECT_EQ(buddy_add(&buddy, frame(8), 8), 0);
    EXPECT_EQ(buddy_add(&buddy, frame(15), 2), -EEXIST);
    EXPECT_EQ(buddy_add(&buddy, frame(4), 5), -EEXIST);
    EXPECT_EQ(buddy.managed_frames, 8);
    EXPECT_SOUND(buddy_check(&buddy));
}

TEST(buddy, odd_ends_are_used_and_neighbours_merge)
{
    paddr_t block;
    EXPECT_EQ(buddy_init(&buddy, paddr(BASE), 27, frames), 0);
    EXPECT_EQ(buddy_add(&buddy, frame(3), 10), 0);
    EXPECT_EQ(buddy_add(&buddy, frame(13), 14), 0); // together 3 to 26
    EXPECT_SOUND(buddy_check(&buddy));
    EXPECT_EQ(buddy.free_frames, 24);
    EXPECT_EQ(buddy_alloc(&buddy, 3, &block), 0);
    EXPECT(block.raw == frame(8).raw || block.raw == frame(16).raw);
    EXPECT_EQ(buddy_alloc(&buddy, 4, &block), -ENOMEM);
    EXPECT_EQ(buddy_alloc(&buddy, BUDDY_ORDERS, &block), -EINVAL);
    unsigned pages = 0;
    while (buddy_alloc(&buddy, 0, &block) == 0) {
        pages++;
        EXPECT_SOUND(buddy_check(&buddy));
    }
    EXPECT_EQ(pages, 16);
    EXPECT_EQ(buddy.free_frames, 0);
}
