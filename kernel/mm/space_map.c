// Changes of a space's areas. Each first takes what areas it may need, and then cannot fail (`prepare-commit`).
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/space_internal.h"
#include "kernel/mm/user_page.h"
#include "kernel/sched/thread.h"

int area_alloc(struct area **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct area), &memory);
    if (error == 0) {
        *out = memory;
        **out = (struct area){0};
    }
    return error;
}

void area_hold(struct area *area)
{
    backing_get(area->backing);
    if (area->backing != NULL) {
        (void)atomic_add(&area->backing->mapped, 1);
    }
}

void area_free(struct area *area)
{
    if (area != NULL) {
        if (area->backing != NULL) {
            (void)atomic_add(&area->backing->mapped, -1);
        }
        backing_put(area->backing);
        kfree(area);
    }
}

static bool splits(const struct area_map *map, uint64_t at)
{
    const struct area *area = areas_find(map, at);
    return area != NULL && area->start < at;
}

int space_take_spares(const struct space *space, uint64_t start, uint64_t end, struct spares *out)
{
    unsigned wanted = splits(&space->areas, start) + splits(&space->areas, end);
    *out = (struct spares){.count = 0};
    if (space->areas.count + wanted > SPACE_AREAS_MAX) {
        return -ENOMEM;
    }
    for (; out->count < wanted; out->count++) {
        int error = area_alloc(&out->areas[out->count]);
        if (error != 0) {
            while (out->count > 0) {
                kfree(out->areas[--out->count]);
            }
            return error;
        }
    }
    return 0;
}

static void split_at(struct space *space, uint64_t at, struct spares *spares)
{
    struct area *area = areas_find(&space->areas, at);
    if (area != NULL && area->start < at) {
        ASSERT(spares->count > 0);
        struct area *upper = spares->areas[--spares->count];
        areas_split(&space->areas, area, at, upper);
        area_hold(upper);
    }
}

void space_isolate(struct space *space, uint64_t start, uint64_t end, struct spares *spares)
{
    split_at(space, start, spares);
    split_at(space, end, spares);
    ASSERT(spares->count == 0);
}

void space_join(struct space *space, uint64_t start, uint64_t end)
{
    struct area *area = areas_find(&space->areas, start > 0 ? start - 1 : 0);
    while (area != NULL && area->start < end) {
        struct area *gone = areas_join(&space->areas, area);
        area_free(gone);
        area = gone != NULL ? area : areas_next(area);
    }
}

// Areas in [start, end) are whole.
static void remove_range(struct space *space, uint64_t start, uint64_t end)
{
    struct area *area = areas_find(&space->areas, start);
    while (area != NULL && area->start < end) {
        struct area *next = areas_next(area);
        space_drop_pages(space, area->start, area->end);
        areas_remove(&space->areas, area);
        area_free(area);
        area = next;
    }
}

// size in whole pages; false when there is none, or it does not fit.
bool space_range_end(uint64_t start, uint64_t *size, uint64_t *end)
{
    return is_aligned(start, PAGE_SIZE) && *size > 0 && *size <= SPACE_HIGH &&
           (*size = round_up(*size, PAGE_SIZE)) > 0 && add_fits(start, *size, end) && *end <= SPACE_HIGH;
}

// --- map -----------------------------------------------------------------------------------------------------------

int space_choose_place(const struct space *space, const struct space_request *request, uint64_t *start)
{
    uint64_t size = round_up(request->size, PAGE_SIZE), end;
    if (request->fixed) {
        if (!is_aligned(request->address, PAGE_SIZE) || request->address < PAGE_SIZE) {
            return request->address < PAGE_SIZE && is_aligned(request->address, PAGE_SIZE) ? -EPERM : -EINVAL;
        }
        if (!space_range_end(request->address, &size, &end)) {
            return -ENOMEM;
        }
        *start = request->address;
        return !request->replace && areas_overlap(&space->areas, *start, end) ? -EEXIST : 0;
    }
    uint64_t wish = round_down(request->address, PAGE_SIZE);
    if (wish >= SPACE_LOW && space_range_end(wish, &size, &end) && !areas_overlap(&space->areas, wish, end)) {
        *start = wish;
        return 0;
    }
    *start = areas_find_gap(&space->areas, SPACE_LOW, space->mmap_top, size);
    return *start != 0 ? 0 : -ENOMEM;
}

