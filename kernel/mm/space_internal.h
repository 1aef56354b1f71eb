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
// Areas with those flags may have that many bytes more. -ENOMEM: a limit.
[[nodiscard]] int space_room_for(const struct space *space, uint64_t bytes, unsigned flags);
// What comes when it is touched may be more than there is, but not at one go more than there ever can be. -ENOMEM.
[[nodiscard]] int space_can_be(const struct space *space, uint64_t bytes, unsigned flags);
[[nodiscard]] int space_may_lock(const struct space *space, uint64_t bytes, unsigned flags); // -EAGAIN: a limit
// The first half of space_map_locked(): where it would go. And the second: an area is there, in place of what was, as
// the request says, without a look at limits. Nothing changed after an error.
[[nodiscard]] int space_choose_place(const struct space *space, const struct space_request *request, uint64_t *start);
[[nodiscard]] int space_place(struct space *space, const struct space_request *request, uint64_t start);
void space_populate_locked(struct space *space, uint64_t start, uint64_t end); // as far as that goes
static inline bool area_comes_at_once(unsigned flags)
{
    return (flags & (AREA_LOCKED | AREA_LOCK_LATER)) == AREA_LOCKED;
}

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
void area_hold(struct area *area);                                  // its backing, before any page of it comes
void area_free(struct area *area);                                  // and its reference to the backing; NULL is nothing
