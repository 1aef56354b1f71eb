#include "kernel/mm/idalloc.h"

#include "kernel/base/assert.h"

int id_init(struct id_allocator *ids, uint32_t limit)
{
    if (limit == 0 || limit > ID_MAX) {
        return -EINVAL;
    }
    *ids = (struct id_allocator){.limit = limit};
    // What lies beyond the limit counts as taken, so that no search needs to know the limit.
    for (uint32_t word = 0; word < ID_WORDS; word++) {
        uint32_t first = word * 64;
        if (first >= limit) {
            ids->words[word] = UINT64_MAX;
        } else if (limit - first < 64) {
            ids->words[word] = UINT64_MAX << (limit - first);
        }
        ids->full |= (uint64_t)(ids->words[word] == UINT64_MAX) << word;
    }
    return 0;
}

static void take(struct id_allocator *ids, uint32_t id)
{
    uint32_t word = id / 64;
    ids->words[word] |= 1UL << (id % 64);
    ids->full |= (uint64_t)(ids->words[word] == UINT64_MAX) << word;
    ids->used++;
}

int id_alloc(struct id_allocator *ids, uint32_t *out)
{
    if (ids->full == UINT64_MAX) {
        return -ENOSPC;
    }
    uint32_t word = (uint32_t)__builtin_ctzll(~ids->full);
    uint32_t id = word * 64 + (uint32_t)__builtin_ctzll(~ids->words[word]);
    take(ids, id);
    *out = id;
    return 0;
}

int id_reserve(struct id_allocator *ids, uint32_t id)
{
    if (id >= ids->limit) {
        return -EINVAL;
    }
    if (id_is_used(ids, id)) {
        return -EEXIST;
    }
    take(ids, id);
    return 0;
}

void id_free(struct id_allocator *ids, uint32_t id)
{
    if (!id_is_used(ids, id)) {
        panic("id %u freed but not taken", id);
    }
    ids->words[id / 64] &= ~(1UL << (id % 64));
    ids->full &= ~(1UL << (id / 64));
    ids->used--;
}

bool id_is_used(const struct id_allocator *ids, uint32_t id)
{
    return id < ids->limit && (ids->words[id / 64] >> (id % 64) & 1) != 0;
}

const char *id_check(const struct id_allocator *ids)
{
    uint32_t used = 0;
    for (uint32_t word = 0; word < ID_WORDS; word++) {
        bool full = (ids->full >> word & 1) != 0;
        if (full != (ids->words[word] == UINT64_MAX)) {
            return "the summary disagrees with a word";
        }
        used += (uint32_t)__builtin_popcountll(ids->words[word]);
    }
    return used == ids->used + (ID_MAX - ids->limit) ? NULL : "the number of used ids is wrong";
}