static uint64_t bytes_in(const struct space *space, uint64_t start, uint64_t end)
{
    uint64_t bytes = 0;
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        bytes += min_u64(area->end, end) - max_u64(area->start, start);
    }
    return bytes;
}

static bool fits(uint64_t have, uint64_t more, uint64_t limit)
{
    return more <= limit && have <= limit - more;
}

int space_room_for(const struct space *space, uint64_t bytes, unsigned flags)
{
    struct space_limits limits = space_limits();
    bool room = fits(space->areas.bytes, bytes, limits.size) &&
                (!area_is_data(flags) || fits(space->areas.data, bytes, limits.data));
    return room ? 0 : -ENOMEM;
}

int space_can_be(const struct space *space, uint64_t bytes, unsigned flags)
{
    bool reserves = (flags & (AREA_WRITE | AREA_SHARED | AREA_NORESERVE)) == AREA_WRITE;
    return reserves && bytes > page_pool_total(space->pool) * PAGE_SIZE ? -ENOMEM : 0;
}

int space_may_lock(const struct space *space, uint64_t bytes, unsigned flags)
{
    bool may = (flags & AREA_LOCKED) == 0 || fits(space->areas.locked, bytes, space_limits().locked);
    return may ? 0 : -EAGAIN;
}

int space_place(struct space *space, const struct space_request *request, uint64_t start)
{
    uint64_t size = round_up(request->size, PAGE_SIZE);
    struct spares spares;
    struct area *area;
    int error = area_alloc(&area);
    if (error != 0) {
        return error;
    }
    error = space->areas.count < SPACE_AREAS_MAX ? space_take_spares(space, start, start + size, &spares) : -ENOMEM;
    if (error != 0) {
        kfree(area);
        return error;
    }
    space_isolate(space, start, start + size, &spares);
    remove_range(space, start, start + size);
    area->start = start;
    area->end = start + size;
    area->flags = request->flags;
    area->backing = request->backing;
    area->offset = request->backing != NULL ? request->offset : 0;
    area_hold(area);
    areas_insert(&space->areas, area);
    space_join(space, start, start + size);
    return 0;
}

int space_map_locked(struct space *space, const struct space_request *asked, uint64_t *out)
{
    struct space_request placed = *asked, *request = &placed;
    uint64_t size = round_up(request->size, PAGE_SIZE), start, unused;
    if (request->size == 0 || !is_aligned(request->offset, PAGE_SIZE) ||
        !add_fits(request->offset, request->size, &unused)) {
        return -EINVAL;
    }
    if (request->size > SPACE_HIGH) {
        return -ENOMEM;
    }
    int error = space_choose_place(space, request, &start);
    if (error != 0) {
        return error;
    }
    request->flags |= (request->flags & AREA_KERNELS) == 0 ? space->lock_future : 0;
    error = space_may_lock(space, size, request->flags);
    if (error == 0) {
        uint64_t replaced = request->replace ? bytes_in(space, start, start + size) : 0;
        error = space_room_for(space, size - replaced, request->flags);
    }
    error = error != 0 ? error : space_can_be(space, size, request->flags);
    error = error != 0 ? error : space_place(space, request, start);
    if (error != 0) {
        return error;
    }
    if (area_comes_at_once(request->flags)) {
        space_populate_locked(space, start, start + size);
    }
    *out = start;
    return 0;
}

int space_map(struct space *space, const struct space_request *request, uint64_t *out)
{
    mutex_lock(&space->lock);
    int error = space_map_locked(space, request, out);
    mutex_unlock(&space->lock);
    return error;
}

// --- unmap, protect, forget ----------------------------------------------------------------------------------------

