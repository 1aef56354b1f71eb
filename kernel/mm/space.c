// The life of a space, faults, and copies into it. Changes of areas: space_map.c.
#include "kernel/mm/space.h"

#include <hal/memory.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/asid.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/space_internal.h"
#include "kernel/mm/user_page.h"

int space_init(struct space *space, struct page_pool *pool)
{
    *space = (struct space){.references = 1, .pool = pool, .mmap_top = SPACE_HIGH};
    mutex_init(&space->lock, "space");
    areas_init(&space->areas);
    int error = pagetable_init(&space->table, PAGETABLE_USER, 0, pool);
    space->table.pages_only = true;
    return error;
}

void space_destroy(struct space *space)
{
    struct area *area;
    while ((area = areas_first(&space->areas)) != NULL) {
        space_drop_pages(space, area->start, area->end);
        areas_remove(&space->areas, area);
        area_free(area);
    }
    backing_run_ended(space->program);
    pagetable_destroy(&space->table);
    asid_release(&space->table);
}

// --- pages ---------------------------------------------------------------------------------------------------------

#define BATCH 64u

struct batch {
    uint64_t next; // where to go on
    unsigned count;
    paddr_t pages[BATCH];
};

static bool collect(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    struct batch *batch = argument;
    (void)flags;
    batch->pages[batch->count++] = pa;
    batch->next = va.raw + PAGE_SIZE;
    return batch->count < BATCH;
}

void space_drop_pages(struct space *space, uint64_t start, uint64_t end)
{
    while (start < end) {
        struct batch batch = {.next = end};
        pagetable_visit(&space->table, vaddr(start), end - start, collect, &batch);
        if (batch.count < BATCH) {
            batch.next = end;
        }
        if (batch.count > 0) { // unmapped before anything is freed
            int error = pagetable_unmap(&space->table, vaddr(start), batch.next - start);
            ASSERT(error == 0); // no leaf is larger than a page
        }
        for (unsigned i = 0; i < batch.count; i++) {
            user_page_put(space->pool, batch.pages[i]);
        }
        COUNT_ADD(space->resident, -(uint64_t)batch.count);
        start = batch.next;
    }
}

void space_reap(struct space *space)
{
    mutex_lock(&space->lock);
    space->reaped = true;
    for (struct area *area = areas_first(&space->areas); area != NULL; area = areas_next(area)) {
        if ((area->flags & AREA_SHARED) == 0) {
            space_drop_pages(space, area->start, area->end);
        }
    }
    mutex_unlock(&space->lock);
}

// For a page of its own, or one that must not be written. Where both writing and executing is allowed, the access says
// which.
static unsigned flags_for(const struct area *area, bool own, enum space_access access)
{
    if ((area->flags & AREA_RIGHTS) == 0) {
        return 0; // kept, but nobody reaches it
    }
    bool writes = (area->flags & AREA_WRITE) != 0 && own, executes = (area->flags & AREA_EXEC) != 0;
    if (writes && executes) {
        writes = access == SPACE_WRITE;
        executes = !writes;
    }
    return MAP_USER | (writes ? MAP_WRITE : 0) | (executes ? MAP_EXEC : 0);
}

static int map_page(struct space *space, const struct area *area, uint64_t va, paddr_t page, bool own,
                    enum space_access access)
{
    unsigned flags = flags_for(area, own, access);
    if ((flags & MAP_EXEC) != 0) {
        user_page_sync_code(space->pool, page);
    }
    int error = pagetable_map(&space->table, vaddr(va), page, PAGE_SIZE, flags);
    if (error != 0) {
        user_page_put(space->pool, page);
        return error;
    }
    COUNT_ADD(space->faults, 1); // usage is told without the lock
    COUNT_ADD(space->resident, 1);
    __atomic_store_n(&space->resident_most, max_u64(space->resident_most, space->resident), __ATOMIC_RELAXED);
    return 0;
}

static int copy_of(struct space *space, paddr_t page, paddr_t *out)
{
    int error = user_page_alloc(space->pool, out);
    if (error == 0) {
        page_copy(phys_to_virt(*out), phys_to_virt(page));
    }
    return error;
}

static int bring_page(struct space *space, const struct area *area, uint64_t va, enum space_access access)
{
    paddr_t page;
    if (unlikely(space->reaped)) {
        return -EFAULT;
    }
    if (area->backing == NULL) {
        int error = user_page_alloc(space->pool, &page);
        return error != 0 ? error : map_page(space, area, va, page, true, access);
    }
    int error = area->backing->ops->page(area->backing, area->offset + (va - area->start), &page);
    if (error != 0) {
        return error;
    }
    bool shared = (area->flags & AREA_SHARED) != 0;
    if (access == SPACE_WRITE && !shared) {
        paddr_t own;
        error = copy_of(space, page, &own);
        user_page_put(space->pool, page);
        return error != 0 ? error : map_page(space, area, va, own, true, access);
    }
    return map_page(space, area, va, page, shared, access);
}

