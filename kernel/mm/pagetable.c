#include "kernel/mm/pagetable.h"

#include <hal/memory.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/mm/descriptor.h"

// Above this many pages one flush of the whole address space is cheaper than single ones.
#define FLUSH_PAGES_MAX 32u

// What a change leaves to do at its end: flush, and only then free the table pages that walkers might still have
// cached.
struct cleanup {
    struct pagetable *table;
    uint32_t freed;   // first table page, linked through struct page.next
    uint32_t flushes; // single pages flushed so far
    bool flush_all;
};

static struct page *table_page(const struct pagetable *table, const uint64_t *slots)
{
    return page_of(table->pool, virt_to_phys(slots));
}

static uint64_t *child(uint64_t desc)
{
    return phys_to_virt(paddr(desc & DESC_ADDRESS));
}

static uint64_t half_base(const struct pagetable *table)
{
    return table->half == PAGETABLE_USER ? 0 : PAGETABLE_KERNEL_BASE;
}

static void flush_everything(const struct pagetable *table)
{
    if (table->half == PAGETABLE_USER) {
        mmu_flush_asid(table->asid);
    } else {
        mmu_flush_all();
    }
}

static void cleanup_flush(struct cleanup *cleanup, uint64_t va)
{
    if (cleanup->flush_all || cleanup->flushes++ >= FLUSH_PAGES_MAX) {
        cleanup->flush_all = true;
        return;
    }
    mmu_flush_page(vaddr(va | half_base(cleanup->table)), cleanup->table->asid);
}

static void cleanup_table(struct cleanup *cleanup, struct page *page)
{
    cleanup->flush_all = true; // walkers may hold any part of the path
    page->next = cleanup->freed;
    cleanup->freed = (uint32_t)(page - cleanup->table->pool->buddy.pages);
}

static void cleanup_finish(struct cleanup *cleanup)
{
    struct pagetable *table = cleanup->table;
    if (cleanup->flush_all) {
        flush_everything(table);
    }
    while (cleanup->freed != BUDDY_NONE) {
        uint32_t frame = cleanup->freed;
        struct page *page = &table->pool->buddy.pages[frame];
        cleanup->freed = page->next;
        table->table_pages--;
        if (page->state != PAGE_RESERVED) {
            page_free(table->pool, buddy_address(&table->pool->buddy, frame), 0);
        }
    }
}

static struct cleanup cleanup_start(struct pagetable *table)
{
    return (struct cleanup){.table = table, .freed = BUDDY_NONE};
}

static int alloc_table(struct pagetable *table, uint64_t **slots)
{
    paddr_t page;
    int error = page_alloc_zeroed(table->pool, &page);
    if (error != 0) {
        return error;
    }
    page_of(table->pool, page)->used = 0;
    table->table_pages++;
    *slots = phys_to_virt(page);
    return 0;
}

static uint64_t desc_to_table(const uint64_t *slots)
{
    return virt_to_phys(slots).raw | DESC_VALID | DESC_TABLE;
}

int pagetable_init(struct pagetable *table, enum pagetable_half half, uint16_t asid, struct page_pool *pool)
{
    *table = (struct pagetable){.pool = pool, .half = half, .asid = half == PAGETABLE_USER ? asid : 0};
    uint64_t *root;
    int error = alloc_table(table, &root);
    if (error == 0) {
        table->root = virt_to_phys(root);
    }
    return error;
}

