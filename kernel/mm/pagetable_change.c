// map, unmap, protect. Each has a short way for slots of one table, which is what most calls are, and a long way.
#include "kernel/base/assert.h"
#include "kernel/mm/pagetable_internal.h"

// Above this many leaves one flush of the whole address space is cheaper than single ones.
#define FLUSH_LEAVES_MAX 32u

#define ALLOWED(flags, user)                                                                                           \
    ((((flags) & MAP_EXEC) != 0 && ((flags) & (MAP_WRITE | MAP_DEVICE)) != 0) ||                                       \
             ((user) ? ((flags) & MAP_USER) == 0 && ((flags) & (MAP_WRITE | MAP_EXEC)) != 0                            \
                     : ((flags) & MAP_USER) != 0)                                                                      \
         ? 0                                                                                                           \
         : DESC_ATTRIBUTES(flags, user))
#define FOUR_ALLOWED(flags, user)                                                                                      \
    ALLOWED(flags, user), ALLOWED((flags) + 1, user), ALLOWED((flags) + 2, user), ALLOWED((flags) + 3, user)
#define ALL_ALLOWED(user) FOUR_ALLOWED(0, user), FOUR_ALLOWED(4, user), FOUR_ALLOWED(8, user), FOUR_ALLOWED(12, user)
static const uint64_t attributes[2][MAP_FLAGS_ALL + 1] = {{ALL_ALLOWED(false)}, {ALL_ALLOWED(true)}};

// 0: no such mapping in this half.
static uint64_t attributes_for(const struct pagetable *table, unsigned flags)
{
    return likely(flags <= MAP_FLAGS_ALL) ? attributes[is_user(table)][flags] : 0;
}

static bool range_ok(const struct pagetable *table, uint64_t va, uint64_t size)
{
    uint64_t offset = va - table->base, last = size - 1;
    return (((va | size) & PAGE_MASK) | ((offset | last | (offset + last)) >> 48)) == 0;
}

static bool frames_ok(uint64_t pa, uint64_t size)
{
    return ((pa & PAGE_MASK) | ((pa | (pa + size - 1)) >> 48)) == 0;
}

static inline void count_up(struct pagetable *table, struct page *page, unsigned leaves, unsigned level)
{
    page->used = (uint16_t)(page->used + leaves);
    table->mapped += (uint64_t)leaves << level_shift(level);
}

static inline void count_down(struct pagetable *table, struct page *page, unsigned leaves, unsigned level)
{
    page->used = (uint16_t)(page->used - leaves);
    table->mapped -= (uint64_t)leaves << level_shift(level);
}

// Neighbouring slots of one table.
struct run {
    uint64_t *slot;
    unsigned level, count;
};

// The run that is [va, va + size), if one is. Only its first slot is known not to be a table.
static inline bool find_run(const struct pagetable *table, uint64_t va, uint64_t size, struct run *out)
{
    uint64_t *slots = root_of(table);
    unsigned level = 0;
#pragma GCC unroll 3
    for (; level < LEAF_LEVEL; level++) {
        uint64_t desc = mmu_read(&slots[level_index(va, level)]);
        if (!desc_is_table(desc, level)) {
            break;
        }
        slots = child(desc);
    }
    uint64_t leaf = level_size(level);
    if (((va | size) & (leaf - 1)) != 0 || ((va ^ (va + size - 1)) / TABLE_ENTRIES) >= leaf) {
        return false;
    }
    *out = (struct run){&slots[level_index(va, level)], level, (unsigned)(size >> level_shift(level))};
    return true;
}

static inline bool holds_tables(const struct run *run)
{
    for (unsigned i = 1; i < run->count && run->level < LEAF_LEVEL; i++) {
        if (desc_is_table(mmu_read(&run->slot[i]), run->level)) {
            return true;
        }
    }
    return false;
}

