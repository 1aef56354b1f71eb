#include "kernel/proc/layout.h"

#include <hal/entropy.h>

#define STACK_TOP (SPACE_HIGH - MIB(1))
#define PROGRAM_BASE 0x0000555555550000ull
#define RANDOM_BITS 18u // pages: a gigabyte, as Linux has it
#define GAP_LEAST MIB(128)

static bool fixed;

void layout_fix_all(void)
{
    fixed = true;
}

static uint64_t random_pages(const struct space *space, unsigned bits)
{
    uint32_t random = 0;
    if (!fixed && !space->fixed_layout) {
        entropy_fill(&random, sizeof(random));
    }
    return (uint64_t)(random & ((1u << bits) - 1)) * PAGE_SIZE;
}

void layout_choose(struct space *space, uint64_t stack_limit)
{
    uint64_t most = SPACE_HIGH / 6 * 5, gap;
    space->stack_top = STACK_TOP - random_pages(space, RANDOM_BITS);
    bool fits = add_fits(stack_limit, SPACE_STACK_GUARD, &gap);
    gap = round_up(min_u64(max_u64(fits ? gap : most, GAP_LEAST), most), PAGE_SIZE);
    space->mmap_top = space->stack_top - gap - random_pages(space, RANDOM_BITS);
}

uint64_t layout_bias(const struct space *space)
{
    return PROGRAM_BASE + random_pages(space, RANDOM_BITS);
}

uint64_t layout_brk(const struct space *space, uint64_t end)
{
    return end + random_pages(space, RANDOM_BITS);
}

uint64_t layout_stack_offset(const struct space *space)
{
    return random_pages(space, 7) / PAGE_SIZE * 16;
}