static int adopt(struct pagetable *table, uint64_t *slots, unsigned level)
{
    uint64_t offset = virt_to_phys(slots).raw - table->pool->buddy.base.raw;
    if (offset >> PAGE_SHIFT >= table->pool->buddy.frames) {
        return -EINVAL;
    }
    struct page *page = table_page(table, slots);
    page->used = 0;
    table->table_pages++;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t desc = mmu_read(&slots[i]);
        if (desc == 0) {
            continue;
        }
        page->used++;
        if (!desc_is_table(desc, level)) {
            table->mapped += level_size(level);
            continue;
        }
        int error = adopt(table, child(desc), level + 1);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int pagetable_adopt(struct pagetable *table, enum pagetable_half half, paddr_t root, struct page_pool *pool)
{
    *table = (struct pagetable){.pool = pool, .half = half, .root = root};
    return adopt(table, phys_to_virt(root), 0);
}

// --- arguments -----------------------------------------------------------------------------------------------------

static bool range_ok(const struct pagetable *table, uint64_t va, uint64_t size)
{
    uint64_t offset = va - half_base(table);
    return size != 0 && is_aligned(va | size, PAGE_SIZE) && offset < PAGETABLE_HALF_SIZE &&
           size <= PAGETABLE_HALF_SIZE - offset;
}

static bool flags_ok(const struct pagetable *table, unsigned flags)
{
    bool user = (flags & MAP_USER) != 0;
    if ((flags & ~(unsigned)MAP_FLAGS_ALL) != 0 || user != (table->half == PAGETABLE_USER)) {
        return false;
    }
    return (flags & MAP_EXEC) == 0 || (flags & (MAP_WRITE | MAP_DEVICE)) == 0;
}

// --- map -----------------------------------------------------------------------------------------------------------

// A run of equal leaves that lie in one table.
struct run {
    unsigned level, count;
};

static struct run next_run(uint64_t va, uint64_t pa, uint64_t left)
{
    unsigned level = LEAF_LEVEL;
    while (level > 1 && is_aligned(va | pa, level_size(level - 1)) && left >= level_size(level - 1)) {
        level--;
    }
    uint64_t fits = left >> level_shift(level);
    return (struct run){level, (unsigned)min_u64(fits, TABLE_ENTRIES - level_index(va, level))};
}

// The slot for va at level; makes the tables on the way. -EEXIST: a larger leaf is in the way; -ENOMEM.
static inline int descend_making(struct pagetable *table, uint64_t va, unsigned level, uint64_t **out)
{
    uint64_t *slots = phys_to_virt(table->root);
    for (unsigned at = 0; at < level; at++) {
        uint64_t *slot = &slots[level_index(va, at)];
        uint64_t desc = mmu_read(slot);
        if (unlikely(desc == 0)) {
            uint64_t *made;
            int error = alloc_table(table, &made);
            if (error != 0) {
                return error;
            }
            table_page(table, slots)->used++;
            desc = desc_to_table(made);
            mmu_write(slot, desc);
        } else if (unlikely(!desc_is_table(desc, at))) {
            return -EEXIST;
        }
        slots = child(desc);
    }
    *out = &slots[level_index(va, level)];
    return 0;
}

static bool all_empty(const uint64_t *slot, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (mmu_read(&slot[i]) != 0) {
            return false;
        }
    }
    return true;
}

// Takes away the tables on the path to va that hold nothing.
static void prune(struct cleanup *cleanup, uint64_t *slots, uint64_t va, unsigned level)
{
    uint64_t *slot = &slots[level_index(va, level)];
    uint64_t desc = mmu_read(slot);
    if (desc == 0 || !desc_is_table(desc, level)) {
        return;
    }
    prune(cleanup, child(desc), va, level + 1);
    struct page *page = table_page(cleanup->table, child(desc));
    if (page->used == 0) {
        mmu_write(slot, 0);
        table_page(cleanup->table, slots)->used--;
        cleanup_table(cleanup, page);
    }
}

static void merge_around(struct pagetable *table, uint64_t va);

// Could the 512 leaves of the table that slot is in be one? Cheap: most tables are not full, or start on an odd
// address.
static bool may_merge(const struct pagetable *table, const uint64_t *slot, unsigned level)
{
    if (table->half == PAGETABLE_KERNEL || table_page(table, slot)->used != TABLE_ENTRIES) {
        return false;
    }
    uint64_t first = mmu_read(slot - ((uint64_t)slot & PAGE_MASK) / sizeof(*slot));
    return is_aligned(first & DESC_ADDRESS, level_size(level - 1));
}

static void write_run(struct pagetable *table, uint64_t *slot, struct run run, uint64_t pa, uint64_t attributes)
{
    uint64_t desc = desc_leaf(pa, attributes, run.level), step = level_size(run.level);
    for (unsigned i = 0; i < run.count; i++, desc += step) {
        mmu_write(&slot[i], desc);
    }
    struct page *page = table_page(table, slot);
    page->used = (uint16_t)(page->used + run.count);
    table->mapped += run.count * step;
}

