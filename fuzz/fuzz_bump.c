// The bump allocator against arithmetic in wider integers.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "kernel/mm/bump.h"

#define WIDE unsigned __int128

static struct bump bump;

static uint64_t value(struct input *input)
{
    uint8_t how = input_u8(input);
    switch (how & 7) {
    case 0:
        return input_u64(input);
    case 1:
        return 1ull << (how >> 3) << (input_u8(input) & 31);
    case 2:
        return bump.end.raw - bump.next.raw + (how >> 3) - 16;
    case 3:
        return UINT64_MAX - (how >> 3);
    case 4:
        return 0;
    default:
        return input_u16(input);
    }
}

static void init(struct input *input)
{
    paddr_t start = paddr(value(input)), end = paddr(value(input));
    struct bump before = bump;
    int error = bump_init(&bump, start, end);
    OP("init 0x%llx to 0x%llx = %d", (unsigned long long)start.raw, (unsigned long long)end.raw, error);
    EXPECT_MODEL(error == (start.raw > end.raw ? -EINVAL : 0), "init gave %d", error);
    EXPECT_MODEL(error == 0 || __builtin_memcmp(&before, &bump, sizeof(bump)) == 0, "a refused init changed something");
}

static void alloc(struct input *input)
{
    uint64_t size = value(input), align = value(input);
    struct bump before = bump;
    paddr_t out = paddr(1);
    uint64_t fired = fault_status().fired;
    int error = bump_alloc(&bump, size, align, &out);
    OP("alloc 0x%llx align 0x%llx = %d", (unsigned long long)size, (unsigned long long)align, error);
    int expected = 0;
    WIDE start = before.next.raw;
    if (size == 0 || align == 0 || (align & (align - 1)) != 0) {
        expected = -EINVAL;
    } else {
        start = (start + align - 1) / align * align;
        expected = start + size > before.end.raw ? -ENOMEM : 0;
    }
    if (fault_status().fired > fired) {
        expected = expected == 0 ? -ENOMEM : error; // either reason will do
    }
    EXPECT_MODEL(error == expected, "alloc gave %d, not %d", error, expected);
    if (error != 0) {
        EXPECT_MODEL(__builtin_memcmp(&before, &bump, sizeof(bump)) == 0, "a refused alloc changed something");
        return;
    }
    EXPECT_MODEL(out.raw == (uint64_t)start && bump.next.raw == (uint64_t)(start + size), "block at 0x%llx",
                 (unsigned long long)out.raw);
}

static void run(struct input *input)
{
    if (bump_init(&bump, paddr(HARNESS_POOL_BASE), paddr(HARNESS_POOL_BASE + MIB(1))) != 0) {
        machine_finding("model", "a plain range is refused");
    }
    while (input_more(input)) {
        if (input_u8(input) < 32) {
            init(input);
        } else {
            alloc(input);
        }
        EXPECT_CHECK(bump_check(&bump));
    }
}

const struct fuzz_target fuzz_target = {.name = "fuzz_bump", .run = run};