// A present page that is not writable, and should be.
static int make_writable(struct space *space, const struct area *area, uint64_t va, paddr_t page)
{
    unsigned flags = flags_for(area, true, SPACE_WRITE);
    if ((area->flags & AREA_SHARED) != 0 || user_page_references(space->pool, page) == 1) {
        user_page_written(space->pool, page); // before anybody executes it again
        return pagetable_protect(&space->table, vaddr(va), PAGE_SIZE, flags);
    }
    paddr_t own;
    int error = copy_of(space, page, &own);
    if (error != 0) {
        return error;
    }
    error = pagetable_replace(&space->table, vaddr(va), own, flags);
    ASSERT(error == 0); // it is there, and a failure would lose what it holds
    user_page_put(space->pool, page);
    return 0;
}

// A present page that cannot be executed, and should be: it was written last.
static int make_executable(struct space *space, const struct area *area, uint64_t va, paddr_t page)
{
    user_page_sync_code(space->pool, page);
    return pagetable_protect(&space->table, vaddr(va), PAGE_SIZE, flags_for(area, true, SPACE_EXEC));
}

static bool allows(const struct area *area, enum space_access access)
{
    switch (access) {
    case SPACE_WRITE:
        return (area->flags & AREA_WRITE) != 0;
    case SPACE_EXEC:
        return (area->flags & AREA_EXEC) != 0;
    default:
        return (area->flags & AREA_RIGHTS) != 0;
    }
}

// The area of va; a stack grows down to it.
static struct area *area_at(struct space *space, uint64_t va)
{
    struct area *area = areas_find(&space->areas, va);
    if (area == NULL || area->start <= va) {
        return area;
    }
    uint64_t start = round_down(va, PAGE_SIZE), more = area->start - start;
    if ((area->flags & AREA_GROWS_DOWN) == 0 || start < SPACE_LOW || area->gap < more ||
        area->gap - more < SPACE_STACK_GUARD || area->end - start > space_limits().stack ||
        space_room_for(space, more, area->flags) != 0 || space_may_lock(space, more, area->flags) != 0) {
        return NULL;
    }
    areas_set_start(&space->areas, area, start);
    return area;
}

int space_touch_locked(struct space *space, uint64_t va, enum space_access access)
{
    va = round_down(va, PAGE_SIZE);
    const struct area *area = area_at(space, va);
    if (area == NULL) {
        return -EFAULT;
    }
    if (!allows(area, access)) {
        return -EACCES;
    }
    struct mapping mapping;
    if (pagetable_query(&space->table, vaddr(va), &mapping) != 0) {
        return bring_page(space, area, va, access);
    }
    if (access == SPACE_WRITE && (mapping.flags & MAP_WRITE) == 0) {
        return make_writable(space, area, va, mapping.pa);
    }
    bool runs = access != SPACE_EXEC || (mapping.flags & MAP_EXEC) != 0;
    return runs ? 0 : make_executable(space, area, va, mapping.pa);
}

int space_touch(struct space *space, uint64_t va, enum space_access access)
{
    mutex_lock(&space->lock);
    int error = space_touch_locked(space, va, access);
    mutex_unlock(&space->lock);
    return error;
}

// The page of va for the kernel to write to, its own if the area is private.
static int page_to_write(struct space *space, uint64_t va, paddr_t *out)
{
    struct area *area = areas_find(&space->areas, va);
    if (area == NULL || area->start > va) {
        return -EFAULT;
    }
    struct mapping mapping;
    int error = pagetable_query(&space->table, vaddr(va), &mapping);
    if (error != 0) {
        error = bring_page(space, area, va, SPACE_WRITE);
    } else if ((mapping.flags & MAP_WRITE) == 0) {
        error = make_writable(space, area, va, mapping.pa);
    }
    if (error == 0) {
        error = pagetable_query(&space->table, vaddr(va), &mapping);
        ASSERT(error == 0);
        *out = mapping.pa;
    }
    return error;
}

