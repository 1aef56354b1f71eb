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
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(1UL << 48), PAGE_SIZE, RW), -EINVAL);
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

TEST(pagetable, each_half_keeps_to_itself)
{
    static struct pagetable table;
    struct mapping mapping;
    uint64_t top = 0 - PAGE_SIZE;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_KERNEL, 9, &kernel_pages), 0);
    EXPECT_EQ(table.asid, 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(top), paddr(MIB(4)), PAGE_SIZE, MAP_WRITE), 0); // to the very end
    EXPECT_EQ(pagetable_map(&table, vaddr(top), paddr(MIB(4)), 2 * PAGE_SIZE, MAP_WRITE), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), PAGE_SIZE, MAP_WRITE), -EINVAL);
    EXPECT_EQ(pagetable_map(&table, vaddr(PAGETABLE_KERNEL_BASE), paddr(0), PAGE_SIZE, MAP_USER), -EINVAL);
    EXPECT_EQ(pagetable_query(&table, vaddr(0), &mapping), -EINVAL);
    EXPECT_EQ(pagetable_query(&table, vaddr(PAGETABLE_KERNEL_BASE - 1), &mapping), -EINVAL);
    EXPECT_EQ(pagetable_query(&table, vaddr(PAGETABLE_KERNEL_BASE), &mapping), -ENOENT);
    EXPECT_EQ(pagetable_query(&table, vaddr(UINT64_MAX), &mapping), 0);
    EXPECT_EQ(mapping.pa.raw, MIB(4) + PAGE_MASK);
    EXPECT_EQ(pagetable_unmap(&table, vaddr(0), PAGE_SIZE), -EINVAL);
    EXPECT_EQ(pagetable_unmap(&table, vaddr(top + 1), PAGE_SIZE), -EINVAL);
    EXPECT_EQ(pagetable_protect(&table, vaddr(top), PAGE_SIZE, 0), 0);
    EXPECT(maps(&table, top, MIB(4), PAGE_SIZE, 0));
    EXPECT_SOUND(pagetable_check(&table));
    EXPECT_EQ(pagetable_unmap(&table, vaddr(top), PAGE_SIZE), 0);
    EXPECT_EQ(table.table_pages, 1);
    pagetable_destroy(&table);
}

TEST(pagetable, protect_refuses_what_it_cannot_change)
{
    static struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 9, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(0), MIB(4), RW), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(MIB(4)), paddr(MIB(8)), PAGE_SIZE, RW), 0);
    EXPECT_EQ(pagetable_protect(&table, vaddr(0), MIB(4), RW | MAP_DEVICE), -EINVAL);         // blocks
    EXPECT_EQ(pagetable_protect(&table, vaddr(MIB(4)), PAGE_SIZE, RW | MAP_DEVICE), -EINVAL); // one table of pages
    EXPECT_EQ(pagetable_protect(&table, vaddr(MIB(4)), 2 * PAGE_SIZE, MAP_USER), -ENOENT);
    EXPECT_EQ(pagetable_protect(&table, vaddr(0), MIB(6), MAP_USER), -ENOENT); // a hole behind blocks and a table
    EXPECT_EQ(pagetable_protect(&table, vaddr(0), MIB(4), RW | MAP_EXEC), -EINVAL);
    EXPECT_EQ(pagetable_protect(&table, vaddr(1), MIB(4), RW), -EINVAL);
    EXPECT_EQ(pagetable_protect(&table, vaddr(0), 0, RW), -EINVAL);
    EXPECT(maps(&table, 0, 0, MIB(2), RW) && maps(&table, MIB(4), MIB(8), PAGE_SIZE, RW));
    EXPECT_EQ(pagetable_protect(&table, vaddr(0), MIB(4) + PAGE_SIZE, MAP_USER), 0); // over both kinds
    EXPECT(maps(&table, MIB(2), MIB(2), MIB(2), MAP_USER) && maps(&table, MIB(4), MIB(8), PAGE_SIZE, MAP_USER));
    EXPECT_SOUND(pagetable_check(&table));
    pagetable_destroy(&table);
}

// What the machine made is counted, used and never given back.
TEST(pagetable, a_live_table_is_taken_over)
{
    static struct pagetable made, taken;
    uint64_t before = page_pool_free_pages(&kernel_pages);
    EXPECT_EQ(pagetable_init(&made, PAGETABLE_USER, 9, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&made, vaddr(MIB(1)), paddr(MIB(1)), MIB(2), RW), 0);
    EXPECT_EQ(pagetable_adopt(&taken, PAGETABLE_USER, made.root, &kernel_pages), 0);
    EXPECT_EQ(taken.table_pages, made.table_pages);
    EXPECT_EQ(taken.mapped, made.mapped);
    EXPECT_SOUND(pagetable_check(&taken));
    EXPECT_EQ(pagetable_unmap(&taken, vaddr(0), GIB(1)), 0);
    EXPECT_EQ(taken.table_pages, 1);
    EXPECT_EQ(taken.mapped, 0);
    pagetable_destroy(&taken);
    EXPECT_EQ(page_pool_free_pages(&kernel_pages), before);
}

