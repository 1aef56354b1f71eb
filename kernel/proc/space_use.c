// Who uses which space.
#include <hal/irq.h>
#include <hal/mmu.h>

#include "kernel/mm/asid.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/access.h"
#include "kernel/proc/describe.h"
#include "kernel/proc/process_internal.h"

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
    return 0;
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

void backing_truncated(struct backing *backing, uint64_t size)
{
    for (int32_t pid = 0; (pid = process_next_id(0, pid + 1)) != 0;) {
        struct process *process = process_find(pid);
        struct space *space = process != NULL ? process_space_get(process) : NULL;
        if (space != NULL) {
            space_forget_backing(space, backing, size);
        }
        process_space_put(space);
        process_put(process);
    }
}
