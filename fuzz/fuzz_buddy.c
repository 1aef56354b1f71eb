// The buddy allocator against a shadow bitmap: blocks never overlap, are aligned, and come back whole.
#include "harness/fuzz.h"

#include "kernel/mm/buddy.h"

#define FRAMES 1088u // one whole top block, and a remainder that merges differently
#define GIVEN 1064u  // at first; the rest is for buddy_add()
#define LIVE 64u

static struct buddy buddy;
static struct page pages[FRAMES];
static uint64_t taken[FRAMES / 64]; // the model: a bit per page
static uint32_t taken_pages;
static struct {
    uint32_t frame, order;
} live[LIVE];
static uint32_t live_count;

static void setup(void)
{
    const paddr_t base = paddr(HARNESS_POOL_BASE);
    if (buddy_init(&buddy, base, FRAMES, pages) != 0 || buddy_add(&buddy, base, GIVEN) != 0) {
        machine_finding("check", "the buddy allocator refuses a plain range");
    }
    for (uint32_t frame = GIVEN; frame < FRAMES; frame++) {
        taken[frame / 64] |= 1ull << (frame % 64);
    }
}

// The pages from frame on that share a word of the model, as its mask; moves on behind them.
static uint64_t part_of_word(uint32_t *frame, uint32_t *count)
{
    uint32_t bit = *frame % 64, here = *count < 64 - bit ? *count : 64 - bit;
    *frame += here;
    *count -= here;
    return (here == 64 ? ~0ull : (1ull << here) - 1) << bit;
}

static bool any_taken(uint32_t frame, uint32_t count, bool all)
{
    uint32_t seen = 0;
    for (uint32_t at = frame, left = count; left > 0;) {
        uint64_t word = taken[at / 64];
        seen += (uint32_t)__builtin_popcountll(word & part_of_word(&at, &left));
    }
    return all ? seen == count : seen != 0;
}

static void mark(uint32_t frame, uint32_t count)
{
    while (count > 0) {
        uint64_t *word = &taken[frame / 64];
        *word ^= part_of_word(&frame, &count);
    }
}

static void alloc(unsigned order)
{
    paddr_t block;
    int error = buddy_alloc(&buddy, order, &block);
    OP("alloc order %u = %d, 0x%llx", order, error, error == 0 ? (unsigned long long)block.raw : 0);
    if (order > BUDDY_MAX_ORDER) {
        EXPECT_MODEL(error == -EINVAL, "alloc of order %u gave %d", order, error);
        return;
    }
    uint32_t count = 1u << order;
    if (error != 0) {
        EXPECT_MODEL(error == -ENOMEM, "alloc of order %u gave %d", order, error);
        for (uint32_t frame = 0; frame + count <= FRAMES; frame += count) {
            EXPECT_MODEL(any_taken(frame, count, false), "-ENOMEM, but pages %u to %u are free", frame,
                         frame + count - 1);
        }
        return;
    }
    uint32_t frame = buddy_frame(&buddy, block);
    EXPECT_MODEL(frame < FRAMES && count <= FRAMES - frame && frame % count == 0,
                 "block 0x%llx of order %u lies outside or is not aligned", (unsigned long long)block.raw, order);
    EXPECT_MODEL(!any_taken(frame, count, false), "block 0x%llx of order %u overlaps one in use",
                 (unsigned long long)block.raw, order);
    mark(frame, count);
    taken_pages += count;
    if (live_count < LIVE) {
        live[live_count].frame = frame;
        live[live_count++].order = order;
        return;
    }
    buddy_free(&buddy, block, order);
    mark(frame, count);
    taken_pages -= count;
}

static void release(uint32_t slot)
{
    uint32_t frame = live[slot].frame, order = live[slot].order;
    OP("free page %u order %u", frame, order);
    live[slot] = live[--live_count];
    buddy_free(&buddy, buddy_address(&buddy, frame), order);
    mark(frame, 1u << order);
    taken_pages -= 1u << order;
}

static void add(uint32_t first, uint32_t count)
{
    bool fits = first <= FRAMES && count <= FRAMES - first;
    bool fresh = fits && first >= GIVEN && any_taken(first, count, true);
    int error = buddy_add(&buddy, buddy_address(&buddy, first), count);
    OP("add pages %u to %u = %d", first, first + count, error);
    EXPECT_MODEL(fits || error == -EINVAL, "adding pages outside the range gave %d", error);
    EXPECT_MODEL(!fits || count == 0 || (error == 0 ? fresh : error == -EEXIST), "adding pages %u + %u gave %d", first,
                 count, error);
    if (error == 0 && fits) {
        mark(first, count);
    }
}

static void run(struct input *input)
{
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        if ((op & 0xc0) == 0xc0 && live_count > 0) {
            release(op % live_count);
        } else if (op < 0xb0) {
            alloc((op & 0xf) % 12);
        } else if (op < 0xb4) {
            uint32_t first = GIVEN - 8 + input_u8(input) % 40;
            add(first, input_u8(input) & 31);
        } else if (op == 0xb4) {
            OP("check");
            EXPECT_CHECK(buddy_check(&buddy));
        } else if (live_count > 0) {
            release(live_count - 1);
        }
        EXPECT_MODEL(buddy.free_frames + taken_pages == buddy.managed_frames, "%u free and %u taken of %u pages",
                     buddy.free_frames, taken_pages, buddy.managed_frames);
    }
}

static void finish(void)
{
    EXPECT_CHECK(buddy_check(&buddy));
    while (live_count > 0) {
        release(live_count - 1);
    }
    EXPECT_NO_LEAK(buddy.free_frames == buddy.managed_frames, "%u of %u pages came back", buddy.free_frames,
                   buddy.managed_frames);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_buddy", .setup = setup, .run = run, .finish = finish};