// Makes the tables for the first run of the range, and sees that nothing is mapped there.
static inline int prepare_run(struct pagetable *table, uint64_t va, struct run run, uint64_t **slot)
{
    int error = descend_making(table, va, run.level, slot);
    return error == 0 && !all_empty(*slot, run.count) ? -EEXIST : error;
}

// Takes back the tables that a failed preparation made for [va, va + size).
static __attribute__((noinline)) void undo_preparation(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size)
{
    struct cleanup cleanup = cleanup_start(table);
    while (size > 0) {
        struct run run = next_run(va, pa, size);
        prune(&cleanup, phys_to_virt(table->root), va, 0);
        uint64_t bytes = run.count * level_size(run.level);
        va += bytes;
        pa += bytes;
        size -= bytes;
    }
    cleanup_finish(&cleanup);
}

static void commit_run(struct pagetable *table, uint64_t *slot, struct run run, uint64_t va, uint64_t pa,
                       uint64_t attributes)
{
    write_run(table, slot, run, pa, attributes);
    if (unlikely(run.level > 1 && may_merge(table, slot, run.level))) {
        merge_around(table, va);
    }
}

static __attribute__((noinline)) int map_runs(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size,
                                              uint64_t attributes)
{
    uint64_t *slot;
    for (uint64_t done = 0; done < size;) {
        struct run run = next_run(va + done, pa + done, size - done);
        int error = prepare_run(table, va + done, run, &slot);
        done += run.count * level_size(run.level);
        if (error != 0) {
            undo_preparation(table, va, pa, done);
            return error;
        }
    }
    for (uint64_t done = 0; done < size;) {
        struct run run = next_run(va + done, pa + done, size - done);
        int error = descend_making(table, va + done, run.level, &slot);
        ASSERT(error == 0);
        commit_run(table, slot, run, va + done, pa + done, attributes);
        done += run.count * level_size(run.level);
    }
    return 0;
}

int pagetable_map(struct pagetable *table, vaddr_t va, paddr_t pa, uint64_t size, unsigned flags)
{
    if (!range_ok(table, va.raw, size) || !flags_ok(table, flags) || !is_aligned(pa.raw, PAGE_SIZE) ||
        pa.raw >= 1UL << 48 || size > (1UL << 48) - pa.raw) {
        return -EINVAL;
    }
    uint64_t attributes = desc_attributes(flags);
    struct run run = next_run(va.raw, pa.raw, size);
    int error;
    if (likely(run.count * level_size(run.level) == size)) {
        uint64_t *slot;
        error = prepare_run(table, va.raw, run, &slot);
        if (unlikely(error != 0)) {
            undo_preparation(table, va.raw, pa.raw, size);
            return error;
        }
        commit_run(table, slot, run, va.raw, pa.raw, attributes);
    } else {
        error = map_runs(table, va.raw, pa.raw, size, attributes);
    }
    mmu_publish();
    return error;
}

// --- split and merge -----------------------------------------------------------------------------------------------

// If a leaf spans va without starting there, replaces it by a table of smaller ones, until none does.
static int split_at(struct pagetable *table, uint64_t va)
{
    uint64_t *slots = phys_to_virt(table->root);
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
        int error = alloc_table(table, &made);
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
        mmu_flush_page(vaddr(va), table->asid);
        mmu_write(slot, desc_to_table(made));
        mmu_publish();
        slots = made;
    }
    return 0;
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

static void merge_around(struct pagetable *table, uint64_t va)
{
    if (table->half == PAGETABLE_KERNEL) {
        return;
    }
    uint64_t *path[LEAF_LEVEL + 1];
    path[0] = phys_to_virt(table->root);
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
        flush_everything(table);
        mmu_write(slot, merged);
        mmu_publish();
        struct cleanup cleanup = cleanup_start(table);
        cleanup_table(&cleanup, page);
        cleanup_finish(&cleanup);
    }
}

// Makes leaves end at both ends of the range. On failure every translation is as before.
static int split_ends(struct pagetable *table, uint64_t va, uint64_t size)
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

