// The id allocator against a plain array: always the lowest free number.
#include "harness/fuzz.h"

#include "kernel/mm/idalloc.h"

#include <string.h>

static struct id_allocator ids;
static uint64_t taken[ID_WORDS]; // the model
static uint32_t limit, used;

static bool is_taken(uint32_t id)
{
    return (taken[id / 64] >> (id % 64) & 1) != 0;
}

static void toggle(uint32_t id)
{
    taken[id / 64] ^= 1ull << (id % 64);
}

static uint32_t lowest(void)
{
    uint32_t id = 0;
    while (id < limit && is_taken(id)) {
        id += taken[id / 64] == UINT64_MAX ? 64 - id % 64 : 1;
    }
    return id < limit ? id : limit;
}

static void init(uint32_t wanted)
{
    int error = id_init(&ids, wanted);
    OP("init %u = %d", wanted, error);
    EXPECT_MODEL(error == (wanted == 0 || wanted > ID_MAX ? -EINVAL : 0), "init(%u) gave %d", wanted, error);
    if (error == 0) {
        limit = wanted;
        used = 0;
        memset(taken, 0, sizeof(taken));
    }
}

static void alloc(void)
{
    uint32_t id = UINT32_MAX, expected = lowest();
    int error = id_alloc(&ids, &id);
    OP("alloc = %d, %u", error, id);
    EXPECT_MODEL(error == (expected == limit ? -ENOSPC : 0), "alloc gave %d with %u of %u used", error, used, limit);
    if (error == 0) {
        EXPECT_MODEL(id == expected, "got %u, the lowest free is %u", id, expected);
        toggle(id);
        used++;
    }
}

static void reserve(uint32_t id)
{
    int error = id_reserve(&ids, id);
    OP("reserve %u = %d", id, error);
    int expected = id >= limit ? -EINVAL : is_taken(id) ? -EEXIST : 0;
    EXPECT_MODEL(error == expected, "reserve(%u) gave %d, not %d", id, error, expected);
    if (error == 0) {
        toggle(id);
        used++;
    }
}

static void release(uint32_t id)
{
    if (id < limit && is_taken(id)) {
        OP("free %u", id);
        id_free(&ids, id);
        toggle(id);
        used--;
    }
}

static void run(struct input *input)
{
    init(1 + input_range(input, ID_MAX));
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        if (op < 96) {
            for (unsigned times = 0; times <= (op & 31u); times++) {
                alloc();
            }
        } else if (op < 160) {
            reserve(input_range(input, ID_MAX + 16));
        } else if (op < 224) {
            release(input_range(input, ID_MAX));
        } else if (op < 230) {
            init(input_range(input, ID_MAX + 3));
        } else if (op < 240) {
            for (uint32_t id = (op & 7u) * 64; id < limit && id < (op & 7u) * 64 + 64; id++) {
                reserve(id);
            }
        } else {
            uint32_t id = input_range(input, ID_MAX + 16);
            EXPECT_MODEL(id_is_used(&ids, id) == (id < limit && is_taken(id)), "id_is_used(%u) is wrong", id);
        }
        EXPECT_MODEL(ids.used == used, "%u are used, it says %u", used, ids.used);
    }
}

static void finish(void)
{
    EXPECT_CHECK(id_check(&ids));
    for (uint32_t id = 0; id < limit; id++) {
        release(id);
    }
    EXPECT_NO_LEAK(ids.used == 0, "%u ids are left", ids.used);
    EXPECT_CHECK(id_check(&ids));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_idalloc", .run = run, .finish = finish};
