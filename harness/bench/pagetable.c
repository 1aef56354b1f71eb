// Page tables: the operations that the figures of other kernels were made with. One call to an operation.
#include "harness/bench/bench.h"

#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/mm/pagetable.h"

#include <stdlib.h>

#define FRAMES 8192u
#define VB 0x12340000000ull // 1 GiB apart, VB and VK hold a page each, so that the upper tables stay
#define VG (VB + GIB(1))
#define VK (VB + GIB(2))
#define PB 0x4000000000ull
#define R (VB + MIB(4))
#define RW (MAP_USER | MAP_WRITE)
#define RO MAP_USER

static struct page_pool pool;
static struct pagetable table;

static inline void must(int error)
{
    if (error != 0) {
        panic("benchmark: %d", error);
    }
}

COUNTED_CALL counted_map(uint64_t va, uint64_t pa, uint64_t size)
{
    return pagetable_map(&table, vaddr(va), paddr(pa), size, RW);
}

COUNTED_CALL counted_unmap(uint64_t va, uint64_t size)
{
    return pagetable_unmap(&table, vaddr(va), size);
}

COUNTED_CALL counted_protect(uint64_t va, uint64_t size, unsigned flags)
{
    return pagetable_protect(&table, vaddr(va), size, flags);
}

COUNTED_CALL counted_translate(uint64_t va, struct mapping *out)
{
    return pagetable_query(&table, vaddr(va), out);
}

// The same work outside the count.
static void map(uint64_t va, uint64_t pa, uint64_t size)
{
    must(pagetable_map(&table, vaddr(va), paddr(pa), size, RW));
}

static void unmap(uint64_t va, uint64_t size)
{
    must(pagetable_unmap(&table, vaddr(va), size));
}

static void start(void)
{
    struct page *pages = calloc(FRAMES, sizeof(*pages));
    must(page_pool_init(&pool, paddr(MACHINE_RAM_BASE), FRAMES, pages));
    must(page_pool_add(&pool, paddr(MACHINE_RAM_BASE), FRAMES));
    must(pagetable_init(&table, PAGETABLE_USER, 1, &pool));
    map(VB, PB, PAGE_SIZE);
    map(VK, PB, PAGE_SIZE);
}

#define PAGE(k) (R + (k) * PAGE_SIZE), (PB + ((k) + 1) * PAGE_SIZE)

static uint64_t single(bool count_map)
{
    start();
    for (uint64_t k = 0; k < 512; k += 2) {
        map(PAGE(k), PAGE_SIZE);
    }
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t k = 2 * (bench_random() % 256) + 1;
        if (count_map) {
            must(counted_map(PAGE(k), PAGE_SIZE));
            unmap(R + k * PAGE_SIZE, PAGE_SIZE);
        } else {
            map(PAGE(k), PAGE_SIZE);
            must(counted_unmap(R + k * PAGE_SIZE, PAGE_SIZE));
        }
    }
    return 20000;
}

static uint64_t range(uint64_t va, uint64_t pa, uint64_t size, bool count_map)
{
    start();
    for (unsigned i = 0; i < 200; i++) {
        if (count_map) {
            must(counted_map(va, pa, size));
            unmap(va, size);
        } else {
            map(va, pa, size);
            must(counted_unmap(va, size));
        }
    }
    return 200;
}

static uint64_t map1(void)
{
    return single(true);
}
static uint64_t unmap1(void)
{
    return single(false);
}
static uint64_t map2m(void)
{
    return range(R, PB + PAGE_SIZE, MIB(2), true);
}
static uint64_t unmap2m(void)
{
    return range(R, PB + PAGE_SIZE, MIB(2), false);
}
static uint64_t map1g(void)
{
    return range(VG, PB + GIB(1), GIB(1), true);
}
static uint64_t unmap1g(void)
{
    return range(VG, PB + GIB(1), GIB(1), false);
}
static uint64_t map1gx2m(void)
{
    return range(VG, PB + MIB(2), GIB(1), true);
}
static uint64_t unmap1gx2m(void)
{
    return range(VG, PB + MIB(2), GIB(1), false);
}

static uint64_t translate(uint64_t pa)
{
    struct mapping mapping;
    start();
    map(R, pa, MIB(2));
    for (unsigned i = 0; i < 20000; i++) {
        must(counted_translate(R + bench_random() % MIB(2), &mapping));
    }
    return 20000;
}

static uint64_t xlpage(void)
{
    return translate(PB + PAGE_SIZE);
}
static uint64_t xlblock(void)
{
    return translate(PB + MIB(2));
}

static uint64_t prot1(void)
{
    start();
    map(R, PB + PAGE_SIZE, MIB(2));
    for (unsigned i = 0; i < 20480; i++) {
        must(counted_protect(R + (i % 512) * PAGE_SIZE, PAGE_SIZE, i / 512 % 2 == 0 ? RO : RW));
    }
    return 20480;
}

static uint64_t prot2m(void)
{
    start();
    map(R, PB + PAGE_SIZE, MIB(2));
    for (unsigned i = 0; i < 200; i++) {
        must(counted_protect(R, MIB(2), i % 2 == 0 ? RO : RW));
    }
    return 200;
}

const struct bench pagetable_benches[] = {
    {"map1", map1},     {"unmap1", unmap1},   {"map2m", map2m},       {"unmap2m", unmap2m},
    {"map1g", map1g},   {"unmap1g", unmap1g}, {"map1gx2m", map1gx2m}, {"unmap1gx2m", unmap1gx2m},
    {"xlpage", xlpage}, {"xlblock", xlblock}, {"prot1", prot1},       {"prot2m", prot2m},
    {NULL, NULL},
};
