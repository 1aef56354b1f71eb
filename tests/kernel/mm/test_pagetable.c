#include "kernel/debug/ktest.h"
#include "kernel/mm/pagetable.h"

#define RW (MAP_USER | MAP_WRITE)

static bool maps(const struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    struct mapping mapping;
    return pagetable_query(table, vaddr(va), &mapping) == 0 && mapping.pa.raw == pa && mapping.size == size &&
           mapping.flags == flags;
}

TEST(pagetable, refuses_bad_arguments)
{
    struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 1, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(1), paddr(0), PAGE_SIZE, RW), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(1), PAGE_SIZE, RW), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), 0, RW), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), PAGE_SIZE, RW | MAP_EXEC), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), PAGE_SIZE, MAP_WRITE), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), PAGE_SIZE, RW | 1u << 30), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(PAGETABLE_HALF_SIZE - PAGE_SIZE), paddr(0), 2 * PAGE_SIZE, RW), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(PAGETABLE_KERNEL_BASE), paddr(0), PAGE_SIZE, RW), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr((1UL << 48) - PAGE_SIZE), 2 * PAGE_SIZE, RW), -EINVAL);
    EXPECT_EQ(table.table_pages, 1);
    pagetable_destroy(&table);
}

TEST(pagetable, largest_leaves_split_and_merge)
{
    struct pagetable table;
    uint64_t before = page_pool_free_pages(&kernel_pages);
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 1, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(GIB(4)), paddr(GIB(8)), GIB(1) + MIB(2) + PAGE_SIZE, RW), 0);
    EXPECT(maps(&table, GIB(4) + 5, GIB(8) + 5, GIB(1), RW));
    EXPECT(maps(&table, GIB(5) + 7, GIB(9) + 7, MIB(2), RW));
    EXPECT(maps(&table, GIB(5) + MIB(2), GIB(9) + MIB(2), PAGE_SIZE, RW));
    EXPECT_EQ(pagetable_map(&table, vaddr(GIB(5)), paddr(0), PAGE_SIZE, RW), -EEXIST);
    EXPECT_SOUND(pagetable_check(&table));
    EXPECT_EQ(pagetable_protect(&table, vaddr(GIB(4) + MIB(6)), PAGE_SIZE, MAP_USER), 0);
    EXPECT(maps(&table, GIB(4) + MIB(6), GIB(8) + MIB(6), PAGE_SIZE, MAP_USER));
    EXPECT(maps(&table, GIB(4), GIB(8), MIB(2), RW));
    EXPECT_SOUND(pagetable_check(&table));
    EXPECT_EQ(pagetable_protect(&table, vaddr(GIB(4) + MIB(6)), PAGE_SIZE, RW), 0);
    EXPECT(maps(&table, GIB(4) + MIB(6), GIB(8) + MIB(6), GIB(1), RW));
    EXPECT_EQ(pagetable_protect(&table, vaddr(GIB(5) + MIB(2)), 2 * PAGE_SIZE, MAP_USER), -ENOENT);
    EXPECT(maps(&table, GIB(5) + MIB(2), GIB(9) + MIB(2), PAGE_SIZE, RW));
    EXPECT_EQ(pagetable_unmap(&table, vaddr(GIB(4) + MIB(1)), MIB(2)), 0);
    EXPECT_EQ(pagetable_query(&table, vaddr(GIB(4) + MIB(1)), &(struct mapping){}), -ENOENT);
    EXPECT(maps(&table, GIB(4) + MIB(3), GIB(8) + MIB(3), PAGE_SIZE, RW));
    EXPECT_SOUND(pagetable_check(&table));
    EXPECT_EQ(pagetable_unmap(&table, vaddr(0), PAGETABLE_HALF_SIZE), 0);
    EXPECT_EQ(table.table_pages, 1);
    EXPECT_EQ(table.mapped, 0);
    pagetable_destroy(&table);
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}