static inline void flush_run(struct pagetable *table, const struct run *run, uint64_t va)
{
    uint16_t asid;
    if (run->count > FLUSH_LEAVES_MAX) {
        flush_table(table);
    } else if (table_asid(table, &asid)) {
        mmu_flush_leaves(vaddr(va), run->count, level_size(run->level), asid);
    }
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

static __attribute__((noinline)) void prune_path(struct pagetable *table, uint64_t va)
{
    struct cleanup cleanup = cleanup_start(table);
    prune(&cleanup, root_of(table), va, 0);
    cleanup_finish(&cleanup);
}

// --- map -----------------------------------------------------------------------------------------------------------

// The largest leaves that alignment allows, as many as lie in one table. The slot is not known yet.
static inline struct run next_run(const struct pagetable *table, uint64_t va, uint64_t pa, uint64_t left)
{
    unsigned level = LEAF_LEVEL;
    while (level > 1 && !table->pages_only && left >= level_size(level - 1) &&
           is_aligned(va | pa, level_size(level - 1))) {
        level--;
    }
    uint64_t fits = left >> level_shift(level);
    return (struct run){NULL, level, (unsigned)min_u64(fits, TABLE_ENTRIES - level_index(va, level))};
}

static inline uint64_t run_size(const struct run *run)
{
    return (uint64_t)run->count << level_shift(run->level);
}

// The slot for va at level, or NULL when a table is missing on the way or a larger leaf is there.
static inline uint64_t *descend(const struct pagetable *table, uint64_t va, unsigned level)
{
    uint64_t *slots = root_of(table);
#pragma GCC unroll 3
    for (unsigned at = 0; at < LEAF_LEVEL && at < level; at++) {
        uint64_t desc = mmu_read(&slots[level_index(va, at)]);
        if (unlikely(!desc_is_table(desc, at))) {
            return NULL;
        }
        slots = child(desc);
    }
    return &slots[level_index(va, level)];
}

// Makes the tables for the run at va. -EEXIST: a larger leaf is in the way; -ENOMEM. What was made stays.
static int make_tables(struct pagetable *table, uint64_t va, struct run *run)
{
    uint64_t *slots = root_of(table);
    for (unsigned at = 0; at < run->level; at++) {
        uint64_t *slot = &slots[level_index(va, at)];
        uint64_t desc = mmu_read(slot);
        if (desc == 0) {
            uint64_t *made;
            int error = table_alloc(table, &made);
            if (error != 0) {
                return error;
            }
            table_page(table, slots)->used++;
            desc = desc_to_table(made);
            mmu_prepare(); // it is empty for every walker
            mmu_write(slot, desc);
        } else if (!desc_is_table(desc, at)) {
            return -EEXIST;
        }
        slots = child(desc);
    }
    run->slot = &slots[level_index(va, run->level)];
    return 0;
}

static inline bool all_empty(const struct run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        if (mmu_read(&run->slot[i]) != 0) {
            return false;
        }
    }
    return true;
}

static inline void commit_run(struct pagetable *table, const struct run *run, uint64_t va, uint64_t pa, uint64_t bits)
{
    uint64_t desc = desc_leaf(pa, bits, run->level), step = level_size(run->level);
    mmu_prepare(); // what the pages hold is there before they are
    for (unsigned i = 0; i < run->count; i++, desc += step) {
        mmu_write(&run->slot[i], desc);
    }
    struct page *page = table_page(table, run->slot);
    count_up(table, page, run->count, run->level);
    if (unlikely(run->level > 1 && may_merge(table, page, run->slot, run->level))) {
        merge_around(table, va);
    }
}

// Takes back the tables that a failed preparation made for [va, va + size).
static void undo_preparation(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size)
{
    struct cleanup cleanup = cleanup_start(table);
    for (uint64_t done = 0; done < size;) {
        struct run run = next_run(table, va + done, pa + done, size - done);
        prune(&cleanup, root_of(table), va + done, 0);
        done += run_size(&run);
    }
    cleanup_finish(&cleanup);
}

static __attribute__((noinline)) int map_range(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size,
                                               uint64_t bits)
{
    for (uint64_t done = 0; done < size;) {
        struct run run = next_run(table, va + done, pa + done, size - done);
        int error = make_tables(table, va + done, &run);
        if (error == 0 && !all_empty(&run)) {
            error = -EEXIST;
        }
        done += run_size(&run);
        if (error != 0) {
            undo_preparation(table, va, pa, done);
            return error;
        }
    }
    for (uint64_t done = 0; done < size;) {
        struct run run = next_run(table, va + done, pa + done, size - done);
        run.slot = descend(table, va + done, run.level);
        commit_run(table, &run, va + done, pa + done, bits);
        done += run_size(&run);
    }
    mmu_publish();
    return 0;
}

