// Who uses which space.
#include <hal/irq.h>
#include <hal/mmu.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/asid.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/access.h"
#include "kernel/proc/describe.h"
#include "kernel/proc/process_internal.h"

static struct {
    struct spinlock lock; // covers the list
    struct list all;      // every space of a process, in the order of their making
} spaces = {.lock = SPINLOCK_INIT("spaces", RANK_LEAF), .all = {&spaces.all, &spaces.all}};

int process_space_create(struct space **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct space), &memory);
    if (error != 0) {
        return error;
    }
    error = space_init(memory, &kernel_pages);
    if (error != 0) {
        kfree(memory);
        return error;
    }
    *out = memory;
    (*out)->dumpable = DUMPABLE_USER;
    irqflags_t flags = spin_lock(&spaces.lock);
    list_push_back(&spaces.all, &(*out)->link);
    spin_unlock(&spaces.lock, flags);
    return 0;
}

// Another reference, unless the last one has just been given up.
static bool take(struct space *space)
{
    uint32_t seen = load_acquire(&space->references);
    while (seen > 0 && !atomic_cas(&space->references, &seen, seen + 1)) {
    }
    return seen > 0;
}

struct space *process_space_get(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct space *space = process->space;
    if (space != NULL) {
        (void)__atomic_fetch_add(&space->references, 1, __ATOMIC_RELAXED);
    }
    spin_unlock(&family.lock, flags);
    return space;
}

void process_space_put(struct space *space)
{
    if (space == NULL || __atomic_fetch_sub(&space->references, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    irqflags_t flags = spin_lock(&spaces.lock);
    list_remove(&space->link);
    spin_unlock(&spaces.lock, flags);
    space_destroy(space);
    kfree(space);
}

void process_use_space(struct thread *thread, struct space *space, struct fp_state *fp)
{
    irqflags_t flags = irq_save(); // the scheduler reads both fields at a switch
    thread->user_table = space != NULL ? &space->table : NULL;
    thread->fp = fp;
    if (space != NULL) {
        asid_activate(&space->table);
    } else {
        mmu_activate(paddr(0), 0);
    }
    if (fp != NULL) {
        fp_restore(fp);
    }
    irq_restore(flags);
}

// The next space behind one, which gives up its reference; NULL: the first, or there are no more.
static struct space *next_of(struct space *space)
{
    struct space *next = NULL;
    irqflags_t flags = spin_lock(&spaces.lock);
    struct list *at = space != NULL ? space->link.next : spaces.all.next;
    while (next == NULL && at != &spaces.all) {
        struct space *there = container_of(at, struct space, link);
        next = take(there) ? there : NULL; // else it goes just now
        at = at->next;
    }
    spin_unlock(&spaces.lock, flags);
    process_space_put(space);
    return next;
}

// A space that is a copy of another is behind it from before the first page is copied: it is come to after that, even
// if nobody else sees it as yet.
void backing_truncated(struct backing *backing, uint64_t size)
{
    if (atomic_add(&backing->mapped, 0) == 0) {
        return; // who maps it from here on sees its new end
    }
    for (struct space *space = next_of(NULL); space != NULL; space = next_of(space)) {
        space_forget_backing(space, backing, size);
    }
}
