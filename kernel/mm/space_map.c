// Changes of a space's areas. Each first takes what areas it may need, and then cannot fail (`prepare-commit`).
#include "kernel/base/assert.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/space_internal.h"
#include "kernel/mm/user_page.h"

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

void area_free(struct area *area)
{
    if (area != NULL) {
        backing_put(area->backing);
        kfree(area);
    }
}

// Areas at hand for splitting at both ends of a range.
struct spares {
    struct area *areas[2];
    unsigned count;
};

static bool splits(const struct area_map *map, uint64_t at)
{
    const struct area *area = areas_find(map, at);
    return area != NULL && area->start < at;
}

static int take_spares(const struct space *space, uint64_t start, uint64_t end, struct spares *out)
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
        backing_get(upper->backing);
    }
}

// No area crosses start or end afterwards.
static void isolate(struct space *space, uint64_t start, uint64_t end, struct spares *spares)
{
    split_at(space, start, spares);
    split_at(space, end, spares);
    ASSERT(spares->count == 0);
}

// Joins what became equal in and around [start, end).
static void join_range(struct space *space, uint64_t start, uint64_t end)
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

static int choose_place(const struct space *space, const struct space_request *request, uint64_t size, uint64_t *start)
{
    uint64_t end;
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

int space_map_locked(struct space *space, const struct space_request *request, uint64_t *out)
{
    uint64_t size = round_up(request->size, PAGE_SIZE), start, unused;
    if ((request->flags & AREA_WRITE) != 0 && (request->flags & AREA_EXEC) != 0) {
        return -EACCES;
    }
    if (request->size == 0 || !is_aligned(request->offset, PAGE_SIZE) ||
        !add_fits(request->offset, request->size, &unused)) {
        return -EINVAL;
    }
    if (request->size > SPACE_HIGH || size > space->size_limit || space->areas.bytes > space->size_limit - size) {
        return -ENOMEM;
    }
    int error = choose_place(space, request, size, &start);
    if (error != 0) {
        return error;
    }
    struct spares spares;
    struct area *area;
    error = area_alloc(&area);
    if (error != 0) {
        return error;
    }
    error = space->areas.count < SPACE_AREAS_MAX ? take_spares(space, start, start + size, &spares) : -ENOMEM;
    if (error != 0) {
        kfree(area);
        return error;
    }
    isolate(space, start, start + size, &spares);
    remove_range(space, start, start + size);
    area->start = start;
    area->end = start + size;
    area->flags = request->flags;
    area->backing = request->backing;
    area->offset = request->backing != NULL ? request->offset : 0;
    backing_get(area->backing);
    areas_insert(&space->areas, area);
    join_range(space, start, start + size);
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
    int error = take_spares(space, start, end, &spares);
    if (error == 0) {
        isolate(space, start, end, &spares);
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

// The part of [start, end) before its first hole.
static uint64_t covered_end(const struct space *space, uint64_t start, uint64_t end)
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

static int protect_locked(struct space *space, uint64_t start, uint64_t size, unsigned rights)
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return -EINVAL;
    }
    if ((rights & AREA_WRITE) != 0 && (rights & AREA_EXEC) != 0) {
        return -EACCES;
    }
    uint64_t stop = covered_end(space, start, end);
    if (stop > start) {
        struct spares spares;
        int error = take_spares(space, start, stop, &spares);
        if (error != 0) {
            return error;
        }
        isolate(space, start, stop, &spares);
        for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < stop;
             area = areas_next(area)) {
            area->flags = (area->flags & ~(unsigned)AREA_RIGHTS) | rights;
        }
        struct rights lower = {space, rights == 0 ? 0 : MAP_USER | ((rights & AREA_EXEC) != 0 ? MAP_EXEC : 0)};
        pagetable_visit(&space->table, vaddr(start), stop - start, lower_rights, &lower);
        join_range(space, start, stop);
    }
    return stop < end ? -ENOMEM : 0;
}

int space_protect(struct space *space, uint64_t start, uint64_t size, unsigned rights)
{
    mutex_lock(&space->lock);
    int error = protect_locked(space, start, size, rights);
    mutex_unlock(&space->lock);
    return error;
}

int space_forget(struct space *space, uint64_t start, uint64_t size)
{
    uint64_t end;
    if (!space_range_end(start, &size, &end)) {
        return size == 0 && is_aligned(start, PAGE_SIZE) ? 0 : -EINVAL;
    }
    mutex_lock(&space->lock);
    int error = covered_end(space, start, end) < end ? -ENOMEM : 0;
    for (struct area *area = areas_find(&space->areas, start); area != NULL && area->start < end;
         area = areas_next(area)) {
        space_drop_pages(space, max_u64(area->start, start), min_u64(area->end, end));
    }
    mutex_unlock(&space->lock);
    return error;
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
    forking->child->resident++;
    return true;
}

static int fork_area(struct space *child, struct space *parent, const struct area *area)
{
    struct area *copy;
    int error = area_alloc(&copy);
    if (error != 0) {
        return error;
    }
    *copy = *area;
    backing_get(copy->backing);
    areas_insert(&child->areas, copy);
    struct forking forking = {child, (area->flags & AREA_SHARED) != 0, 0};
    pagetable_visit(&parent->table, vaddr(area->start), area->end - area->start, share_page, &forking);
    return forking.error;
}

int space_fork(struct space *child, struct space *parent)
{
    int error = 0;
    mutex_lock(&parent->lock);
    child->brk_start = parent->brk_start;
    child->brk = parent->brk;
    child->mmap_top = parent->mmap_top;
    child->vdso = parent->vdso;
    child->stack_limit = parent->stack_limit;
    child->size_limit = parent->size_limit;
    child->arguments = parent->arguments;
    child->environment = parent->environment;
    child->environment_end = parent->environment_end;
    child->stack_start = parent->stack_start;
    child->program = parent->program;
    backing_get(child->program);
    for (struct area *area = areas_first(&parent->areas); area != NULL && error == 0; area = areas_next(area)) {
        error = fork_area(child, parent, area);
    }
    mutex_unlock(&parent->lock);
    return error;
}