int pagetable_map(struct pagetable *table, vaddr_t va, paddr_t pa, uint64_t size, unsigned flags)
{
    uint64_t bits = attributes_for(table, flags);
    if (unlikely(bits == 0 || !range_ok(table, va.raw, size) || !frames_ok(pa.raw, size))) {
        return -EINVAL;
    }
    struct run run = next_run(table, va.raw, pa.raw, size);
    if (likely(run_size(&run) == size)) {
        run.slot = descend(table, va.raw, run.level);
        if (likely(run.slot != NULL && all_empty(&run))) {
            commit_run(table, &run, va.raw, pa.raw, bits);
            mmu_publish();
            return 0;
        }
    }
    return map_range(table, va.raw, pa.raw, size, bits);
}

// --- unmap ---------------------------------------------------------------------------------------------------------

static void clear_run(struct pagetable *table, const struct run *run, uint64_t va)
{
    unsigned cleared = 0;
    for (unsigned i = 0; i < run->count; i++) {
        if (mmu_read(&run->slot[i]) != 0) {
            mmu_write(&run->slot[i], 0);
            cleared++;
        }
    }
    if (cleared > 0) {
        struct page *page = table_page(table, run->slot);
        count_down(table, page, cleared, run->level);
        flush_run(table, run, va);
        if (unlikely(page->used == 0)) {
            prune_path(table, va);
        }
    }
}

// Clears [va, last] below slots. Leaves do not cross its ends.
static void clear_range(struct cleanup *cleanup, uint64_t *slots, unsigned level, uint64_t va, uint64_t last)
{
    struct page *page = table_page(cleanup->table, slots);
    uint64_t size = level_size(level);
    for (;; va = (va | (size - 1)) + 1) {
        uint64_t *slot = &slots[level_index(va, level)];
        uint64_t end = min_u64(last, va | (size - 1)), desc = mmu_read(slot);
        if (desc != 0 && desc_is_table(desc, level)) {
            uint64_t *below = child(desc);
            if (end - va == size - 1) {
                mmu_write(slot, 0); // nothing below needs to be cleared: no walker will come by again
                page->used--;
                drop_table(cleanup, below, level + 1);
            } else {
                clear_range(cleanup, below, level + 1, va, end);
                prune(cleanup, slots, va, level);
            }
        } else if (desc != 0) {
            mmu_write(slot, 0);
            count_down(cleanup->table, page, 1, level);
            cleanup->changed = true;
        }
        if (end == last || page->used == 0) {
            return;
        }
    }
}

static __attribute__((noinline)) int unmap_range(struct pagetable *table, uint64_t va, uint64_t size)
{
    int error = split_ends(table, va, size);
    if (error != 0) {
        return error;
    }
    struct cleanup cleanup = cleanup_start(table);
    clear_range(&cleanup, root_of(table), 0, va, va + size - 1);
    cleanup_finish(&cleanup);
    return 0;
}

int pagetable_unmap(struct pagetable *table, vaddr_t va, uint64_t size)
{
    if (unlikely(!range_ok(table, va.raw, size))) {
        return -EINVAL;
    }
    struct run run;
    // A whole table goes at once.
    if (unlikely(!find_run(table, va.raw, size, &run) || run.count == TABLE_ENTRIES || holds_tables(&run))) {
        return unmap_range(table, va.raw, size);
    }
    clear_run(table, &run, va.raw);
    return 0;
}

// --- protect -------------------------------------------------------------------------------------------------------

static inline bool same_type(uint64_t desc, uint64_t bits)
{
    return ((desc ^ bits) & DESC_ATTR(7)) == 0;
}

static inline bool protect_leaf(uint64_t *slot, uint64_t bits)
{
    uint64_t desc = mmu_read(slot), wanted = (desc & ~DESC_PERMISSIONS) | (bits & DESC_PERMISSIONS);
    if (wanted == desc) {
        return false;
    }
    mmu_write(slot, wanted);
    return true;
}

