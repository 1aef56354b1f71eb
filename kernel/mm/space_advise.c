// What programs say of their memory beforehand: mlock(2), madvise(2); and ask: mincore(2).
#include "kernel/base/assert.h"
#include "kernel/mm/space_internal.h"
#include "kernel/sched/thread.h"

// --- flags of areas ------------------------------------------------------------------------------------------------

// [start, end) has no hole.
static int change_flags(struct space *space, uint64_t start, uint64_t end, unsigned set, unsigned clear)
{
    struct spares spares;
    int error = space_take_spares(space, start, end, &spares);
    if (error != 0) {
        return error;
    }
    space_isolate(space, start, end, &spares);
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        bool stays = (set & AREA_LOCKED) != 0 && (area->flags & AREA_KERNELS) != 0;
        if (!stays) {
            areas_set_flags(&space->areas, area, (area->flags & ~clear) | set);
        }
    }
    space_join(space, start, end);
    return 0;
}

static bool all_are(const struct space *space, uint64_t start, uint64_t end, bool (*only)(const struct area *area))
{
    bool all = true;
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        all = all && only(area);
    }
    return all;
}

int space_advise(struct space *space, uint64_t start, uint64_t size, unsigned set, unsigned clear,
                 bool (*only)(const struct area *area))
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return size == 0 && is_aligned(start, PAGE_SIZE) ? 0 : -EINVAL;
    }
    mutex_lock(&space->lock);
    uint64_t stop = space_covered_end(space, start, end);
    int error = only == NULL || all_are(space, start, end, only) ? 0 : -EINVAL;
    if (error == 0 && stop > start) {
        error = change_flags(space, start, stop, set, clear);
    }
    mutex_unlock(&space->lock);
    return error == 0 && stop < end ? -ENOMEM : error;
}

// --- presence ------------------------------------------------------------------------------------------------------

// As a program that uses its pages would: those it has for itself are made for writing.
static enum space_access usual_access(const struct area *area)
{
    bool own = (area->flags & (AREA_WRITE | AREA_SHARED)) == AREA_WRITE;
    return own ? SPACE_WRITE : SPACE_READ;
}

static int populate(struct space *space, uint64_t start, uint64_t end, bool usual, enum space_access access)
{
    int error = 0;
    for (uint64_t at = start; at < end && error == 0; at += PAGE_SIZE) {
        const struct area *area = areas_find(&space->areas, at);
        if (area == NULL || area->start > at || thread_killed()) {
            return -ENOMEM;
        }
        error = space_touch_locked(space, at, usual ? usual_access(area) : access);
    }
    return error;
}

void space_populate_locked(struct space *space, uint64_t start, uint64_t end)
{
    int error = populate(space, start, end, true, SPACE_READ);
    (void)error; // what is missing comes when it is touched
}

int space_populate(struct space *space, uint64_t start, uint64_t end, bool write)
{
    mutex_lock(&space->lock);
    int error = populate(space, start, end, false, write ? SPACE_WRITE : SPACE_READ);
    mutex_unlock(&space->lock);
    return error;
}

void space_populate_usually(struct space *space, uint64_t start, uint64_t end)
{
    mutex_lock(&space->lock);
    space_populate_locked(space, start, end);
    mutex_unlock(&space->lock);
}

int space_covered(struct space *space, uint64_t start, uint64_t size)
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return size == 0 && is_aligned(start, PAGE_SIZE) ? 0 : -EINVAL;
    }
    mutex_lock(&space->lock);
    int error = space_covered_end(space, start, end) < end ? -ENOMEM : 0;
    mutex_unlock(&space->lock);
    return error;
}

struct presence {
    uint64_t start;
    uint8_t *out;
};

static bool note_page(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    const struct presence *presence = argument;
    (void)pa;
    (void)flags;
    presence->out[(va.raw - presence->start) >> PAGE_SHIFT] = 1;
    return true;
}

int space_resident(struct space *space, uint64_t start, uint64_t pages, uint8_t *out)
{
    uint64_t end = start + pages * PAGE_SIZE;
    mutex_lock(&space->lock);
    int error = space_covered_end(space, start, end) < end ? -ENOMEM : 0;
    if (error == 0 && pages > 0) {
        struct presence presence = {start, out};
        __builtin_memset(out, 0, pages);
        pagetable_visit(&space->table, vaddr(start), end - start, note_page, &presence);
    }
    mutex_unlock(&space->lock);
    return error;
}

// --- locking -------------------------------------------------------------------------------------------------------

static uint64_t locked_bytes(const struct space *space, uint64_t start, uint64_t end)
{
    uint64_t bytes = 0;
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        bool locked = (area->flags & AREA_LOCKED) != 0;
        bytes += locked ? min_u64(area->end, end) - max_u64(area->start, start) : 0;
    }
    return bytes;
}

static int lock_range(struct space *space, uint64_t start, uint64_t end, unsigned how, uint64_t limit)
{
    uint64_t all = space->areas.locked - locked_bytes(space, start, end) + (end - start);
    if (all > limit) {
        return -ENOMEM;
    }
    uint64_t stop = space_covered_end(space, start, end);
    int error = stop > start ? change_flags(space, start, stop, how, AREA_LOCK_LATER) : 0;
    if (error == 0 && area_comes_at_once(how)) {
        error = populate(space, start, stop, true, SPACE_READ);
    }
    return error == 0 && stop < end ? -ENOMEM : error;
}

int space_lock(struct space *space, uint64_t start, uint64_t size, unsigned how, uint64_t limit)
{
    uint64_t end;
    if (size == 0) {
        return 0;
    }
    if (!space_range_end(start, &size, &end)) {
        return -ENOMEM;
    }
    mutex_lock(&space->lock);
    int error = lock_range(space, start, end, how, limit);
    mutex_unlock(&space->lock);
    return error;
}

int space_unlock(struct space *space, uint64_t start, uint64_t size)
{
    uint64_t end;
    if (size == 0) {
        return 0;
    }
    if (!space_range_end(start, &size, &end)) {
        return -ENOMEM;
    }
    mutex_lock(&space->lock);
    uint64_t stop = space_covered_end(space, start, end);
    int error = stop > start ? change_flags(space, start, stop, 0, AREA_LOCKED | AREA_LOCK_LATER) : 0;
    mutex_unlock(&space->lock);
    return error == 0 && stop < end ? -ENOMEM : error;
}

static void change_all(struct space *space, unsigned set)
{
    for (struct area *area = areas_first(&space->areas); area != NULL; area = areas_next(area)) {
        unsigned flags = area->flags & ~(unsigned)(AREA_LOCKED | AREA_LOCK_LATER);
        areas_set_flags(&space->areas, area, flags | ((flags & AREA_KERNELS) == 0 ? set : 0));
    }
}

int space_lock_all(struct space *space, bool now, bool future, unsigned how, uint64_t limit)
{
    mutex_lock(&space->lock);
    int error = now && space->areas.bytes > limit ? -ENOMEM : 0;
    if (error == 0) {
        space->lock_future = future ? how : 0;
    }
    if (error == 0 && now) {
        change_all(space, how);
        for (struct area *area = areas_first(&space->areas); area != NULL && area_comes_at_once(how);
             area = areas_next(area)) {
            space_populate_locked(space, area->start, area->end);
        }
    }
    mutex_unlock(&space->lock);
    return error;
}

void space_unlock_all(struct space *space)
{
    mutex_lock(&space->lock);
    space->lock_future = 0;
    change_all(space, 0);
    mutex_unlock(&space->lock);
}
