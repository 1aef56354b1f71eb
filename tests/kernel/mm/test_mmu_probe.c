// The kernel's idea of a page table against the machine's own walk of it.
#include <hal/irq.h>
#include <hal/mmu.h>

#include "kernel/debug/ktest.h"
#include "kernel/mm/kernel_map.h"

#define TEST_ASID 254u

static struct pagetable table;

static const struct {
    uint64_t va, pa, size;
    unsigned flags;
} pieces[] = {
    {PAGE_SIZE, 0x40003000, PAGE_SIZE, MAP_USER},
    {0x3000, 0x40009000, 5 * PAGE_SIZE, MAP_USER | MAP_WRITE},
    {MIB(2), MIB(1026), MIB(4), MAP_USER | MAP_EXEC},
    {MIB(7), MIB(1031), MIB(3), MAP_USER | MAP_WRITE},
    {GIB(1) - MIB(2), GIB(2) - MIB(2), GIB(1) + MIB(4) + PAGE_SIZE, MAP_USER | MAP_WRITE},
    {GIB(512) - PAGE_SIZE, 0x40000000, 2 * PAGE_SIZE, MAP_USER},
    {GIB(600), 0x09000000, PAGE_SIZE, MAP_USER | MAP_WRITE | MAP_DEVICE},
    {PAGETABLE_HALF_SIZE - PAGE_SIZE, 0x40007000, PAGE_SIZE, MAP_USER | MAP_WRITE},
};

static bool allowed(const struct mapping *mapping, enum mmu_access access)
{
    bool write = access == MMU_KERNEL_WRITE || access == MMU_USER_WRITE;
    return !write || (mapping->flags & MAP_WRITE) != 0;
}

// Interrupts off, the table active. True when model and machine agree on all four accesses.
static bool agree(uint64_t va)
{
    static const enum mmu_access accesses[] = {MMU_KERNEL_READ, MMU_KERNEL_WRITE, MMU_USER_READ, MMU_USER_WRITE};
    struct mapping mapping;
    bool mapped = pagetable_query(&table, vaddr(va), &mapping) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
        paddr_t pa = paddr(0);
        bool may = mmu_probe(vaddr(va), accesses[i], &pa);
        if (may != (mapped && allowed(&mapping, accesses[i])) || (may && pa.raw != mapping.pa.raw)) {
            return false;
        }
    }
    return true;
}

static uint64_t disagreement; // an address, or 1 for none

static void compare_around(uint64_t va)
{
    static const int64_t steps[] = {0, 1, 7, -1, 4095, 4096, 4097, -4096, 0x1ff000, 0x200000, -0x200000};
    for (size_t i = 0; i < ARRAY_SIZE(steps) && disagreement == 1; i++) {
        uint64_t at = va + (uint64_t)steps[i];
        if (at < PAGETABLE_HALF_SIZE && !agree(at)) {
            disagreement = at;
        }
    }
}

static void compare_all(void)
{
    irqflags_t flags = irq_save();
    mmu_activate(table.root, TEST_ASID);
    disagreement = 1;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        compare_around(pieces[i].va);
        compare_around(pieces[i].va + pieces[i].size);
        compare_around(pieces[i].va + pieces[i].size / 2);
    }
    uint64_t random = 88172645463325252; // xorshift: addresses of all magnitudes
    for (unsigned i = 0; i < 2000 && disagreement == 1; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint64_t va = random >> (16 + i % 40);
        disagreement = agree(va) ? 1 : va;
    }
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
}

