#include "harness/intervals.h"

int intervals_covered(const struct intervals *set, uint64_t va, uint64_t size, unsigned type, unsigned mask)
{
    for (uint64_t done = 0; done < size;) {
        const struct interval *at = intervals_find(set, va + done);
        if (at == NULL) {
            return -ENOENT;
        }
        if ((at->flags & mask) != type) {
            return -EINVAL;
        }
        done = at->va + at->size - va;
    }
    return 0;
}

static void put(struct intervals *set, struct interval part)
{
    uint32_t at = set->count++;
    for (; at > 0 && set->at[at - 1].va > part.va; at--) {
        set->at[at] = set->at[at - 1];
    }
    set->at[at] = part;
}

static struct interval cut(struct interval whole, uint64_t start, uint64_t end)
{
    return (struct interval){start, end - start, whole.pa + (start - whole.va), whole.flags};
}

// Ends are exclusive and may be 2^64, which wraps to 0: work relative to va.
bool intervals_change(struct intervals *set, uint64_t va, uint64_t size, uint64_t pa, unsigned flags, unsigned how)
{
    struct intervals old; // only what is used: the whole would cost more than the operation
    old.count = set->count;
    __builtin_memcpy(old.at, set->at, set->count * sizeof(old.at[0]));
    set->count = 0;
    for (uint32_t i = 0; i < old.count; i++) {
        struct interval part = old.at[i];
        if (set->count + 3 > INTERVALS_MAX) {
            set->count = old.count;
            __builtin_memcpy(set->at, old.at, old.count * sizeof(old.at[0]));
            return false;
        }
        if (part.va > va + (size - 1) || va > part.va + (part.size - 1)) {
            put(set, part);
            continue;
        }
        uint64_t part_end = part.va + part.size, end = va + size;
        uint64_t from = part.va > va ? part.va : va, to = part_end - 1 < end - 1 ? part_end : end;
        if (part.va < from) {
            put(set, cut(part, part.va, from));
        }
        if (to != part_end) {
            put(set, cut(part, to, part_end));
        }
        if (how == INTERVALS_PROTECT) {
            part = cut(part, from, to);
            part.flags = flags;
            put(set, part);
        }
    }
    if (how == INTERVALS_MAP) {
        put(set, (struct interval){va, size, pa, flags});
    }
    return true;
}
