// Slab caches: objects never overlap, keep what is written to them, are aligned, and all memory comes back.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "harness/live.h"
#include "kernel/mm/slab.h"

#define FRAMES 160u
#define CACHES 4u
#define BULK 8u // of the operations that do many

static struct page pages[FRAMES];
static struct page_pool pool;
static struct slab_cache caches[CACHES];
static const struct {
    uint16_t size, align;
} shapes[CACHES] = {{24, 0}, {64, 64}, {700, 0}, {5000, 8}};
static struct live live;
static uint32_t used[CACHES];

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
    for (unsigned i = 0; i < CACHES; i++) {
        if (slab_cache_init(&caches[i], "fuzz", shapes[i].size, shapes[i].align, &pool) != 0) {
            machine_finding("model", "a cache of %u bytes is refused", shapes[i].size);
        }
    }
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
    if (live_full(&live)) {
        slab_free(&caches[which], object);
        used[which]--;
        return;
    }
    live_add(&live, object, shapes[which].size, (uint8_t)which);
}

static void release(uint32_t slot)
{
    struct live_piece piece = live_take(&live, slot);
    OP("free %p to %u", (void *)piece.start, piece.kind);
    slab_free(&caches[piece.kind], piece.start);
    used[piece.kind]--;
}

static void run(struct input *input)
{
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        unsigned which = op % CACHES;
        if (op < 0x70) {
            alloc(which);
        } else if (op < 0x78) {
            for (unsigned times = 0; times < BULK; times++) {
                alloc(which);
            }
        } else if (op < 0xe0) {
            if (live.count > 0) {
                release(input_u8(input) % live.count);
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
            for (unsigned times = 0; times < BULK && live.count > 0; times++) {
                release(live.count - 1);
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
    while (live.count > 0) {
        release(live.count - 1);
    }
    for (unsigned i = 0; i < CACHES; i++) {
        EXPECT_NO_LEAK(slab_cache_destroy(&caches[i]) == 0 && caches[i].slabs == 0, "cache %u keeps memory", i);
    }
    page_pool_drain(&pool);
    EXPECT_CHECK(page_pool_check(&pool));
    EXPECT_NO_LEAK(pool.buddy.free_frames == FRAMES, "%u of %u pages came back", pool.buddy.free_frames, FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_slab", .setup = setup, .run = run, .finish = finish};