// The slot of va when [va, va + size) lies in one table of pages; else NULL. Most changes are so small.
static uint64_t *slot_in_one_table(const struct pagetable *table, uint64_t va, uint64_t size)
{
    if ((va ^ (va + size - 1)) >= level_size(LEAF_LEVEL - 1)) {
        return NULL;
    }
    uint64_t *slots = phys_to_virt(table->root);
#pragma GCC unroll 3
    for (unsigned level = 0; level < LEAF_LEVEL; level++) {
        uint64_t desc = mmu_read(&slots[level_index(va, level)]);
        if (!desc_is_table(desc, level)) {
            return NULL;
        }
        slots = child(desc);
    }
    return &slots[level_index(va, LEAF_LEVEL)];
}

// --- unmap ---------------------------------------------------------------------------------------------------------

// A whole table goes, with all below it: nothing needs to be cleared, since no walker will come by again.
static void drop_table(struct cleanup *cleanup, uint64_t *slots, unsigned level)
{
    struct page *page = table_page(cleanup->table, slots);
    unsigned leaves = page->used;
    for (unsigned i = 0; level < LEAF_LEVEL && i < TABLE_ENTRIES; i++) {
        uint64_t desc = mmu_read(&slots[i]);
        if (desc != 0 && desc_is_table(desc, level)) {
            leaves--;
            drop_table(cleanup, child(desc), level + 1);
        }
    }
    cleanup->table->mapped -= leaves * level_size(level);
    cleanup_table(cleanup, page);
}

// Clears [va, last] below slots. Leaves do not cross its ends.
static void clear(struct cleanup *cleanup, uint64_t *slots, unsigned level, uint64_t va, uint64_t last)
{
    struct page *page = table_page(cleanup->table, slots);
    uint64_t size = level_size(level);
    for (;;) {
        uint64_t *slot = &slots[level_index(va, level)];
        uint64_t end = min_u64(last, va | (size - 1)), desc = mmu_read(slot);
        if (desc != 0 && desc_is_table(desc, level)) {
            uint64_t *below = child(desc);
            if (end - va == size - 1) {
                mmu_write(slot, 0);
                page->used--;
                drop_table(cleanup, below, level + 1);
            } else {
                clear(cleanup, below, level + 1, va, end);
                if (table_page(cleanup->table, below)->used == 0) {
                    mmu_write(slot, 0);
                    page->used--;
                    cleanup_table(cleanup, table_page(cleanup->table, below));
                }
            }
        } else if (desc != 0) {
            mmu_write(slot, 0);
            page->used--;
            cleanup->table->mapped -= size;
            cleanup_flush(cleanup, va);
        }
        if (end == last) {
            return;
        }
        va = end + 1;
    }
}

// Clears count pages of one table.
static void clear_pages(struct cleanup *cleanup, uint64_t *slot, uint64_t va, uint64_t count)
{
    unsigned cleared = 0;
    for (uint64_t i = 0; i < count; i++, va += PAGE_SIZE) {
        if (mmu_read(&slot[i]) != 0) {
            mmu_write(&slot[i], 0);
            cleanup_flush(cleanup, va);
            cleared++;
        }
    }
    struct page *page = table_page(cleanup->table, slot);
    page->used = (uint16_t)(page->used - cleared);
    cleanup->table->mapped -= cleared * PAGE_SIZE;
    if (unlikely(page->used == 0)) {
        prune(cleanup, phys_to_virt(cleanup->table->root), va - PAGE_SIZE, 0);
    }
}

int pagetable_unmap(struct pagetable *table, vaddr_t va, uint64_t size)
{
    if (!range_ok(table, va.raw, size)) {
        return -EINVAL;
    }
    uint64_t *slot = size < level_size(LEAF_LEVEL - 1) ? slot_in_one_table(table, va.raw, size) : NULL;
    if (slot != NULL) {
        struct cleanup cleanup = cleanup_start(table);
        clear_pages(&cleanup, slot, va.raw, size >> PAGE_SHIFT);
        cleanup_finish(&cleanup);
        return 0;
    }
    int error = split_ends(table, va.raw, size);
    if (error != 0) {
        return error;
    }
    struct cleanup cleanup = cleanup_start(table);
    clear(&cleanup, phys_to_virt(table->root), 0, va.raw, va.raw + size - 1);
    cleanup_finish(&cleanup);
    return 0;
}

