// Between space.c and space_map.c only. All want the space's lock.
#pragma once

#include "kernel/mm/space.h"

void space_drop_pages(struct space *space, uint64_t start, uint64_t end); // those that are present
[[nodiscard]] int space_touch_locked(struct space *space, uint64_t va, enum space_access access);
[[nodiscard]] int space_map_locked(struct space *space, const struct space_request *request, uint64_t *out);
[[nodiscard]] int space_unmap_locked(struct space *space, uint64_t start, uint64_t size);
// *size in whole pages and the end; false when there is none, or it does not fit.
bool space_range_end(uint64_t start, uint64_t *size, uint64_t *end);
// The part of [start, end) before its first hole.
uint64_t space_covered_end(const struct space *space, uint64_t start, uint64_t end);
// A new area may have that many bytes more. -ENOMEM: a limit, or more than there can ever be.
[[nodiscard]] int space_room_for(const struct space *space, uint64_t bytes, unsigned flags);
void space_populate_locked(struct space *space, uint64_t start, uint64_t end); // as far as that goes

// Areas at hand for splitting at both ends of a range.
struct spares {
    struct area *areas[2];
    unsigned count;
};
[[nodiscard]] int space_take_spares(const struct space *space, uint64_t start, uint64_t end, struct spares *out);
// No area crosses start or end afterwards.
void space_isolate(struct space *space, uint64_t start, uint64_t end, struct spares *spares);
void space_join(struct space *space, uint64_t start, uint64_t end); // what became equal in and around it
[[nodiscard]] int area_alloc(struct area **out);                    // -ENOMEM
void area_free(struct area *area);                                  // and its reference to the backing; NULL is nothing
