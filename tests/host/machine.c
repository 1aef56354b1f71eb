// The simulated machine itself: its oracles must speak when they should.
#include "hal/host/machine.h"

#include "kernel/debug/ktest.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/mm/pagetable.h"

TEST(machine, walker_sees_what_was_mapped)
{
    struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 3, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(0x400000), paddr(MIB(6)), MIB(2), MAP_USER | MAP_WRITE), 0);
    struct machine_walk walk = machine_walk_from(table.root, 0x400123, false);
    EXPECT(walk.valid && walk.malformed == NULL && walk.level == 2);
    EXPECT_EQ(walk.pa, MIB(6) + 0x123);
    EXPECT(walk.user && walk.write && !walk.exec_user && !walk.global);
    pagetable_destroy(&table);
}

TEST(machine, tlb_keeps_what_is_not_flushed)
{
    struct pagetable table;
    paddr_t seen;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 4, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(PAGE_SIZE), paddr(MIB(6)), PAGE_SIZE, MAP_USER), 0);
    irqflags_t flags = irq_save();
    mmu_activate(table.root, 4);
    bool before = machine_tlb_access(vaddr(PAGE_SIZE), MMU_USER_READ, &seen);
    // A walk by hand to the last level, and a descriptor taken away behind the kernel's back.
    uint64_t *slots = phys_to_virt(table.root);
    for (int level = 0; level < 3; level++) {
        slots = phys_to_virt(paddr(slots[0] & 0xfffffffff000));
    }
    uint64_t old = slots[1];
    mmu_write(&slots[1], 0);
    bool stale = machine_tlb_access(vaddr(PAGE_SIZE), MMU_USER_READ, &seen);
    size_t owed = machine_tlb_owed();
    mmu_flush_leaves(vaddr(PAGE_SIZE), 1, PAGE_SIZE, 4);
    bool after = machine_tlb_access(vaddr(PAGE_SIZE), MMU_USER_READ, &seen);
    size_t left = machine_tlb_owed();
    mmu_write(&slots[1], old);
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    pagetable_destroy(&table);
    EXPECT(before && stale && owed == 1);
    EXPECT(!after && left == 0);
}

#define FLOOD_TABLES 9 // more pages than the machine remembers one by one

TEST(machine, a_flood_of_changes_is_not_forgotten)
{
    struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 5, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(MIB(2)), paddr(MIB(6) + PAGE_SIZE), FLOOD_TABLES * MIB(2), MAP_USER), 0);
    irqflags_t flags = irq_save();
    mmu_activate(table.root, 5);
    uint64_t *slots = phys_to_virt(table.root);
    for (int level = 0; level < 2; level++) {
        slots = phys_to_virt(paddr(slots[0] & 0xfffffffff000));
    }
    static uint64_t old[FLOOD_TABLES][512];
    for (int i = 0; i < FLOOD_TABLES * 512; i++) { // tables of pages, behind the kernel's back
        uint64_t *slot = (uint64_t *)phys_to_virt(paddr(slots[1 + i / 512] & 0xfffffffff000)) + i % 512;
        old[i / 512][i % 512] = *slot;
        mmu_write(slot, 0);
    }
    mmu_flush_leaves(vaddr(MIB(2)), FLOOD_TABLES * 512, PAGE_SIZE, 5);
    size_t single = machine_tlb_owed();
    mmu_flush_asid(6);
    size_t other = machine_tlb_owed();
    mmu_flush_asid(5);
    size_t all = machine_tlb_owed();
    for (int i = 0; i < FLOOD_TABLES * 512; i++) {
        mmu_write((uint64_t *)phys_to_virt(paddr(slots[1 + i / 512] & 0xfffffffff000)) + i % 512,
                  old[i / 512][i % 512]);
    }
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    pagetable_destroy(&table);
    EXPECT_EQ(single, 1);
    EXPECT_EQ(other, 1);
    EXPECT_EQ(all, 0);
}

TEST(machine, choices_are_used_from_the_end)
{
    EXPECT_EQ(machine_choose(1), 0);
    EXPECT_EQ(machine_choose(256), 0); // there are none in this run
}

#if MACHINE_ASAN
#include <sanitizer/asan_interface.h>

TEST(machine, freed_bytes_are_closed_and_their_neighbours_not)
{
    enum { END = 200 };
    paddr_t page;
    EXPECT_EQ(page_alloc(&kernel_pages, 0, &page), 0);
    char *bytes = phys_to_virt(page);
    unsigned wrong = 0;
    for (unsigned start = 0; start < END; start++) {
        memory_freed(bytes + start, END - start);
        for (unsigned i = 0; i <= END; i++) {
            wrong += (__asan_address_is_poisoned(bytes + i) != 0) != (i >= start && i < END);
        }
        memory_allocated(bytes + start, END - start);
        wrong += __asan_region_is_poisoned(bytes, PAGE_SIZE) != NULL;
    }
    EXPECT_EQ(wrong, 0);
    page_free(&kernel_pages, page, 0);
}
#endif
