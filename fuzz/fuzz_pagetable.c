// Page tables against a list of intervals, through the independent walker and through a TLB that forgets nothing by
// itself.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "harness/space.h"
#include "kernel/mm/pagetable.h"

#define FRAMES 128u
#define ASID 7u

static struct page pages[FRAMES];
static struct page_pool pool;
static struct pagetable table;
static struct intervals model;
static bool upper;

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
}

static void verify(uint64_t va)
{
    space_verify(&model, &table, upper, va);
}

static void operate(unsigned op, uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    uint64_t fired = fault_status().fired;
    static const char *const names[] = {"map", "unmap", "protect"};
    int expected, error;
    if (op == 0) {
        expected = space_expect_map(&model, upper, va, pa, size, flags);
        error = pagetable_map(&table, vaddr(va), paddr(pa), size, flags);
    } else if (op == 1) {
        expected = space_bad_range(upper, va, size) ? -EINVAL : 0;
        error = pagetable_unmap(&table, vaddr(va), size);
    } else {
        expected = space_expect_protect(&model, upper, va, size, flags);
        error = pagetable_protect(&table, vaddr(va), size, flags);
    }
    OP("%s 0x%llx + 0x%llx to 0x%llx flags 0x%x = %d", names[op], (unsigned long long)va, (unsigned long long)size,
       (unsigned long long)pa, flags, error);
    uint64_t may_need = 8 + (((va ^ pa) & (MIB(2) - 1)) != 0 && op == 0 ? (size >> 21) + 2 : 0);
    bool excused = // what failed gave back what it took, so the pages count now as before
        error == -ENOMEM && (fault_status().fired > fired || page_pool_free_pages(&pool) < may_need);
    EXPECT_MODEL(error == expected || excused, "%s gave %d, not %d", names[op], error, expected);
    if (error == 0 && !intervals_change(&model, va, size, op == 0 ? pa : 0, flags, op)) {
        machine_finding("model", "the list of intervals is too short");
    }
    if (machine_tlb_owed() != 0) {
        machine_finding("tlb", "%zu changed translations were not flushed", machine_tlb_owed());
    }
    EXPECT_MODEL(table.mapped == intervals_bytes(&model), "%llu bytes are mapped, it says %llu",
                 (unsigned long long)intervals_bytes(&model), (unsigned long long)table.mapped);
    // Each time one end and one other place: finish() looks at them all.
    const uint64_t places[] = {va + size - 1, va - 1, va + size, va + size / 2};
    verify(va);
    verify(places[harness_operations % ARRAY_SIZE(places)]);
}

static void one(struct input *input)
{
    uint8_t op = input_u8(input), where = input_u8(input);
    uint64_t va = (where & 1) != 0 ? GIB(1) - MIB(4) : MIB(2) * 510;
    va += (where >> 1 & 3) * MIB(2) + ((where & 8) != 0 ? (uint64_t)input_u8(input) * PAGE_SIZE : 0);
    va = (where & 0xf0) == 0xf0   ? (1ull << 48) - (where & 0xf) * PAGE_SIZE * 3
         : (where & 0xf0) == 0xe0 ? GIB(where & 7)
                                  : va;
    uint8_t much = input_u8(input);
    uint64_t size = (uint64_t)((much & 63) + 1) * PAGE_SIZE;
    size = much >> 6 == 2 ? (uint64_t)((much & 7) + 1) * MIB(2) : (much & 0xf0) == 0xf0 ? (much & 3) * GIB(1) : size;
    uint8_t bits = input_u8(input);
    uint64_t pa =
        (bits & 16) != 0 ? GIB(3) + (uint64_t)(bits >> 5) * PAGE_SIZE : (va & (GIB(512) - 1)) + GIB(bits >> 5);
    unsigned flags = (bits & 3) | (upper ? 0 : MAP_USER) | ((bits & 12) == 12 ? MAP_DEVICE : 0);
    if (op >= 0xf8) { // nothing sensible
        va ^= 1ull << (bits & 63);
        size ^= 1ull << (much & 63);
        flags ^= op & 7u;
    }
    uint64_t most = ((va ^ pa) & (MIB(2) - 1)) != 0 ? MIB(4) : GIB(4); // page by page, or in larger leaves
    size = size > most && size <= PAGETABLE_HALF_SIZE ? most + size % most : size;
    operate(op < 0x80   ? 0
            : op < 0xc0 ? 1
            : op < 0xf8 ? 2
                        : bits % 3,
            upper ? va + PAGETABLE_KERNEL_BASE : va, pa, size, flags);
}

static void run(struct input *input)
{
    upper = (input_u8(input) & 3) == 3;
    intervals_init(&model);
    if (pagetable_init(&table, upper ? PAGETABLE_KERNEL : PAGETABLE_USER, ASID, &pool) != 0) {
        return;
    }
    if (upper) {
        machine_watch_kernel_root(table.root);
    } else {
        mmu_activate(table.root, ASID);
    }
    while (input_more(input) && model.count + 4 < INTERVALS_MAX) {
        one(input);
    }
}

static void finish(void)
{
    if (table.root.raw == 0) {
        return;
    }
    EXPECT_CHECK(pagetable_check(&table));
    for (uint32_t i = 0; i < model.count; i++) {
        const struct interval *at = &model.at[i];
        verify(at->va - 1);
        verify(at->va);
        verify(at->va + at->size - 1);
    }
    if (model.count > 0) { // all at once: the operations before have unmapped piece by piece
        const struct interval *last = &model.at[model.count - 1];
        operate(1, model.at[0].va, 0, last->va + last->size - model.at[0].va, 0);
    }
    EXPECT_NO_LEAK(table.table_pages == 1, "%llu table pages for nothing", (unsigned long long)table.table_pages);
    mmu_activate(paddr(0), 0);
    machine_watch_kernel_root(paddr(0));
    pagetable_destroy(&table);
    page_pool_drain(&pool);
    EXPECT_CHECK(page_pool_check(&pool));
    EXPECT_NO_LEAK(pool.buddy.free_frames == FRAMES, "%u of %u pages came back", pool.buddy.free_frames, FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_pagetable", .setup = setup, .run = run, .finish = finish};
