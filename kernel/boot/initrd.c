#include "kernel/boot/initrd.h"

#include <hal/memory.h>

#include "kernel/debug/log.h"
#include "kernel/fs/cpio.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/page_alloc.h"

static bool in_memory(const struct machine_description *machine, const struct machine_range *range)
{
    for (unsigned i = 0; i < machine->memory_count; i++) {
        uint64_t offset = range->start.raw - machine->memory[i].start.raw;
        if (offset < machine->memory[i].size && range->size <= machine->memory[i].size - offset) {
            return true;
        }
    }
    return false;
}

int boot_files(const struct machine_description *machine)
{
    const struct machine_range *initrd = &machine->initrd;
    int error = mount_root(&tmpfs);
    if (error != 0 || initrd->size == 0) {
        return error;
    }
    if (!in_memory(machine, initrd)) {
        log_warning("initrd: 0x%lx to 0x%lx is not memory", initrd->start.raw, initrd->start.raw + initrd->size);
        return 0;
    }
    uint32_t count;
    error = cpio_unpack_image(phys_to_virt(initrd->start), initrd->size, &count);
    if (error != 0) {
        log_warning("initrd: broken after %u files: error %d", count, error);
    }
    return page_pool_add(&kernel_pages, initrd->start, round_up(initrd->size, PAGE_SIZE) >> PAGE_SHIFT);
}
