// Leaves of one size become leaves of another, and no translation changes.
#include "kernel/mm/pagetable_internal.h"

// If a leaf spans va without starting there, replaces it by a table of smaller ones, until none does.
static int split_at(struct pagetable *table, uint64_t va)
{
    uint64_t *slots = root_of(table);
    for (unsigned level = 0; level < LEAF_LEVEL; level++) {
        if (is_aligned(va, level_size(level))) {
            return 0; // whatever lies here starts here
        }
        uint64_t *slot = &slots[level_index(va, level)];
        uint64_t desc = mmu_read(slot);
        if (desc == 0) {
            return 0;
        }
        if (desc_is_table(desc, level)) {
            slots = child(desc);
            continue;
        }
        uint64_t *made;
        int error = table_alloc(table, &made);
        if (error != 0) {
            return error;
        }
        uint64_t attributes = desc & ~(DESC_ADDRESS | DESC_TABLE);
        uint64_t small = desc_leaf(desc & DESC_ADDRESS, attributes, level + 1);
        for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
            mmu_write(&made[i], small + i * level_size(level + 1));
        }
        table_page(table, made)->used = TABLE_ENTRIES;
        mmu_write(slot, 0); // break before make, Arm ARM D8.16.1
        uint16_t asid;
        if (table_asid(table, &asid)) {
            mmu_flush_leaves(vaddr(va), 1, level_size(level), asid);
        }
        mmu_prepare(); // a table that no CPU has used yet is not flushed
        mmu_write(slot, desc_to_table(made));
        mmu_publish();
        slots = made;
    }
    return 0;
}

int split_ends(struct pagetable *table, uint64_t va, uint64_t size)
{
    int error = split_at(table, va);
    if (error == 0) {
        error = split_at(table, va + size);
    }
    if (error != 0) {
        merge_around(table, va);
        merge_around(table, va + size);
    }
    return error;
}

// True when the 512 leaves in slots say the same as one leaf a level up.
static bool mergeable(const uint64_t *slots, unsigned level)
{
    uint64_t first = mmu_read(&slots[0]), step = level_size(level);
    if (desc_is_table(first, level) || !is_aligned(first & DESC_ADDRESS, level_size(level - 1))) {
        return false;
    }
    // From the end: a table that has just been filled by single pages differs there soonest.
    for (unsigned i = TABLE_ENTRIES - 1; i > 0; i--) {
        if (mmu_read(&slots[i]) != first + i * step) {
            return false;
        }
    }
    return true;
}

void merge_around(struct pagetable *table, uint64_t va)
{
    if (!is_user(table) || table->pages_only) {
        return;
    }
    uint64_t *path[LEAF_LEVEL + 1] = {root_of(table)};
    unsigned level = 0;
    for (;; level++) {
        uint64_t desc = mmu_read(&path[level][level_index(va, level)]);
        if (desc == 0) {
            return;
        }
        if (!desc_is_table(desc, level)) {
            break;
        }
        path[level + 1] = child(desc);
    }
    for (; level >= 2; level--) { // a leaf at level 0 does not exist
        struct page *page = table_page(table, path[level]);
        if (page->used != TABLE_ENTRIES || !mergeable(path[level], level)) {
            return;
        }
        uint64_t merged = mmu_read(&path[level][0]) & ~DESC_TABLE;
        uint64_t *slot = &path[level - 1][level_index(va, level - 1)];
        mmu_write(slot, 0); // break before make
        flush_table(table);
        mmu_write(slot, merged);
        mmu_publish();
        struct cleanup cleanup = cleanup_start(table);
        cleanup_table(&cleanup, page);
        cleanup_finish(&cleanup);
    }
}
