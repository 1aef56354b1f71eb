// Address space identifiers: what one table's CPU remembers is never another's, and nothing is left for who comes next.
#include "hal/host/machine.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/mm/asid.h"
#include "kernel/mm/pagetable.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/mutex.h"

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

// --- more spaces than identifiers ----------------------------------------------------------------------------------

#define SPACES 40u // the simulated machine has 16
#define ROUNDS 600u
#define VA_OF(index) (VA + (index) % 16 * PAGE_SIZE) // in places of their own in the TLB

static struct many {
    struct pagetable table;
    struct mutex lock; // covers the table and where
    uint64_t where;    // its page at VA_OF(its index); 0: none
} many[SPACES];
static uint32_t wrong;

// As a process that runs for a moment, and sees its own page and nobody else's.
static bool visit(unsigned index, unsigned pauses)
{
    bool right = true;
    irqflags_t flags = irq_save();
    asid_activate(&many[index].table);
    for (unsigned i = 0; i < 16; i++) {
        paddr_t out = paddr(0);
        bool found = machine_tlb_access(vaddr(VA_OF(index + i)), MMU_USER_READ, &out);
        uint64_t expected = i == 0 ? many[index].where : 0;
        right = right && (found ? out.raw : 0) == expected;
        for (unsigned pause = 0; pause < pauses; pause++) {
            cpu_relax(); // where other CPUs go on
        }
    }
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    return right;
}

static void run_spaces(void *argument)
{
    uint64_t random = (uint64_t)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        unsigned index = (random >> 33) % SPACES;
        struct many *one = &many[index];
        vaddr_t va = vaddr(VA_OF(index));
        mutex_lock(&one->lock);
        atomic_add(&wrong, (uint32_t)!visit(index, i % 16 == 0 ? 40 : 1));
        if ((random >> 60) < 6) { // changed while it runs nowhere
            one->where = one->where == MIB(8) ? 0 : MIB(8);
            int error = pagetable_unmap(&one->table, va, PAGE_SIZE);
            error |= one->where == 0 ? 0 : pagetable_map(&one->table, va, paddr(one->where), PAGE_SIZE, RW);
            atomic_add(&wrong, (uint32_t)(error != 0));
        } else if ((random >> 60) == 15) { // ended, and another begun
            pagetable_destroy(&one->table);
            asid_release(&one->table);
            one->where = 0;
            atomic_add(&wrong, (uint32_t)(pagetable_init(&one->table, PAGETABLE_USER, 0, &kernel_pages) != 0));
        }
        mutex_unlock(&one->lock);
        thread_yield();
    }
}

TEST(asid, numbers_are_used_again_and_again_on_several_cpus)
{
    struct thread *threads[3];
    wrong = 0;
    for (unsigned i = 0; i < SPACES; i++) {
        mutex_init(&many[i].lock, "space");
        many[i].where = MIB(6) + i * PAGE_SIZE;
        EXPECT_EQ(pagetable_init(&many[i].table, PAGETABLE_USER, 0, &kernel_pages), 0);
        EXPECT_EQ(pagetable_map(&many[i].table, vaddr(VA_OF(i)), paddr(many[i].where), PAGE_SIZE, RW), 0);
    }
    uint64_t before = asid_statistics().generation;
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_create("spaces", run_spaces, (void *)(uintptr_t)(i + 1), &threads[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        EXPECT_EQ(thread_join(threads[i]), 0);
    }
    struct asid_statistics after = asid_statistics();
    EXPECT_EQ(wrong, 0);
    EXPECT(after.generation > before + 20);
    EXPECT(after.used <= after.limit);
    EXPECT_SOUND(asid_check());
    for (unsigned i = 0; i < SPACES; i++) {
        EXPECT_SOUND(pagetable_check(&many[i].table));
        pagetable_destroy(&many[i].table);
        asid_release(&many[i].table);
    }
    EXPECT_EQ(machine_tlb_owed(), 0);
}

static bool changed;

// On the other CPU: others use up the numbers, twice; then the space is changed here.
static void change_elsewhere(void *argument)
{
    for (unsigned i = 1; i < SPACES; i++) {
        atomic_add(&wrong, (uint32_t)!visit(i, 0));
    }
    (void)visit(0, 1);
    atomic_add(&wrong, (uint32_t)(pagetable_unmap(&many[0].table, vaddr(VA_OF(0)), PAGE_SIZE) != 0));
    store_release(&changed, true);
}

TEST(asid, what_runs_keeps_its_number)
{
    struct thread *thread;
    paddr_t out;
    wrong = 0;
    changed = false;
    for (unsigned i = 0; i < SPACES; i++) {
        many[i].where = MIB(6) + i * PAGE_SIZE;
        EXPECT_EQ(pagetable_init(&many[i].table, PAGETABLE_USER, 0, &kernel_pages), 0);
        EXPECT_EQ(pagetable_map(&many[i].table, vaddr(VA_OF(i)), paddr(many[i].where), PAGE_SIZE, RW), 0);
    }
    irqflags_t flags = irq_save();
    asid_activate(&many[0].table);
    uint64_t before = asid_statistics().generation;
    bool there = machine_tlb_access(vaddr(VA_OF(0)), MMU_USER_READ, &out);
    int error = thread_create("elsewhere", change_elsewhere, NULL, &thread);
    while (error == 0 && !load_acquire(&changed)) {
        (void)machine_tlb_access(vaddr(VA_OF(0)), MMU_USER_READ, &out); // what a rollover flushed is back
        cpu_relax();
    }
    bool still = machine_tlb_access(vaddr(VA_OF(0)), MMU_USER_READ, &out);
    mmu_activate(paddr(0), 0);
    irq_restore(flags);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(thread_join(thread), 0);
    EXPECT(there && !still);
    EXPECT_EQ(wrong, 0);
    EXPECT(asid_statistics().generation >= before + 2);
    for (unsigned i = 0; i < SPACES; i++) {
        pagetable_destroy(&many[i].table);
        asid_release(&many[i].table);
    }
    EXPECT_EQ(machine_tlb_owed(), 0);
}
