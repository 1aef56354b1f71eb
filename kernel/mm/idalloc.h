// Small numbers: the lowest free one from 0 to limit - 1. A two-level bitmap. The caller serialises. Any context.
#pragma once

#include "kernel/base/types.h"

#define ID_MAX 4096u
#define ID_WORDS (ID_MAX / 64)

struct id_allocator {
    uint32_t limit, used;
    uint64_t full;            // bit per word: no free id in it
    uint64_t words[ID_WORDS]; // bit per id: taken
};

[[nodiscard]] int id_init(struct id_allocator *ids, uint32_t limit); // 1 to ID_MAX; -EINVAL: nothing changed
[[nodiscard]] int id_alloc(struct id_allocator *ids, uint32_t *out); // -ENOSPC: nothing changed
[[nodiscard]] int id_reserve(struct id_allocator *ids, uint32_t id); // that one; -EINVAL, -EEXIST: nothing changed
void id_free(struct id_allocator *ids, uint32_t id);                 // panics when it was not taken
bool id_is_used(const struct id_allocator *ids, uint32_t id);
[[nodiscard]] const char *id_check(const struct id_allocator *ids);