int space_unmap_locked(struct space *space, uint64_t start, uint64_t size)
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return -EINVAL;
    }
    struct spares spares;
    int error = space_take_spares(space, start, end, &spares);
    if (error == 0) {
        space_isolate(space, start, end, &spares);
        remove_range(space, start, end);
    }
    return error;
}

int space_unmap(struct space *space, uint64_t start, uint64_t size)
{
    mutex_lock(&space->lock);
    int error = space_unmap_locked(space, start, size);
    mutex_unlock(&space->lock);
    return error;
}

uint64_t space_covered_end(const struct space *space, uint64_t start, uint64_t end)
{
    struct area *area = areas_find(&space->areas, start);
    while (area != NULL && area->start <= start && start < end) {
        start = area->end;
        area = areas_next(area);
    }
    return min_u64(start, end);
}

struct rights {
    struct space *space;
    unsigned flags;
};

// Writing comes back with the next fault: only that knows whether the page is shared.
static bool lower_rights(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    const struct rights *rights = argument;
    (void)va;
    *flags = rights->flags;
    if ((*flags & MAP_EXEC) != 0) {
        user_page_sync_code(rights->space->pool, pa);
    }
    return true;
}

// All that a new area would be asked: what becomes writable may become data, and be had for itself.
static int may_change(const struct space *space, unsigned before, unsigned after, uint64_t bytes)
{
    if (area_forbids(before, after)) {
        return -EACCES;
    }
    if ((after & AREA_WRITE) == 0) {
        return 0;
    }
    if (space_room_for(space, bytes, after) != 0 && space_room_for(space, bytes, before) == 0) {
        return -ENOMEM;
    }
    return (before & AREA_WRITE) == 0 ? space_can_be(space, bytes, after) : 0;
}

// [start, end) lies in area.
static int protect_part(struct space *space, struct area *area, uint64_t start, uint64_t end, unsigned rights)
{
    unsigned before = area->flags, after = (before & ~(unsigned)AREA_RIGHTS) | rights;
    struct spares spares;
    int error = may_change(space, before, after, end - start);
    if (error != 0 || before == after) {
        return error;
    }
    error = space_take_spares(space, start, end, &spares);
    if (error != 0) {
        return error;
    }
    space_isolate(space, start, end, &spares);
    areas_set_flags(&space->areas, areas_find(&space->areas, start), after);
    struct rights lower = {space, rights == 0 ? 0 : MAP_USER | ((rights & AREA_EXEC) != 0 ? MAP_EXEC : 0)};
    pagetable_visit(&space->table, vaddr(start), end - start, lower_rights, &lower);
    bool own = (before & (AREA_WRITE | AREA_SHARED)) == 0 && (rights & AREA_WRITE) != 0;
    if (own && area_comes_at_once(after)) { // its copies come at once, too
        space_populate_locked(space, start, end);
    }
    return 0;
}

static int protect_locked(struct space *space, uint64_t start, uint64_t size, unsigned rights)
{
    uint64_t end, at = start;
    if (!space_range_end(start, &size, &end)) {
        return is_aligned(start, PAGE_SIZE) ? -ENOMEM : -EINVAL;
    }
    int error = 0;
    while (at < end && error == 0) {
        struct area *area = areas_find(&space->areas, at);
        uint64_t stop = area != NULL ? min_u64(area->end, end) : end;
        error = area != NULL && area->start <= at ? protect_part(space, area, at, stop, rights) : -ENOMEM;
        at = error == 0 ? stop : at;
    }
    space_join(space, start, at);
    return error;
}

int space_protect(struct space *space, uint64_t start, uint64_t size, unsigned rights)
{
    mutex_lock(&space->lock);
    int error = protect_locked(space, start, size, rights);
    mutex_unlock(&space->lock);
    return error;
}