// from NULL: zeroes.
static int fill(struct space *space, uint64_t va, const char *from, uint64_t size)
{
    int error = 0;
    mutex_lock(&space->lock);
    for (uint64_t done = 0; done < size && error == 0;) {
        uint64_t offset = (va + done) & PAGE_MASK, part = min_u64(size - done, PAGE_SIZE - offset);
        paddr_t page;
        error = page_to_write(space, round_down(va + done, PAGE_SIZE), &page);
        if (error == 0) {
            char *to = (char *)phys_to_virt(page) + offset;
            if (from != NULL) {
                __builtin_memcpy(to, from + done, part);
            } else {
                __builtin_memset(to, 0, part);
            }
            user_page_written(space->pool, page);
        }
        done += part;
    }
    mutex_unlock(&space->lock);
    return error;
}

int space_write(struct space *space, uint64_t va, const void *from, uint64_t size)
{
    return fill(space, va, from, size);
}

int space_zero(struct space *space, uint64_t va, uint64_t size)
{
    return fill(space, va, NULL, size);
}

static int page_to_read(struct space *space, uint64_t va, paddr_t *out)
{
    struct area *area = areas_find(&space->areas, va);
    struct mapping mapping;
    if (area == NULL || area->start > va) {
        return -EFAULT;
    }
    int error = pagetable_query(&space->table, vaddr(va), &mapping);
    if (error != 0) {
        error = bring_page(space, area, va, false);
        error = error != 0 ? error : pagetable_query(&space->table, vaddr(va), &mapping);
    }
    *out = mapping.pa;
    return error;
}

int space_read(struct space *space, uint64_t va, void *to, uint64_t size)
{
    int error = 0;
    mutex_lock(&space->lock);
    for (uint64_t done = 0; done < size && error == 0;) {
        uint64_t offset = (va + done) & PAGE_MASK, part = min_u64(size - done, PAGE_SIZE - offset);
        paddr_t page;
        error = page_to_read(space, round_down(va + done, PAGE_SIZE), &page);
        if (error == 0) {
            __builtin_memcpy((char *)to + done, (const char *)phys_to_virt(page) + offset, part);
        }
        done += part;
    }
    mutex_unlock(&space->lock);
    return error;
}

// --- check ---------------------------------------------------------------------------------------------------------

struct checking {
    struct space *space;
    uint64_t resident;
    const char *broken;
};

static bool check_page(vaddr_t va, paddr_t pa, unsigned *flags, void *argument)
{
    struct checking *checking = argument;
    const struct area *area = areas_find(&checking->space->areas, va.raw);
    uint32_t references = user_page_references(checking->space->pool, pa);
    if (area == NULL || area->start > va.raw) {
        checking->broken = "a page is mapped outside every area";
    } else if ((*flags & ~(flags_for(area, true, SPACE_WRITE) | flags_for(area, true, SPACE_EXEC))) != 0) {
        checking->broken = "a page has rights that its area has not";
    } else if (references == 0) {
        checking->broken = "a page is mapped but not referred to";
    } else if ((*flags & MAP_WRITE) != 0 && references > 1 && (area->flags & AREA_SHARED) == 0) {
        checking->broken = "a private page can be written here and read elsewhere";
    }
    checking->resident++;
    return checking->broken == NULL;
}

const char *space_check(struct space *space)
{
    struct checking checking = {.space = space};
    mutex_lock(&space->lock);
    const char *broken = areas_check(&space->areas);
    broken = broken != NULL ? broken : pagetable_check(&space->table);
    if (broken == NULL) {
        pagetable_visit(&space->table, vaddr(0), SPACE_HIGH, check_page, &checking);
        broken = checking.broken;
    }
    if (broken == NULL && checking.resident != space->resident) {
        broken = "present pages are counted wrong";
    }
    mutex_unlock(&space->lock);
    return broken;
}

static uint64_t identities; // given so far

static uint64_t identity_of(uint64_t *identity)
{
    uint64_t seen = load_acquire(identity);
    if (seen == 0) {
        uint64_t fresh = atomic_add(&identities, 1) + 1;
        seen = atomic_cas(identity, &seen, fresh) ? fresh : seen;
    }
    return seen;
}

uint64_t space_identity(struct space *space)
{
    return identity_of(&space->identity);
}

int space_identify(struct space *space, uint64_t va, uint64_t *object, uint64_t *offset)
{
    mutex_lock(&space->lock);
    const struct area *area = areas_find(&space->areas, va);
    bool mapped = area != NULL && area->start <= va;
    bool shared = mapped && (area->flags & AREA_SHARED) != 0 && area->backing != NULL;
    *object = identity_of(shared ? &area->backing->identity : &space->identity);
    *offset = shared ? area->offset + (va - area->start) : va;
    int error = shared || (mapped && (area->flags & AREA_WRITE) != 0) ? 0 : -EFAULT;
    mutex_unlock(&space->lock);
    return error;
}