void pagetable_destroy(struct pagetable *table)
{
    struct cleanup cleanup = cleanup_start(table);
    drop_table(&cleanup, phys_to_virt(table->root), 0);
    cleanup_finish(&cleanup);
}

// --- protect and query ---------------------------------------------------------------------------------------------

// The leaf that maps va: its slot and level. False: a hole, *level then says how large.
static inline bool find_leaf(const struct pagetable *table, uint64_t va, uint64_t **slot, unsigned *level)
{
    uint64_t *slots = phys_to_virt(table->root);
#pragma GCC unroll 4
    for (unsigned at = 0; at <= LEAF_LEVEL; at++) {
        uint64_t desc = mmu_read(&slots[level_index(va, at)]);
        if (!desc_is_table(desc, at)) {
            *slot = &slots[level_index(va, at)];
            *level = at;
            return desc != 0;
        }
        slots = child(desc);
    }
    return false; // never: there is no table below the last level
}

// How many of the slots from slot on belong to the range that starts at va, in this table.
static unsigned slots_in_range(uint64_t va, uint64_t end, unsigned level)
{
    uint64_t start = round_down(va, level_size(level));
    uint64_t count = (end - start + level_size(level) - 1) >> level_shift(level);
    return (unsigned)min_u64(count, TABLE_ENTRIES - level_index(va, level));
}

// 0 when the whole range is mapped, with the memory type that flags say.
static int check_mapped(const struct pagetable *table, uint64_t va, uint64_t end, unsigned flags)
{
    uint64_t type = desc_attributes(flags) & DESC_ATTR(7);
    while (va < end) {
        uint64_t *slot;
        unsigned level;
        if (!find_leaf(table, va, &slot, &level)) {
            return -ENOENT;
        }
        unsigned count = slots_in_range(va, end, level);
        uint64_t start = round_down(va, level_size(level));
        unsigned i = 0;
        for (; i < count; i++) {
            uint64_t desc = mmu_read(&slot[i]);
            if (desc == 0 || desc_is_table(desc, level)) {
                break; // the outer loop tells a hole from a table
            }
            if ((desc & DESC_ATTR(7)) != type) {
                return -EINVAL;
            }
        }
        va = start + i * level_size(level);
    }
    return 0;
}

static void protect_leaves(struct cleanup *cleanup, uint64_t va, uint64_t end, uint64_t permissions)
{
    while (va < end) {
        uint64_t *slot;
        unsigned level;
        bool found = find_leaf(cleanup->table, va, &slot, &level);
        ASSERT(found);
        unsigned count = slots_in_range(va, end, level);
        for (unsigned i = 0; i < count; i++, va += level_size(level)) {
            uint64_t desc = mmu_read(&slot[i]);
            if (desc_is_table(desc, level)) {
                break;
            }
            uint64_t wanted = (desc & ~DESC_PERMISSIONS) | permissions;
            if (wanted != desc) {
                mmu_write(&slot[i], wanted);
                cleanup_flush(cleanup, va);
            }
        }
    }
}

// The same for pages of one table, where nothing needs splitting.
static int protect_pages(struct cleanup *cleanup, uint64_t *slot, uint64_t va, uint64_t count, unsigned flags)
{
    uint64_t type = desc_attributes(flags) & DESC_ATTR(7), permissions = desc_permissions(flags);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t desc = mmu_read(&slot[i]);
        if (desc == 0 || (desc & DESC_ATTR(7)) != type) {
            return desc == 0 ? -ENOENT : -EINVAL;
        }
    }
    for (uint64_t i = 0; i < count; i++, va += PAGE_SIZE) {
        uint64_t desc = mmu_read(&slot[i]), wanted = (desc & ~DESC_PERMISSIONS) | permissions;
        if (wanted != desc) {
            mmu_write(&slot[i], wanted);
            cleanup_flush(cleanup, va);
        }
    }
    return 0;
}

