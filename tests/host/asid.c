// Address space identifiers: what one table's CPU remembers is never another's, and nothing is left for who comes next.
#include "hal/host/machine.h"

#include "kernel/debug/ktest.h"
#include "kernel/mm/pagetable.h"

#define VA MIB(2)
#define RW (MAP_USER | MAP_WRITE)

// What a load through the TLB finds at VA; 0: it faults. Page 0 is never mapped here.
static uint64_t load(const struct pagetable *table)
{
    paddr_t out = paddr(0);
    irqflags_t flags = irq_save();
    mmu_activate(table->root, table->asid);
    bool found = machine_tlb_access(vaddr(VA), MMU_USER_READ, &out);
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    return found ? out.raw : 0;
}

static bool store(const struct pagetable *table)
{
    paddr_t out;
    irqflags_t flags = irq_save();
    mmu_activate(table->root, table->asid);
    bool found = machine_tlb_access(vaddr(VA), MMU_USER_WRITE, &out);
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    return found;
}

TEST(asid, a_number_used_again_brings_nothing_along)
{
    static struct pagetable table;
    for (uint64_t pa = MIB(6); pa < MIB(6) + 20 * PAGE_SIZE; pa += PAGE_SIZE) {
        EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 5, &kernel_pages), 0);
        EXPECT_EQ(load(&table), 0);
        EXPECT_EQ(pagetable_map(&table, vaddr(VA), paddr(pa), PAGE_SIZE, RW), 0);
        EXPECT_EQ(load(&table), pa);
        pagetable_destroy(&table); // with the page still mapped, as a process ends
        EXPECT_EQ(machine_tlb_owed(), 0);
    }
}

TEST(asid, two_tables_side_by_side)
{
    static struct pagetable a, b;
    EXPECT_EQ(pagetable_init(&a, PAGETABLE_USER, 5, &kernel_pages), 0);
    EXPECT_EQ(pagetable_init(&b, PAGETABLE_USER, 6, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&a, vaddr(VA), paddr(MIB(6)), PAGE_SIZE, RW), 0);
    EXPECT_EQ(pagetable_map(&b, vaddr(VA), paddr(MIB(7)), PAGE_SIZE, RW), 0);
    for (unsigned i = 0; i < 10; i++) {
        EXPECT_EQ(load(&b), MIB(7));
        EXPECT_EQ(load(&a), MIB(6)); // last: it is what the TLB remembers
    }
    // Changed while the other one is in use: what was remembered under this number is gone all the same.
    irqflags_t flags = irq_save();
    mmu_activate(b.root, b.asid);
    int error = pagetable_protect(&a, vaddr(VA), PAGE_SIZE, MAP_USER);
    irq_restore(flags);
    EXPECT_EQ(error, 0);
    EXPECT(!store(&a) && store(&b));
    EXPECT_EQ(pagetable_unmap(&a, vaddr(VA), PAGE_SIZE), 0);
    EXPECT_EQ(load(&a), 0);
    EXPECT_EQ(load(&b), MIB(7));
    EXPECT_EQ(pagetable_map(&a, vaddr(VA), paddr(MIB(8)), PAGE_SIZE, RW), 0);
    EXPECT_EQ(load(&a), MIB(8));
    EXPECT_EQ(load(&b), MIB(7));
    pagetable_destroy(&a);
    EXPECT_EQ(load(&b), MIB(7));
    pagetable_destroy(&b);
    EXPECT_EQ(machine_tlb_owed(), 0);
}
