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
