#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/sync/lfstack.h"

TEST(lfstack, last_in_first_out)
{
    uint32_t next[4], length;
    struct lfstack stack;
    EXPECT_EQ(lfstack_init(&stack, next, 0), -EINVAL);
    EXPECT_EQ(lfstack_init(&stack, next, 4), 0);
    EXPECT_EQ(lfstack_pop(&stack), LFSTACK_EMPTY);
    lfstack_push(&stack, 2);
    lfstack_push(&stack, 0);
    EXPECT_SOUND(lfstack_check(&stack, &length));
    EXPECT_EQ(length, 2);
    EXPECT_EQ(lfstack_pop(&stack), 0);
    EXPECT_EQ(lfstack_pop(&stack), 2);
    EXPECT_EQ(lfstack_pop(&stack), LFSTACK_EMPTY);
}

TEST(lfstack, the_walk_finds_what_is_broken)
{
    uint32_t next[4], length;
    struct lfstack stack;
    EXPECT_EQ(lfstack_init(&stack, next, LFSTACK_EMPTY), -EINVAL);
    EXPECT_EQ(lfstack_init(&stack, next, 4), 0);
    lfstack_push(&stack, 1);
    lfstack_push(&stack, 3);
    EXPECT_SOUND(lfstack_check(&stack, &length));
    next[1] = 4;
    const char *outside = lfstack_check(&stack, &length);
    EXPECT(outside != NULL && text_equal(outside, "an index is out of range"));
    next[1] = 3;
    const char *circle = lfstack_check(&stack, &length);
    EXPECT(circle != NULL && text_equal(circle, "the stack runs in a circle"));
    next[1] = LFSTACK_EMPTY;
    EXPECT_SOUND(lfstack_check(&stack, &length));
    EXPECT_EQ(length, 2);
}
