// Between space.c and space_map.c only. All want the space's lock.
#pragma once

#include "kernel/mm/space.h"

void space_drop_pages(struct space *space, uint64_t start, uint64_t end); // those that are present
[[nodiscard]] int space_touch_locked(struct space *space, uint64_t va, enum space_access access);
[[nodiscard]] int space_map_locked(struct space *space, const struct space_request *request, uint64_t *out);
[[nodiscard]] int space_unmap_locked(struct space *space, uint64_t start, uint64_t size);
// *size in whole pages and the end; false when there is none, or it does not fit.
bool space_range_end(uint64_t start, uint64_t *size, uint64_t *end);
[[nodiscard]] int area_alloc(struct area **out); // -ENOMEM
void area_free(struct area *area);               // and its reference to the backing; NULL is nothing
