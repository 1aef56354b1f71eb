#include "kernel/proc/vdso.h"

#include <hal/memory.h>
#include <hal/timer.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/user_page.h"
#include "kernel/proc/program.h"
#include "kernel/proc/vdso_data.h"
#include "kernel/sync/spinlock.h"
#include "kernel/time/clock.h"

#define ELF_ENTRY 24u // e_entry of Elf64_Ehdr

static_assert(VDSO_COARSE_NS == CLOCK_COARSE_NS, "both say the same");

static struct {
    struct spinlock lock; // covers data
    paddr_t pages[2];     // data, code; constant once set
    struct vdso_data *data;
    uint64_t sigreturn; // from the start of the code
    struct clock_watch watch;
} vdso = {.lock = SPINLOCK_INIT("vdso", RANK_LEAF)};

static int vdso_page(struct backing *backing, uint64_t offset, paddr_t *out)
{
    if (offset >= sizeof(vdso.pages) / sizeof(vdso.pages[0]) * PAGE_SIZE) {
        return -ENXIO;
    }
    *out = vdso.pages[offset / PAGE_SIZE];
    user_page_get(&kernel_pages, *out);
    return 0;
}

static void no_count(struct backing *backing)
{
}

static const struct backing_ops ops = {vdso_page, no_count, no_count, NULL}; // the pages stay for ever
static struct backing vdso_backing = {.ops = &ops};

// With the lock: readers try again until the number is even and the same.
static void begin_write(void)
{
    WRITE_ONCE(vdso.data->sequence, vdso.data->sequence + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void end_write(void)
{
    store_release(&vdso.data->sequence, vdso.data->sequence + 1);
}

static void clock_changed(struct clock_watch *watch)
{
    irqflags_t flags = spin_lock(&vdso.lock);
    begin_write();
    WRITE_ONCE(vdso.data->realtime_offset_ns, clock_realtime_offset());
    end_write();
    spin_unlock(&vdso.lock, flags);
}

void vdso_set_zone(int32_t minutes_west, int32_t dst)
{
    irqflags_t flags = spin_lock(&vdso.lock);
    if (vdso.data != NULL) {
        begin_write();
        WRITE_ONCE(vdso.data->minutes_west, minutes_west);
        WRITE_ONCE(vdso.data->dst, dst);
        end_write();
    }
    spin_unlock(&vdso.lock, flags);
}

int vdso_init(void)
{
    const void *image;
    size_t size;
    if (!user_vdso_find(&image, &size)) {
        return 0;
    }
    ASSERT(size <= PAGE_SIZE && size > ELF_ENTRY + sizeof(uint64_t));
    for (unsigned i = 0; i < ARRAY_SIZE(vdso.pages); i++) {
        int error = user_page_alloc(&kernel_pages, &vdso.pages[i]);
        if (error != 0) {
            return error;
        }
    }
    struct timer_scale scale = timer_user_scale();
    __builtin_memcpy(phys_to_virt(vdso.pages[1]), image, size);
    __builtin_memcpy(&vdso.sigreturn, (const char *)image + ELF_ENTRY, sizeof(vdso.sigreturn));
    vdso.data = phys_to_virt(vdso.pages[0]);
    *vdso.data = (struct vdso_data){.zero_ticks = scale.zero, .ns_per_tick = scale.ns_per_tick};
    clock_watch_add(&vdso.watch, clock_changed);
    clock_changed(&vdso.watch);
    return 0;
}

int vdso_map(struct space *space)
{
    uint64_t start, at;
    if (vdso.data == NULL) {
        return 0;
    }
    struct space_request request = {.size = 2 * PAGE_SIZE,
                                    .flags = AREA_READ | AREA_VVAR | AREA_NEVER_WRITE | AREA_NEVER_EXEC,
                                    .backing = &vdso_backing};
    int error = space_map(space, &request, &start);
    request = (struct space_request){.address = start + PAGE_SIZE,
                                     .size = PAGE_SIZE,
                                     .flags = AREA_READ | AREA_EXEC | AREA_VDSO,
                                     .fixed = true,
                                     .replace = true,
                                     .backing = &vdso_backing,
                                     .offset = PAGE_SIZE};
    error = error != 0 ? error : space_map(space, &request, &at);
    if (error == 0) {
        space->vdso = at;
        space->sigreturn = at + vdso.sigreturn;
    }
    return error;
}