static int protect_run(struct pagetable *table, const struct run *run, uint64_t va, uint64_t bits)
{
    for (unsigned i = 0; i < run->count; i++) {
        uint64_t desc = mmu_read(&run->slot[i]);
        if (desc == 0 || !same_type(desc, bits)) {
            return desc == 0 ? -ENOENT : -EINVAL;
        }
    }
    bool changed = false;
    for (unsigned i = 0; i < run->count; i++) {
        changed |= protect_leaf(&run->slot[i], bits);
    }
    if (changed) {
        flush_run(table, run, va);
        if (unlikely(run->level > 1 && may_merge(table, table_page(table, run->slot), run->slot, run->level))) {
            merge_around(table, va);
        }
    }
    return 0;
}

// 0 when all of [va, last] is mapped, with the memory type of bits.
static int check_range(const uint64_t *slots, unsigned level, uint64_t va, uint64_t last, uint64_t bits)
{
    for (;;) {
        uint64_t end = min_u64(last, va | (level_size(level) - 1)), desc = mmu_read(&slots[level_index(va, level)]);
        int error = desc == 0 ? -ENOENT : 0;
        if (error == 0 && desc_is_table(desc, level)) {
            error = check_range(child(desc), level + 1, va, end, bits);
        } else if (error == 0 && !same_type(desc, bits)) {
            error = -EINVAL;
        }
        if (error != 0 || end == last) {
            return error;
        }
        va = end + 1;
    }
}

// All of [va, last] is mapped, and leaves do not cross its ends.
static void protect_leaves(struct cleanup *cleanup, uint64_t *slots, unsigned level, uint64_t va, uint64_t last,
                           uint64_t bits)
{
    for (;;) {
        uint64_t *slot = &slots[level_index(va, level)];
        uint64_t end = min_u64(last, va | (level_size(level) - 1)), desc = mmu_read(slot);
        if (desc_is_table(desc, level)) {
            protect_leaves(cleanup, child(desc), level + 1, va, end, bits);
        } else {
            cleanup->changed |= protect_leaf(slot, bits);
        }
        if (end == last) {
            return;
        }
        va = end + 1;
    }
}

static __attribute__((noinline)) int protect_range(struct pagetable *table, uint64_t va, uint64_t size, uint64_t bits)
{
    uint64_t last = va + size - 1;
    int error = check_range(root_of(table), 0, va, last, bits);
    if (error == 0) {
        error = split_ends(table, va, size);
    }
    if (error != 0) {
        return error;
    }
    struct cleanup cleanup = cleanup_start(table);
    protect_leaves(&cleanup, root_of(table), 0, va, last, bits);
    cleanup_finish(&cleanup);
    merge_around(table, va);
    merge_around(table, last);
    return 0;
}

int pagetable_protect(struct pagetable *table, vaddr_t va, uint64_t size, unsigned flags)
{
    uint64_t bits = attributes_for(table, flags);
    if (unlikely(bits == 0 || !range_ok(table, va.raw, size))) {
        return -EINVAL;
    }
    struct run run;
    if (unlikely(!find_run(table, va.raw, size, &run) || holds_tables(&run))) {
        return protect_range(table, va.raw, size, bits);
    }
    return protect_run(table, &run, va.raw, bits);
}

// --- replace -------------------------------------------------------------------------------------------------------

int pagetable_replace(struct pagetable *table, vaddr_t va, paddr_t pa, unsigned flags)
{
    uint64_t bits = attributes_for(table, flags);
    if (unlikely(bits == 0 || !range_ok(table, va.raw, PAGE_SIZE) || !frames_ok(pa.raw, PAGE_SIZE))) {
        return -EINVAL;
    }
    struct run run;
    if (!find_run(table, va.raw, PAGE_SIZE, &run) || mmu_read(run.slot) == 0) {
        return -ENOENT;
    }
    mmu_write(run.slot, 0); // break before make, Arm ARM D8.16.1
    flush_run(table, &run, va.raw);
    mmu_prepare(); // a table that no CPU has used yet is not flushed
    mmu_write(run.slot, desc_leaf(pa.raw, bits, LEAF_LEVEL));
    mmu_publish();
    return 0;
}
