// Slab caches: objects never overlap, keep what is written to them, are aligned, and all memory comes back.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "kernel/mm/slab.h"

#include <string.h>

#define FRAMES 256u
#define CACHES 4u
#define LIVE 96u

static struct page pages[FRAMES];
static struct page_pool pool;
static struct slab_cache caches[CACHES];
static const struct {
    uint16_t size, align;
} shapes[CACHES] = {{24, 0}, {64, 64}, {700, 0}, {5000, 8}};
static struct {
    uint8_t *object;
    uint8_t cache, tag;
} live[LIVE];
static uint32_t live_count, used[CACHES];
static uint8_t next_tag;

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
    for (unsigned i = 0; i < CACHES; i++) {
        if (slab_cache_init(&caches[i], "fuzz", shapes[i].size, shapes[i].align, &pool) != 0) {
            machine_finding("model", "a cache of %u bytes is refused", shapes[i].size);
        }
    }
}

static void check_overlap(const uint8_t *object, size_t size)
{
    for (uint32_t i = 0; i < live_count; i++) {
        const uint8_t *other = live[i].object;
        EXPECT_MODEL(object + size <= other || other + shapes[live[i].cache].size <= object,
                     "object %p overlaps %p, in use", (const void *)object, (const void *)other);
    }
}

// Both ends: what lies between cannot overlap anything either.
static void fill(uint8_t *object, size_t size, uint8_t tag)
{
    size_t end = size < 64 ? size : 64;
    memset(object, tag, end);
    memset(object + size - end, tag, end);
}

static void alloc(unsigned which)
{
    void *object = NULL;
    uint64_t fired = fault_status().fired;
    int error = slab_alloc(&caches[which], &object);
    OP("alloc from %u = %d, %p", which, error, object);
    if (error != 0) {
        uint64_t free_pages = page_pool_free_pages(&pool); // as before: a failure changes nothing
        EXPECT_MODEL(error == -ENOMEM && (fault_status().fired > fired || free_pages < 64),
                     "alloc gave %d with %llu pages free", error, (unsigned long long)free_pages);
        EXPECT_MODEL(object == NULL, "a failed alloc changed *out");
        return;
    }
    size_t align = shapes[which].align != 0 ? shapes[which].align : 8;
    EXPECT_MODEL(((uintptr_t)object & (align - 1)) == 0, "object %p is not aligned to %zu", object, align);
    used[which]++;
    if (live_count == LIVE) {
        slab_free(&caches[which], object);
        used[which]--;
        return;
    }
    check_overlap(object, shapes[which].size);
    fill(object, shapes[which].size, ++next_tag);
    live[live_count].object = object;
    live[live_count].cache = (uint8_t)which;
    live[live_count++].tag = next_tag;
}

static void release(uint32_t slot)
{
    unsigned which = live[slot].cache;
    uint8_t *object = live[slot].object;
    OP("free %p to %u", (void *)object, which);
    EXPECT_MODEL(object[0] == live[slot].tag && object[shapes[which].size - 1] == live[slot].tag,
                 "object %p lost its contents", (void *)object);
    live[slot] = live[--live_count];
    slab_free(&caches[which], object);
    used[which]--;
}

static void run(struct input *input)
{
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        unsigned which = op % CACHES;
        if (op < 0x70) {
            alloc(which);
        } else if (op < 0x78) {
            for (unsigned times = 0; times < 20; times++) {
                alloc(which);
            }
        } else if (op < 0xe0) {
            if (live_count > 0) {
                release(input_u8(input) % live_count);
            }
        } else if (op < 0xf0) {
            slab_cache_trim(&caches[which]);
        } else if (op < 0xf4) {
            int error = slab_cache_destroy(&caches[which]);
            EXPECT_MODEL(error == (used[which] > 0 ? -EBUSY : 0), "destroy with %u objects gave %d", used[which],
                         error);
        } else if (op == 0xf4) {
            EXPECT_CHECK(page_pool_check(&pool));
        } else {
            for (unsigned times = 0; times < 16 && live_count > 0; times++) {
                release(live_count - 1);
            }
        }
        EXPECT_MODEL(caches[which].used == used[which], "%u objects are in use, it says %llu", used[which],
                     (unsigned long long)caches[which].used);
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < CACHES; i++) {
        EXPECT_CHECK(slab_check(&caches[i]));
    }
    while (live_count > 0) {
        release(live_count - 1);
    }
    for (unsigned i = 0; i < CACHES; i++) {
        EXPECT_NO_LEAK(slab_cache_destroy(&caches[i]) == 0 && caches[i].slabs == 0, "cache %u keeps memory", i);
    }
    page_pool_drain(&pool);
    EXPECT_CHECK(page_pool_check(&pool));
    EXPECT_NO_LEAK(pool.buddy.free_frames == FRAMES, "%u of %u pages came back", pool.buddy.free_frames, FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_slab", .setup = setup, .run = run, .finish = finish};