TEST(mmu_probe, agrees_with_the_model)
{
    int error = pagetable_init(&table, PAGETABLE_USER, TEST_ASID, &kernel_pages);
    EXPECT_EQ(error, 0);
    uint64_t bad = 1;
    for (size_t i = 0; i < ARRAY_SIZE(pieces) && error == 0; i++) {
        error = pagetable_map(&table, vaddr(pieces[i].va), paddr(pieces[i].pa), pieces[i].size, pieces[i].flags);
        compare_all();
        bad = bad == 1 ? disagreement : bad;
    }
    // Rights taken away and given, holes with splits, everything gone.
    error = error != 0 ? error : pagetable_protect(&table, vaddr(GIB(1) + MIB(6)), 3 * PAGE_SIZE, MAP_USER);
    compare_all();
    bad = bad == 1 ? disagreement : bad;
    error = error != 0 ? error : pagetable_unmap(&table, vaddr(GIB(1) + MIB(1)), MIB(2) + PAGE_SIZE);
    compare_all();
    bad = bad == 1 ? disagreement : bad;
    error = error != 0 ? error : pagetable_unmap(&table, vaddr(0), PAGETABLE_HALF_SIZE);
    compare_all();
    bad = bad == 1 ? disagreement : bad;
    pagetable_destroy(&table);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(bad, 1);
}

TEST(mmu_probe, the_kernel_half_is_closed_to_user_space)
{
    paddr_t pa;
    static uint64_t word;
    uint64_t code = (uint64_t)pagetable_init, data = (uint64_t)&word;
    paddr_t root = mmu_kernel_root();
    if (!mmu_probe(vaddr(data), MMU_KERNEL_READ, &pa)) {
        EXPECT(root.raw != 0); // the simulated machine's kernel lives outside its address space
        return;
    }
    EXPECT(mmu_probe(vaddr(data), MMU_KERNEL_WRITE, &pa));
    EXPECT(!mmu_probe(vaddr(data), MMU_USER_READ, &pa) && !mmu_probe(vaddr(data), MMU_USER_WRITE, &pa));
    EXPECT(mmu_probe(vaddr(code), MMU_KERNEL_READ, &pa) && !mmu_probe(vaddr(code), MMU_KERNEL_WRITE, &pa));
    EXPECT(!mmu_probe(vaddr(code), MMU_USER_READ, &pa));
}

struct verdict {
    uint64_t leaves, wrong;
};

static bool means(uint64_t va, unsigned flags)
{
    paddr_t read, write;
    bool readable = mmu_probe(vaddr(va), MMU_KERNEL_READ, &read);
    bool writable = mmu_probe(vaddr(va), MMU_KERNEL_WRITE, &write);
    bool user = mmu_probe(vaddr(va), MMU_USER_READ, &write) || mmu_probe(vaddr(va), MMU_USER_WRITE, &write);
    return readable && writable == ((flags & MAP_WRITE) != 0) && !user && (read.raw & PAGE_MASK) == (va & PAGE_MASK);
}

static void ask(uint64_t va, uint64_t size, unsigned flags, void *argument)
{
    struct verdict *verdict = argument;
    verdict->leaves++;
    if (!means(va, flags) || !means(va + size / 2, flags) || !means(va + size - 1, flags)) {
        verdict->wrong = verdict->wrong == 0 ? va : verdict->wrong;
    }
}

// Every leaf of the tables that the kernel runs on, at both ends and in the middle, as the machine itself walks them.
TEST(mmu_probe, the_live_kernel_tables_mean_what_they_say)
{
    struct kernel_stack stack;
    struct verdict verdict = {0};
    paddr_t pa;
    EXPECT_EQ(kernel_stack_alloc(&stack), 0);
    uint64_t unsound = kernel_map_walk(ask, &verdict);
    bool top = mmu_probe(vaddr(stack.top.raw - 1), MMU_KERNEL_WRITE, &pa);
    bool same = pa.raw == stack.memory.raw + KERNEL_STACK_SIZE - 1;
    bool guard = mmu_probe(vaddr(stack.top.raw - KERNEL_STACK_SIZE - 1), MMU_KERNEL_READ, &pa);
    uint64_t address = stack.top.raw - 1;
    kernel_stack_free(&stack);
    bool after = mmu_probe(vaddr(address), MMU_KERNEL_READ, &pa);
    EXPECT_EQ(unsound, 0);
    EXPECT(verdict.leaves >= KERNEL_STACK_SIZE / PAGE_SIZE);
    EXPECT_EQ(verdict.wrong, 0);
    EXPECT(top && same && !guard && !after);
}