TEST(pagetable, holes_are_unmapped_without_a_trace)
{
    static struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 9, &kernel_pages), 0);
    EXPECT_EQ(pagetable_unmap(&table, vaddr(PAGE_SIZE), MIB(4)), 0); // nothing at all
    EXPECT_EQ(pagetable_map(&table, vaddr(GIB(3)), paddr(0), PAGE_SIZE, RW), 0);
    EXPECT_EQ(pagetable_unmap(&table, vaddr(GIB(1) + PAGE_SIZE), MIB(4)), 0); // nothing at level 1
    EXPECT_EQ(pagetable_unmap(&table, vaddr(GIB(3) + MIB(2) + PAGE_SIZE), MIB(4)), 0);
    EXPECT(maps(&table, GIB(3), 0, PAGE_SIZE, RW));
    EXPECT_SOUND(pagetable_check(&table));
    pagetable_destroy(&table);
}

// 512 leaves in a row are one larger leaf only if that is what they say.
TEST(pagetable, full_tables_that_are_no_leaf)
{
    static struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 9, &kernel_pages), 0);
    for (uint64_t at = 0; at < MIB(2); at += PAGE_SIZE) { // one page off
        EXPECT_EQ(pagetable_map(&table, vaddr(at), paddr(MIB(8) + PAGE_SIZE + at), PAGE_SIZE, RW), 0);
    }
    EXPECT(maps(&table, 0, MIB(8) + PAGE_SIZE, PAGE_SIZE, RW));
    for (uint64_t at = MIB(2); at < GIB(1); at += MIB(2)) { // 511 blocks behind that table fill the one above
        EXPECT_EQ(pagetable_map(&table, vaddr(at), paddr(GIB(2) + at), MIB(2), RW), 0);
    }
    EXPECT(maps(&table, MIB(2), GIB(2) + MIB(2), MIB(2), RW));
    EXPECT_SOUND(pagetable_check(&table));
    EXPECT_EQ(pagetable_unmap(&table, vaddr(0), MIB(2)), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(0), paddr(GIB(2)), MIB(2), RW), 0); // now it is one
    EXPECT(maps(&table, MIB(2), GIB(2) + MIB(2), GIB(1), RW));
    EXPECT_SOUND(pagetable_check(&table));
    pagetable_destroy(&table);
}

TEST(pagetable, the_kernels_leaves_are_never_merged)
{
    static struct pagetable table;
    uint64_t base = PAGETABLE_KERNEL_BASE + GIB(3);
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_KERNEL, 0, &kernel_pages), 0);
    for (uint64_t at = 0; at < MIB(2); at += PAGE_SIZE) {
        EXPECT_EQ(pagetable_map(&table, vaddr(base + at), paddr(MIB(8) + at), PAGE_SIZE, MAP_WRITE), 0);
    }
    EXPECT(maps(&table, base, MIB(8), PAGE_SIZE, MAP_WRITE));
    EXPECT_SOUND(pagetable_check(&table));
    pagetable_destroy(&table);
}

TEST(pagetable, tables_outside_the_pool_are_not_taken_over)
{
    static struct pagetable made, taken;
    static struct page_pool empty;
    static struct page page;
    EXPECT_EQ(page_pool_init(&empty, paddr(0), 1, &page), 0);
    EXPECT_EQ(pagetable_init(&made, PAGETABLE_USER, 9, &kernel_pages), 0);
    EXPECT_EQ(pagetable_adopt(&taken, PAGETABLE_USER, made.root, &empty), -EINVAL);
    pagetable_destroy(&made);
}

TEST(pagetable, a_page_is_replaced_in_place)
{
    struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 1, &kernel_pages), 0);
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2)), paddr(MIB(4)), RW), -ENOENT);
    EXPECT_EQ(pagetable_map(&table, vaddr(MIB(2)), paddr(MIB(6)), PAGE_SIZE, MAP_USER), 0);
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2)), paddr(MIB(4)), RW), 0);
    EXPECT(maps(&table, MIB(2), MIB(4), PAGE_SIZE, RW));
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2) + PAGE_SIZE), paddr(MIB(4)), RW), -ENOENT);
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2) + 1), paddr(MIB(4)), RW), -EINVAL);
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2)), paddr(MIB(4) + 1), RW), -EINVAL);
    EXPECT_EQ(pagetable_replace(&table, vaddr(MIB(2)), paddr(MIB(4)), RW | MAP_EXEC), -EINVAL);
    EXPECT_SOUND(pagetable_check(&table));
    pagetable_destroy(&table);
}
