// Page tables against a list of intervals, through the independent walker and through a TLB that forgets nothing by
// itself.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "harness/intervals.h"
#include "kernel/mm/pagetable.h"

#define FRAMES 256u
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
    va &= ~PAGE_MASK;
    if ((va >> 48) != (upper ? 0xffffu : 0u)) {
        return;
    }
    const struct interval *want = intervals_find(&model, va);
    struct machine_walk walk = machine_walk_from(table.root, va, upper);
    EXPECT_MODEL(walk.malformed == NULL, "0x%llx: %s", (unsigned long long)va, walk.malformed);
    EXPECT_MODEL(walk.valid == (want != NULL), "0x%llx is %smapped", (unsigned long long)va, walk.valid ? "" : "not ");
    struct mapping mapping;
    int error = pagetable_query(&table, vaddr(va), &mapping);
    EXPECT_MODEL(error == (want != NULL ? 0 : -ENOENT), "query of 0x%llx gave %d", (unsigned long long)va, error);
    paddr_t seen;
    bool reached = machine_tlb_access(vaddr(va), MMU_KERNEL_READ, &seen);
    if (reached != (want != NULL)) {
        machine_finding("tlb", "0x%llx: the TLB %s a translation", (unsigned long long)va,
                        reached ? "still has" : "lacks");
    }
    if (want == NULL) {
        return;
    }
    uint64_t pa = want->pa + (va - want->va);
    EXPECT_MODEL(walk.pa == pa && mapping.pa.raw == pa, "0x%llx goes to 0x%llx, not 0x%llx", (unsigned long long)va,
                 (unsigned long long)walk.pa, (unsigned long long)pa);
    unsigned flags = (walk.write ? MAP_WRITE : 0) | (walk.user ? MAP_USER : 0) | (walk.device ? MAP_DEVICE : 0) |
                     (walk.exec_user || walk.exec_kernel ? MAP_EXEC : 0);
    EXPECT_MODEL(flags == want->flags && mapping.flags == flags, "0x%llx has rights 0x%x, not 0x%x",
                 (unsigned long long)va, flags, want->flags);
    bool writes = machine_tlb_access(vaddr(va), MMU_KERNEL_WRITE, &seen);
    if (seen.raw != pa || writes != ((want->flags & MAP_WRITE) != 0)) {
        machine_finding("tlb", "0x%llx is reached through a stale translation to 0x%llx", (unsigned long long)va,
                        (unsigned long long)seen.raw);
    }
}

static bool bad_range(uint64_t va, uint64_t size)
{
    unsigned __int128 base = upper ? PAGETABLE_KERNEL_BASE : 0, end = (unsigned __int128)va + size;
    return size == 0 || ((va | size) & PAGE_MASK) != 0 || va < base || end > base + PAGETABLE_HALF_SIZE;
}

static bool bad_flags(unsigned flags)
{
    bool exec = (flags & MAP_EXEC) != 0;
    return (flags & ~15u) != 0 || ((flags & MAP_USER) != 0) == upper ||
           (exec && (flags & (MAP_WRITE | MAP_DEVICE)) != 0);
}

static int expected_map(uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    if (bad_range(va, size) || bad_flags(flags) || (pa & PAGE_MASK) != 0 || (unsigned __int128)pa + size > 1ull << 48) {
        return -EINVAL;
    }
    return intervals_overlap(&model, va, size) ? -EEXIST : 0;
}

static int expected_protect(uint64_t va, uint64_t size, unsigned flags)
{
    if (bad_range(va, size) || bad_flags(flags)) {
        return -EINVAL;
    }
    return intervals_covered(&model, va, size, (flags & MAP_DEVICE) != 0 ? MAP_DEVICE : 0, MAP_DEVICE);
}

static void operate(unsigned op, uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    uint64_t fired = fault_status().fired, free_pages = page_pool_free_pages(&pool);
    int expected, error;
    if (op == 0) {
        expected = expected_map(va, pa, size, flags);
        error = pagetable_map(&table, vaddr(va), paddr(pa), size, flags);
    } else if (op == 1) {
        expected = bad_range(va, size) ? -EINVAL : 0;
        error = pagetable_unmap(&table, vaddr(va), size);
    } else {
        expected = expected_protect(va, size, flags);
        error = pagetable_protect(&table, vaddr(va), size, flags);
    }
    OP("%s 0x%llx + 0x%llx to 0x%llx flags 0x%x = %d",
       op == 0   ? "map"
       : op == 1 ? "unmap"
                 : "protect",
       (unsigned long long)va, (unsigned long long)size, (unsigned long long)pa, flags, error);
    uint64_t may_need = 8 + (((va ^ pa) & (MIB(2) - 1)) != 0 && op == 0 ? (size >> 21) + 2 : 0);
    bool excused = error == -ENOMEM && (fault_status().fired > fired || free_pages < may_need);
    EXPECT_MODEL(error == expected || excused, "%s gave %d, not %d",
                 op == 0   ? "map"
                 : op == 1 ? "unmap"
                           : "protect",
                 error, expected);
    if (error == 0 && !intervals_change(&model, va, size, op == 0 ? pa : 0, flags, op)) {
        machine_finding("model", "the list of intervals is too short");
    }
    if (machine_tlb_owed() != 0) {
        machine_finding("tlb", "%zu changed translations were not flushed", machine_tlb_owed());
    }
    EXPECT_MODEL(table.mapped == intervals_bytes(&model), "%llu bytes are mapped, it says %llu",
                 (unsigned long long)intervals_bytes(&model), (unsigned long long)table.mapped);
    verify(va);
    verify(va + size - 1);
    verify(va - 1);
    verify(va + size);
    verify(va + size / 2);
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
    uint64_t pa = (bits & 16) != 0 && size <= MIB(16) ? GIB(3) + (uint64_t)(bits >> 5) * PAGE_SIZE
                                                      : (va & (GIB(512) - 1)) + GIB(bits >> 5);
    unsigned flags = (bits & 3) | (upper ? 0 : MAP_USER) | ((bits & 12) == 12 ? MAP_DEVICE : 0);
    if (op >= 0xf8) { // nothing sensible
        va ^= 1ull << (bits & 63);
        size ^= 1ull << (much & 63);
        flags ^= op & 7u;
    }
    size = size > GIB(4) && size <= PAGETABLE_HALF_SIZE ? GIB(4) : size;
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
    while (model.count > 0) {
        verify(model.at[0].va);
        verify(model.at[0].va + model.at[0].size - 1);
        operate(1, model.at[0].va, 0, model.at[0].size, 0);
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