int space_forget(struct space *space, uint64_t start, uint64_t size, bool only_anonymous)
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return size == 0 && is_aligned(start, PAGE_SIZE) ? 0 : -EINVAL;
    }
    mutex_lock(&space->lock);
    int error = space_covered_end(space, start, end) < end ? -ENOMEM : 0;
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        if ((area->flags & AREA_LOCKED) != 0 || (only_anonymous && area->backing != NULL)) {
            error = -EINVAL;
            break;
        }
        space_drop_pages(space, max_u64(area->start, start), min_u64(area->end, end));
    }
    mutex_unlock(&space->lock);
    return error;
}

void space_forget_backing(struct space *space, const struct backing *backing, uint64_t from)
{
    from = round_up(from, PAGE_SIZE);
    mutex_lock(&space->lock);
    for (struct area *area = areas_first(&space->areas); area != NULL; area = areas_next(area)) {
        uint64_t size = area->end - area->start;
        if (area->backing == backing && area->offset + size > from) {
            space_drop_pages(space, area->start + (from > area->offset ? from - area->offset : 0), area->end);
        }
    }
    mutex_unlock(&space->lock);
}

// --- heap ----------------------------------------------------------------------------------------------------------

uint64_t space_set_brk(struct space *space, uint64_t brk)
{
    mutex_lock(&space->lock);
    uint64_t old = round_up(space->brk, PAGE_SIZE), now = round_up(brk, PAGE_SIZE), start;
    int error = brk < space->brk_start || brk > SPACE_HIGH ? -EINVAL : 0;
    if (error == 0 && now > old) {
        struct space_request request = {
            .address = old, .size = now - old, .flags = AREA_READ | AREA_WRITE | AREA_HEAP, .fixed = true};
        error = space_map_locked(space, &request, &start);
    } else if (error == 0 && now < old) {
        error = space_unmap_locked(space, now, old - now);
    }
    space->brk = error == 0 ? brk : space->brk;
    brk = space->brk;
    mutex_unlock(&space->lock);
    return brk;
}

// --- fork ----------------------------------------------------------------------------------------------------------

struct forking {
    struct space *child;
    bool shared;
    int error;
};

static bool share_page(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    struct forking *forking = argument;
    if (!forking->shared) {
        *flags &= ~(unsigned)MAP_WRITE;
    }
    user_page_get(forking->child->pool, pa);
    forking->error = pagetable_map(&forking->child->table, va, pa, PAGE_SIZE, *flags);
    if (forking->error != 0) {
        user_page_put(forking->child->pool, pa);
        return false;
    }
    COUNT_ADD(forking->child->resident, 1);
    return true;
}

static int fork_area(struct space *child, struct space *parent, const struct area *area)
{
    struct area *copy;
    if ((area->flags & AREA_NOT_FORKED) != 0) {
        return 0;
    }
    int error = area_alloc(&copy);
    if (error != 0) {
        return error;
    }
    *copy = *area;
    copy->flags &= ~(unsigned)(AREA_LOCKED | AREA_LOCK_LATER);
    area_hold(copy);
    areas_insert(&child->areas, copy);
    if ((area->flags & AREA_WIPED) != 0) {
        return 0;
    }
    struct forking forking = {child, (area->flags & AREA_SHARED) != 0, 0};
    pagetable_visit(&parent->table, vaddr(area->start), area->end - area->start, share_page, &forking);
    return forking.error;
}

int space_fork(struct space *child, struct space *parent)
{
    int error = 0;
    mutex_lock(&parent->lock);
    child->barriers = READ_ONCE(parent->barriers);
    child->brk_start = parent->brk_start;
    child->brk = parent->brk;
    child->mmap_top = parent->mmap_top;
    child->stack_top = parent->stack_top;
    child->vdso = parent->vdso;
    child->sigreturn = parent->sigreturn;
    child->arguments = parent->arguments;
    child->environment = parent->environment;
    child->environment_end = parent->environment_end;
    child->stack_start = parent->stack_start;
    child->program = parent->program;
    backing_run(child->program);
    for (struct area *area = areas_first(&parent->areas); area != NULL && error == 0; area = areas_next(area)) {
        error = thread_killed() ? -EINTR : fork_area(child, parent, area);
    }
    mutex_unlock(&parent->lock);
    return error;
}
