// Memory of any size, from several CPUs' page caches: nothing overlaps, contents last, usable sizes are true.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "harness/live.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"

#define FRAMES 512u

static struct page pages[FRAMES];
static struct page_pool pool;
static struct heap heap;
static struct live live;

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
    if (heap_init(&heap, &pool) != 0) {
        machine_finding("model", "the heap is refused");
    }
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        cpus[i].local.id = i;
    }
}

static size_t pick_size(struct input *input, uint8_t op)
{
    static const uint32_t odd[8] = {0, 1, 8192, 8193, 16, 4096, 4 << 20, (4 << 20) + 1};
    switch (op & 3) {
    case 0:
        return input_u8(input);
    case 1:
        return input_u16(input);
    case 2:
        return input_u16(input) * 16u;
    default:
        return odd[input_u8(input) & 7];
    }
}

static void alloc(size_t size)
{
    void *memory = NULL;
    uint64_t fired = fault_status().fired;
    uint64_t free_pages = page_pool_free_pages(&pool);
    int error = heap_alloc(&heap, size, &memory);
    OP("alloc %zu = %d, %p", size, error, memory);
    if (size == 0) {
        EXPECT_MODEL(error == -EINVAL, "alloc of nothing gave %d", error);
        return;
    }
    if (error != 0) {
        // Fragments may be too small when much is taken; a nearly empty pool has no such excuse.
        bool excused = fault_status().fired > fired || free_pages < FRAMES - 64 || size > KIB(512);
        EXPECT_MODEL(error == -ENOMEM && excused, "alloc of %zu gave %d with %llu pages free", size, error,
                     (unsigned long long)free_pages);
        return;
    }
    EXPECT_MODEL(((uintptr_t)memory & 15) == 0, "%p is not aligned to 16", memory);
    EXPECT_MODEL(heap_size(&heap, memory) >= size, "%p holds %zu bytes, less than asked", memory,
                 heap_size(&heap, memory));
    if (live_full(&live)) {
        heap_free(&heap, memory);
        return;
    }
    live_add(&live, memory, size, 0);
}

static void release(uint32_t slot)
{
    struct live_piece piece = live_take(&live, slot);
    OP("free %p, %zu bytes", (void *)piece.start, piece.size);
    heap_free(&heap, piece.start);
}

static void run(struct input *input)
{
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        if (op < 0x80) {
            alloc(pick_size(input, op));
        } else if (op < 0xe0) {
            if (live.count > 0) {
                release(op % live.count);
            }
        } else if (op < 0xf0) {
            OP("on CPU %u", op % 4);
            cpu_set_local(&cpus[op % 4].local);
        } else if (op < 0xf8) {
            heap_trim(&heap);
        } else if (op == 0xf8) {
            EXPECT_CHECK(heap_check(&heap));
            EXPECT_CHECK(page_pool_check(&pool));
        } else {
            heap_free(&heap, NULL);
        }
    }
}

static void finish(void)
{
    EXPECT_CHECK(heap_check(&heap));
    while (live.count > 0) {
        release(live.count - 1);
    }
    EXPECT_NO_LEAK(heap_used_objects(&heap) == 0, "%llu objects are left",
                   (unsigned long long)heap_used_objects(&heap));
    EXPECT_MODEL(heap_destroy(&heap) == 0, "an unused heap is busy");
    page_pool_drain(&pool);
    EXPECT_CHECK(page_pool_check(&pool));
    EXPECT_NO_LEAK(pool.buddy.free_frames == FRAMES, "%u of %u pages came back", pool.buddy.free_frames, FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_kmalloc", .setup = setup, .run = run, .finish = finish};
