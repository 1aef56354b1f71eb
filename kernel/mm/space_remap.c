// mremap(2).
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/space_internal.h"
#include "kernel/mm/user_page.h"

struct moving {
    struct space *space;
    uint64_t distance;
    int error;
};

// The page is in both places until its old one is dropped.
static bool map_again(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    struct moving *moving = argument;
    struct space *space = moving->space;
    user_page_get(space->pool, pa);
    moving->error = pagetable_map(&space->table, vaddr_add(va, moving->distance), pa, PAGE_SIZE, *flags);
    if (moving->error != 0) {
        user_page_put(space->pool, pa);
        return false;
    }
    COUNT_ADD(space->resident, 1);
    return true;
}

// [from, from + old_size) lies in area; what comes after the pages that move is untouched as yet.
static int move(struct space *space, const struct area *area, uint64_t from, uint64_t old_size, uint64_t new_size,
                uint64_t fixed_to, uint64_t *out)
{
    uint64_t to;
    struct space_request request = {
        .address = fixed_to,
        .size = new_size,
        .flags = area->flags, // also whether it is locked
        .fixed = fixed_to != 0,
        .replace = true,
        .backing = area->backing,
        .offset = area->backing != NULL ? area->offset + (from - area->start) : 0,
    };
    int error = space_choose_place(space, &request, &to);
    error = error != 0 ? error : space_place(space, &request, to); // still empty: its pages are to come here
    if (error != 0) {
        return error;
    }
    struct moving moving = {space, to - from, 0};
    uint64_t size = min_u64(old_size, new_size);
    pagetable_visit(&space->table, vaddr(from), size, map_again, &moving);
    error = moving.error != 0 ? moving.error : space_unmap_locked(space, from, old_size);
    if (error != 0) {
        space_drop_pages(space, to, to + size);
        int undone = space_unmap_locked(space, to, new_size);
        (void)undone; // what was made a moment ago: at worst it stays, empty
        return error;
    }
    *out = to;
    return 0;
}

static int grow_in_place(struct space *space, struct area *area, uint64_t more)
{
    const struct area *next = areas_next(area);
    uint64_t limit = next != NULL ? next->start : SPACE_HIGH;
    if (limit - area->end < more) {
        return -ENOMEM;
    }
    areas_set_end(&space->areas, area, area->end + more);
    return 0;
}

static int may_grow(const struct space *space, unsigned flags, uint64_t more)
{
    int error = (flags & AREA_KERNELS) == 0 ? space_may_lock(space, more, flags) : -EFAULT;
    error = error != 0 ? error : space_room_for(space, more, flags);
    return error != 0 ? error : space_can_be(space, more, flags);
}

static int remap_locked(struct space *space, uint64_t old, uint64_t old_size, uint64_t new_size, bool may_move,
                        uint64_t fixed_to, uint64_t *out)
{
    uint64_t old_end, new_end;
    if (!space_range_end(old, &old_size, &old_end) || !space_range_end(old, &new_size, &new_end)) {
        return -EINVAL;
    }
    struct area *area = areas_find(&space->areas, old);
    if (area == NULL || area->start > old) {
        return -EFAULT;
    }
    uint64_t to_end;
    bool apart = space_range_end(fixed_to, &new_size, &to_end) && (to_end <= old || fixed_to >= old_end);
    if (fixed_to != 0 && !(apart && may_move)) {
        return -EINVAL;
    }
    if (new_size < old_size) { // whatever there is
        int error = space_unmap_locked(space, new_end, old_size - new_size);
        if (error != 0 || fixed_to == 0) {
            *out = old;
            return error;
        }
        old_size = new_size;
        old_end = new_end;
        area = areas_find(&space->areas, old);
    }
    if (area == NULL || area->end < old_end) {
        return -EFAULT;
    }
    unsigned flags = area->flags;
    int error = new_size > old_size ? may_grow(space, flags, new_size - old_size) : 0;
    if (error != 0) {
        return error;
    }
    *out = old;
    if (fixed_to != 0) {
        error = move(space, area, old, old_size, new_size, fixed_to, out);
    } else if (new_size > old_size && (area->end != old_end || grow_in_place(space, area, new_size - old_size) != 0)) {
        error = may_move ? move(space, area, old, old_size, new_size, 0, out) : -ENOMEM;
    }
    if (error == 0 && area_comes_at_once(flags) && new_size > old_size) {
        space_populate_locked(space, *out + old_size, *out + new_size);
    }
    return error;
}

int space_remap(struct space *space, uint64_t old, uint64_t old_size, uint64_t new_size, bool may_move,
                uint64_t fixed_to, uint64_t *out)
{
    mutex_lock(&space->lock);
    int error = remap_locked(space, old, old_size, new_size, may_move, fixed_to, out);
    mutex_unlock(&space->lock);
    return error;
}
