// A walk over leaves that may change their rights.
#include "kernel/mm/pagetable_internal.h"

struct visit {
    struct cleanup cleanup;
    bool (*each)(vaddr_t va, paddr_t pa, unsigned *flags, void *argument);
    void *argument;
};

static bool visit_leaf(struct visit *visit, uint64_t *slot, uint64_t va)
{
    uint64_t desc = mmu_read(slot);
    unsigned before = desc_flags(desc), flags = before;
    bool go_on = visit->each(vaddr(va), paddr(desc & DESC_ADDRESS), &flags, visit->argument);
    if (flags != before) {
        uint64_t bits = DESC_ATTRIBUTES(flags, is_user(visit->cleanup.table));
        mmu_write(slot, (desc & ~DESC_PERMISSIONS) | (bits & DESC_PERMISSIONS));
        visit->cleanup.changed = true;
    }
    return go_on;
}

// [va, last] below slots, as far as there is anything; false: stopped.
static bool visit_range(struct visit *visit, uint64_t *slots, unsigned level, uint64_t va, uint64_t last)
{
    unsigned left = table_page(visit->cleanup.table, slots)->used;
    for (;;) {
        uint64_t *slot = &slots[level_index(va, level)];
        uint64_t end = min_u64(last, va | (level_size(level) - 1)), desc = mmu_read(slot);
        bool go_on = true;
        if (desc != 0 && desc_is_table(desc, level)) {
            go_on = visit_range(visit, child(desc), level + 1, va, end);
        } else if (desc != 0 && is_aligned(va, level_size(level))) {
            go_on = visit_leaf(visit, slot, va);
        }
        left -= desc != 0;
        if (!go_on || end == last || left == 0) {
            return go_on;
        }
        va = end + 1;
    }
}

void pagetable_visit(struct pagetable *table, vaddr_t va, uint64_t size,
                     bool (*each)(vaddr_t va, paddr_t pa, unsigned *flags, void *argument), void *argument)
{
    struct visit visit = {cleanup_start(table), each, argument};
    (void)visit_range(&visit, root_of(table), 0, va.raw, va.raw + size - 1);
    cleanup_finish(&visit.cleanup);
}
