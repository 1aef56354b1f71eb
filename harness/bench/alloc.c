// Allocators: the workloads W1 to W5p, one allocation and one free to an operation.
#include "harness/bench/bench.h"

#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/mm/kmalloc.h"

#include <stdlib.h>

#define FRAMES 65536u // 256 MiB

static struct heap heap;
static struct page_pool pool;

static void must(int error)
{
    if (error != 0) {
        panic("benchmark set-up: %d", error);
    }
}

static void start(void)
{
    struct page *pages = calloc(FRAMES, sizeof(*pages));
    must(page_pool_init(&pool, paddr(MACHINE_RAM_BASE), FRAMES, pages));
    must(page_pool_add(&pool, paddr(MACHINE_RAM_BASE), FRAMES));
    must(heap_init(&heap, &pool));
}

static inline void *get(size_t size)
{
    void *memory = NULL;
    must(heap_alloc(&heap, size, &memory));
    TOUCH(memory);
    return memory;
}

static COUNTED counted_w1(unsigned pairs)
{
    for (unsigned i = 0; i < pairs; i++) {
        heap_free(&heap, get(64));
    }
}

static uint64_t w1(void)
{
    start();
    for (unsigned i = 0; i < 1000; i++) {
        heap_free(&heap, get(64));
    }
    counted_w1(1000000);
    return 1000000;
}

static uint64_t w1h(void)
{
    start();
    for (unsigned i = 0; i < 8; i++) {
        (void)get(64);
    }
    counted_w1(1000000);
    return 1000000;
}

static COUNTED counted_w2(unsigned rounds)
{
    static void *table[1000];
    while (rounds-- > 0) {
        for (unsigned i = 0; i < 1000; i++) {
            table[i] = get(256);
        }
        for (unsigned i = 0; i < 1000; i++) {
            heap_free(&heap, table[i]);
        }
    }
}

static uint64_t w2(void)
{
    start();
    for (unsigned i = 0; i < 2; i++) {
        void *table[1000];
        for (unsigned k = 0; k < 1000; k++) {
            table[k] = get(256);
        }
        for (unsigned k = 0; k < 1000; k++) {
            heap_free(&heap, table[k]);
        }
    }
    counted_w2(1000);
    return 1000000;
}

static void *slots[4096];

static inline void w3_step(void)
{
    uint64_t r = bench_random(), k = r & 4095;
    size_t size = 16 + (r >> 12) % 4081;
    heap_free(&heap, slots[k]);
    slots[k] = get(size);
}

static COUNTED counted_w3(unsigned pairs)
{
    while (pairs-- > 0) {
        w3_step();
    }
}

static uint64_t w3(void)
{
    start();
    for (unsigned i = 0; i < 4096; i++) {
        slots[i] = get(16 + bench_random() % 4081);
    }
    for (unsigned i = 0; i < 100000; i++) {
        w3_step();
    }
    counted_w3(1000000);
    return 1000000;
}

static struct {
    paddr_t block; // 0: none
    uint64_t order;
} blocks[2048];

static inline void w4_step(void)
{
    uint64_t r = bench_random(), k = r & 2047, order = (r >> 11) % 6;
    if (blocks[k].block.raw != 0) {
        page_free(&pool, blocks[k].block, (unsigned)blocks[k].order);
    }
    blocks[k].order = order;
    if (page_alloc(&pool, (unsigned)order, &blocks[k].block) == 0) {
        TOUCH(phys_to_virt(blocks[k].block));
    } else {
        blocks[k].block = paddr(0);
    }
}

static COUNTED counted_w4(unsigned pairs)
{
    while (pairs-- > 0) {
        w4_step();
    }
}

static void w4_start(void)
{
    start();
    for (unsigned k = 0; k < 2048; k++) {
        blocks[k].order = bench_random() % 6;
        must(page_alloc(&pool, blocks[k].order, &blocks[k].block));
    }
    for (unsigned i = 0; i < 100000; i++) {
        w4_step();
    }
}

static uint64_t w4(void)
{
    w4_start();
    counted_w4(200000);
    return 200000;
}

static COUNTED counted_w5(unsigned pairs)
{
    while (pairs-- > 0) {
        paddr_t page;
        must(page_alloc(&pool, 0, &page));
        TOUCH(phys_to_virt(page));
        page_free(&pool, page, 0);
    }
}

static uint64_t w5(void)
{
    start();
    counted_w5(200000);
    return 200000;
}

static uint64_t w5p(void)
{
    w4_start();
    counted_w5(200000);
    return 200000;
}

const struct bench alloc_benches[] = {{"w1", w1}, {"w1h", w1h}, {"w2", w2},   {"w3", w3},
                                      {"w4", w4}, {"w5", w5},   {"w5p", w5p}, {NULL, NULL}};
