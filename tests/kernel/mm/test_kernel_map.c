#include "kernel/mm/kernel_map.h"

#include <fault/fault.h>

#include "kernel/debug/ktest.h"

static struct kernel_stack stacks[80];

static unsigned give_back(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        kernel_stack_free(&stacks[i]);
    }
    return count;
}

// Enough stacks to need table pages of their own, each tried with its second allocation made to fail.
TEST(kernel_map, a_stack_that_cannot_be_mapped_leaves_nothing)
{
    static uint32_t slots[ARRAY_SIZE(stacks)];
    const struct fault_plan plan = {.kinds = 1u << FAULT_PAGE_ALLOC, .nth = 2, .times = 1};
    uint64_t before = page_pool_free_pages(&kernel_pages);
    unsigned count = 0, failed = 0, lost = 0;
    for (; count < ARRAY_SIZE(stacks) && kernel_stack_alloc(&stacks[count]) == 0; count++) {
        slots[count] = stacks[count].slot;
    }
    EXPECT_EQ(give_back(count), ARRAY_SIZE(stacks));
    for (count = 0; count < ARRAY_SIZE(stacks); count++) {
        uint64_t free = page_pool_free_pages(&kernel_pages);
        fault_arm(&plan);
        int error = kernel_stack_alloc(&stacks[count]);
        fault_disarm();
        if (error == -ENOMEM) {
            failed++;
            lost += page_pool_free_pages(&kernel_pages) != free;
            error = kernel_stack_alloc(&stacks[count]);
        }
        if (error != 0) {
            break;
        }
        lost += stacks[count].slot != slots[count]; // the lowest first: the same as without failures
    }
    const char *broken = kernel_map_check();
    EXPECT_EQ(give_back(count), ARRAY_SIZE(stacks));
    EXPECT(failed > 0);
    EXPECT_EQ(lost, 0);
    EXPECT_SOUND(broken);
    EXPECT_SOUND(kernel_map_check());
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}

struct seen {
    uint64_t leaves, bytes, stack;
};

static void note(uint64_t va, uint64_t size, unsigned flags, void *argument)
{
    struct seen *seen = argument;
    seen->leaves++;
    seen->bytes += size;
    if (va >= KERNEL_STACK_BASE && va < KERNEL_STACK_BASE + KERNEL_STACK_MAX * KERNEL_STACK_SPAN) {
        seen->stack += (flags & MAP_WRITE) != 0 ? size : 0;
    }
}

TEST(kernel_map, a_walk_finds_each_stack_and_no_code_that_can_be_written)
{
    struct kernel_stack stack;
    struct seen before = {0}, with = {0};
    EXPECT_EQ(kernel_map_walk(note, &before), 0);
    EXPECT_EQ(kernel_stack_alloc(&stack), 0);
    uint64_t broken = kernel_map_walk(note, &with);
    kernel_stack_free(&stack);
    EXPECT_EQ(broken, 0);
    EXPECT_EQ(with.stack - before.stack, KERNEL_STACK_SIZE);
    EXPECT_EQ(with.bytes - before.bytes, KERNEL_STACK_SIZE);
    EXPECT_EQ(with.leaves - before.leaves, KERNEL_STACK_SIZE / PAGE_SIZE);
}
