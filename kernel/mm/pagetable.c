// The life of a page table, questions to it, and its walk. Changes: pagetable_change.c, pagetable_split.c.
#include "kernel/mm/pagetable.h"

#include "kernel/mm/pagetable_internal.h"

int table_alloc(struct pagetable *table, uint64_t **slots)
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

void flush_table(const struct pagetable *table)
{
    uint16_t asid;
    if (!is_user(table)) {
        mmu_flush_all();
    } else if (table_asid(table, &asid)) {
        mmu_flush_asid(asid);
    }
}

void cleanup_table(struct cleanup *cleanup, struct page *page)
{
    cleanup->changed = true; // walkers may hold any part of the path
    page->next = cleanup->freed;
    cleanup->freed = (uint32_t)(page - cleanup->table->pool->buddy.pages);
}

void cleanup_finish(struct cleanup *cleanup)
{
    struct pagetable *table = cleanup->table;
    if (cleanup->changed) {
        flush_table(table);
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

int pagetable_init(struct pagetable *table, enum pagetable_half half, uint16_t asid, struct page_pool *pool)
{
    bool user = half == PAGETABLE_USER;
    *table =
        (struct pagetable){.pool = pool, .base = user ? 0 : PAGETABLE_KERNEL_BASE, .asid = user ? asid : (uint16_t)0};
    uint64_t *root;
    int error = table_alloc(table, &root);
    if (error == 0) {
        table->root = virt_to_phys(root);
    }
    return error;
}

// The machine's leaf with the flags that say the same, or 0.
static uint64_t with_flags(const struct pagetable *table, uint64_t desc)
{
    uint64_t bits = desc & ~(DESC_ADDRESS | DESC_TABLE);
    for (unsigned flags = 0; flags <= MAP_FLAGS_ALL; flags++) {
        uint64_t software = (uint64_t)flags << DESC_FLAGS_SHIFT;
        if ((bits | software) == DESC_ATTRIBUTES(flags, is_user(table))) {
            return desc | software;
        }
    }
    return 0;
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
        int error = 0;
        if (desc_is_table(desc, level) && (desc & ~DESC_ADDRESS) != (DESC_VALID | DESC_TABLE)) {
            error = -EINVAL; // it limits what is below
        } else if (desc_is_table(desc, level)) {
            error = adopt(table, child(desc), level + 1);
        } else {
            table->mapped += level_size(level);
            desc = with_flags(table, desc);
            error = desc != 0 ? 0 : -EINVAL;
            mmu_write(&slots[i], error == 0 ? desc : mmu_read(&slots[i]));
        }
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int pagetable_adopt(struct pagetable *table, enum pagetable_half half, paddr_t root, struct page_pool *pool)
{
    *table = (struct pagetable){.pool = pool, .base = half == PAGETABLE_USER ? 0 : PAGETABLE_KERNEL_BASE, .root = root};
    return adopt(table, phys_to_virt(root), 0);
}

void drop_table(struct cleanup *cleanup, uint64_t *slots, unsigned level)
{
    struct page *page = table_page(cleanup->table, slots);
    unsigned leaves = page->used;
    for (unsigned i = 0, left = leaves; level < LEAF_LEVEL && left > 0; i++) {
        uint64_t desc = mmu_read(&slots[i]);
        left -= desc != 0;
        if (desc != 0 && desc_is_table(desc, level)) {
            leaves--;
            drop_table(cleanup, child(desc), level + 1);
        }
    }
    cleanup->table->mapped -= leaves * level_size(level);
    cleanup_table(cleanup, page);
}

void pagetable_destroy(struct pagetable *table)
{
    struct cleanup cleanup = cleanup_start(table);
    drop_table(&cleanup, root_of(table), 0);
    cleanup_finish(&cleanup);
}

static inline int say(uint64_t desc, uint64_t va, unsigned level, struct mapping *out)
{
    if (unlikely(desc == 0)) {
        return -ENOENT;
    }
    uint64_t size = level_size(level);
    *out = (struct mapping){paddr((desc & DESC_ADDRESS) | (va & (size - 1))), size, desc_flags(desc)};
    return 0;
}

static inline uint64_t entry(const uint64_t *slots, vaddr_t va, unsigned level)
{
    return mmu_read(&slots[level_index(va.raw, level)]);
}

int pagetable_query(const struct pagetable *table, vaddr_t va, struct mapping *out)
{
    if (unlikely(va.raw >> 48 != table->base >> 48)) {
        return -EINVAL;
    }
    uint64_t desc = entry(root_of(table), va, 0);
    if (unlikely(!desc_is_table(desc, 0))) {
        return -ENOENT; // there are no leaves of 512 GiB
    }
    desc = entry(child(desc), va, 1);
    if (!desc_is_table(desc, 1)) {
        return say(desc, va.raw, 1, out);
    }
    desc = entry(child(desc), va, 2);
    if (!desc_is_table(desc, 2)) {
        return say(desc, va.raw, 2, out);
    }
    return say(entry(child(desc), va, LEAF_LEVEL), va.raw, LEAF_LEVEL, out);
}

// --- check ---------------------------------------------------------------------------------------------------------

struct totals {
    uint64_t pages, mapped;
};

static const char *check_leaf(const struct pagetable *table, uint64_t desc, unsigned level)
{
    unsigned flags = desc_flags(desc);
    if (level == 0 || (level == LEAF_LEVEL) != ((desc & DESC_TABLE) != 0)) {
        return "a leaf has the wrong type for its level";
    }
    if (!is_aligned(desc & DESC_ADDRESS, level_size(level))) {
        return "a leaf's address is not aligned to its size";
    }
    if (!desc_is_sound(desc, is_user(table))) {
        return "a leaf's attributes are not those of its flags";
    }
    if ((flags & MAP_USER) != 0 && !is_user(table)) {
        return "a leaf belongs to the other half";
    }
    if ((flags & MAP_USER) == 0 && is_user(table) && (flags & (MAP_WRITE | MAP_EXEC)) != 0) {
        return "a leaf that nobody reaches has rights";
    }
    return (flags & MAP_EXEC) != 0 && (flags & MAP_WRITE) != 0 ? "a leaf is writable and executable" : NULL;
}

// Most of a table is empty: eight slots with one branch.
static bool eight_empty(const uint64_t *slot)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < 8; i++) {
        any |= mmu_read(&slot[i]);
    }
    return any == 0;
}

static const char *check_table(const struct pagetable *table, const uint64_t *slots, unsigned level,
                               struct totals *totals)
{
    unsigned used = 0;
    totals->pages++;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (is_aligned(i, 8) && eight_empty(&slots[i])) {
            i += 7;
            continue;
        }
        uint64_t desc = mmu_read(&slots[i]);
        if (desc == 0) {
            continue;
        }
        used++;
        if ((desc & DESC_VALID) == 0) {
            return "a descriptor is neither empty nor valid";
        }
        const char *broken;
        if (desc_is_table(desc, level) && desc != desc_to_table(child(desc))) {
            broken = "a table's descriptor has bits that it should not";
        } else if (desc_is_table(desc, level)) {
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
    const char *broken = check_table(table, root_of(table), 0, &totals);
    if (broken == NULL && (totals.pages != table->table_pages || totals.mapped != table->mapped)) {
        broken = "table pages or mapped bytes are counted wrong";
    }
    return broken;
}
