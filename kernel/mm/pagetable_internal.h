// What the files of the page-table code share: walking down, table pages, and what a change leaves to do at its end.
#pragma once

#include <hal/memory.h>
#include <hal/mmu.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/descriptor.h"
#include "kernel/mm/pagetable.h"

static inline bool is_user(const struct pagetable *table)
{
    return table->base == 0;
}

static inline struct page *table_page(const struct pagetable *table, const uint64_t *slots)
{
    return page_of(table->pool, virt_to_phys(slots));
}

static inline uint64_t *root_of(const struct pagetable *table)
{
    return phys_to_virt(table->root);
}

// The table that a descriptor leads to: its other bits are always the same.
static inline uint64_t *child(uint64_t desc)
{
    return phys_to_virt(paddr(desc - (DESC_VALID | DESC_TABLE)));
}

static inline uint64_t desc_to_table(const uint64_t *slots)
{
    return virt_to_phys(slots).raw | DESC_VALID | DESC_TABLE;
}

[[nodiscard]] int table_alloc(struct pagetable *table, uint64_t **slots); // empty; -ENOMEM
void flush_table(const struct pagetable *table);                          // everything the table maps

// To flush by, when the descriptors are written: a CPU that has just begun to use the table under another identifier
// either is seen here, or sees what was written. False: no CPU has ever used it, and no TLB knows of it.
static inline bool table_asid(const struct pagetable *table, uint16_t *asid)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *asid = READ_ONCE(table->asid);
    return *asid != 0 || !is_user(table);
}

// To do when the descriptors are written: flush, and only then free the table pages that walkers might still have
// cached.
struct cleanup {
    struct pagetable *table;
    uint32_t freed; // first table page, linked through struct page.next
    bool changed;   // something that was valid is not as it was
};

static inline struct cleanup cleanup_start(struct pagetable *table)
{
    return (struct cleanup){.table = table, .freed = BUDDY_NONE};
}

void cleanup_table(struct cleanup *cleanup, struct page *page); // no descriptor leads to page any more
void cleanup_finish(struct cleanup *cleanup);

void drop_table(struct cleanup *cleanup, uint64_t *slots, unsigned level); // nothing leads to it: frees all below it

// Leaves: kernel/mm/pagetable_split.c.
// Makes leaves end at both ends of [va, va + size). -ENOMEM: every translation is as before.
[[nodiscard]] int split_ends(struct pagetable *table, uint64_t va, uint64_t size);
// Makes one leaf of the 512 around va, as often as that goes.
void merge_around(struct pagetable *table, uint64_t va);

// Could the 512 leaves of a table be one? Cheap: most are not full, or start on an odd address. Live kernel mappings
// never merge: break-before-make would pull them from under the code that uses them.
static inline bool may_merge(const struct pagetable *table, const struct page *page, const uint64_t *slot,
                             unsigned level)
{
    if (likely(page->used != TABLE_ENTRIES) || !is_user(table) || table->pages_only) {
        return false;
    }
    uint64_t first = mmu_read(slot - ((uint64_t)slot & PAGE_MASK) / sizeof(*slot));
    return is_aligned(first & DESC_ADDRESS, level_size(level - 1));
}