int pagetable_protect(struct pagetable *table, vaddr_t va, uint64_t size, unsigned flags)
{
    if (!range_ok(table, va.raw, size) || !flags_ok(table, flags)) {
        return -EINVAL;
    }
    uint64_t *slot = slot_in_one_table(table, va.raw, size);
    if (slot != NULL) {
        struct cleanup one = cleanup_start(table);
        int failed = protect_pages(&one, slot, va.raw, size >> PAGE_SHIFT, flags);
        cleanup_finish(&one);
        if (failed == 0 && unlikely(may_merge(table, slot, LEAF_LEVEL))) {
            merge_around(table, va.raw);
        }
        return failed;
    }
    // From the start of the half, since the upper one ends at 2^64.
    uint64_t start = va.raw & (PAGETABLE_HALF_SIZE - 1), end = start + size;
    int error = check_mapped(table, start, end, flags);
    if (error == 0) {
        error = split_ends(table, va.raw, size);
    }
    if (error != 0) {
        return error;
    }
    struct cleanup cleanup = cleanup_start(table);
    protect_leaves(&cleanup, start, end, desc_permissions(flags));
    cleanup_finish(&cleanup);
    merge_around(table, va.raw);
    merge_around(table, va.raw + size - PAGE_SIZE);
    return 0;
}

int pagetable_query(const struct pagetable *table, vaddr_t va, struct mapping *out)
{
    if (va.raw - half_base(table) >= PAGETABLE_HALF_SIZE) {
        return -EINVAL;
    }
    const uint64_t *slots = phys_to_virt(table->root);
#pragma GCC unroll 4
    for (unsigned level = 0; level <= LEAF_LEVEL; level++) {
        uint64_t desc = mmu_read(&slots[level_index(va.raw, level)]);
        if (desc_is_table(desc, level)) {
            slots = child(desc);
            continue;
        }
        if (desc == 0) {
            break;
        }
        uint64_t size = level_size(level);
        *out = (struct mapping){paddr((desc & DESC_ADDRESS) | (va.raw & (size - 1))), size, desc_flags(desc)};
        return 0;
    }
    return -ENOENT;
}

// --- check ---------------------------------------------------------------------------------------------------------

struct totals {
    uint64_t pages, mapped;
};

static const char *check_leaf(const struct pagetable *table, uint64_t desc, unsigned level)
{
    bool user = table->half == PAGETABLE_USER;
    if (level == 0 || (level == LEAF_LEVEL) != ((desc & DESC_TABLE) != 0)) {
        return "a leaf has the wrong type for its level";
    }
    if (!is_aligned(desc & DESC_ADDRESS, level_size(level))) {
        return "a leaf's address is not aligned to its size";
    }
    if (((desc & DESC_USER) != 0) != user || ((desc & DESC_NOT_GLOBAL) != 0) != user) {
        return "a leaf belongs to the other half";
    }
    bool executable = (desc & (DESC_PXN | DESC_UXN)) != (DESC_PXN | DESC_UXN);
    if (executable && (desc & DESC_READ_ONLY) == 0) {
        return "a leaf is writable and executable";
    }
    return (desc & DESC_ACCESSED) != 0 ? NULL : "a leaf would fault on first access";
}

static const char *check_table(const struct pagetable *table, const uint64_t *slots, unsigned level,
                               struct totals *totals)
{
    unsigned used = 0;
    totals->pages++;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        uint64_t desc = mmu_read(&slots[i]);
        if (desc == 0) {
            continue;
        }
        used++;
        if ((desc & DESC_VALID) == 0) {
            return "a descriptor is neither empty nor valid";
        }
        const char *broken;
        if (desc_is_table(desc, level)) {
            broken = check_table(table, child(desc), level + 1, totals);
        } else {
            broken = check_leaf(table, desc, level);
            totals->mapped += level_size(level);
        }
        if (broken != NULL) {
            return broken;
        }
    }
    if (used != table_page(table, slots)->used) {
        return "a table's count of descriptors is wrong";
    }
    bool kept = level == 0 || table_page(table, slots)->state == PAGE_RESERVED; // a root, or the machine's own
    return used > 0 || kept ? NULL : "an empty table was not freed";
}

const char *pagetable_check(const struct pagetable *table)
{
    struct totals totals = {0};
    const char *broken = check_table(table, phys_to_virt(table->root), 0, &totals);
    if (broken == NULL && (totals.pages != table->table_pages || totals.mapped != table->mapped)) {
        broken = "table pages or mapped bytes are counted wrong";
    }
    return broken;
}
