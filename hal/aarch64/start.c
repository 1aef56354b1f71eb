// From the assembly to the kernel: the device tree is found and made readable, the machine's own parts are set up.
#include <libfdt.h>

#include <hal/memory.h>
#include <hal/power.h>
#include <hal/upcall.h>

#include "internal.h"

static struct cpu_local boot_local; // until the kernel gives its own

// x0 by the Linux boot protocol; QEMU puts the tree at the start of RAM when it loads an ELF file.
static paddr_t find_device_tree(uint64_t given)
{
    uint64_t candidates[] = {given, image_to_phys(image_start).raw - IMAGE_OFFSET};
    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        paddr_t fdt = paddr(candidates[i]);
        if (fdt.raw == 0 || !is_aligned(fdt.raw, 8)) {
            continue;
        }
        uint64_t readable = mmu_map_device_tree(fdt);
        const void *header = phys_to_virt(fdt);
        if (readable >= sizeof(struct fdt_header) && fdt_check_header(header) == 0 &&
            fdt_totalsize(header) <= readable) {
            return fdt;
        }
    }
    return paddr(0);
}

_Noreturn void start_primary(uint64_t fdt_given, uint64_t level, uint64_t counter)
{
    cpu_set_local(&boot_local);
    mmu_start();
    timer_set_zero(counter);
    timer_cpu_init();
    struct boot_info info = {
        .fdt = find_device_tree(fdt_given),
        .image_start = image_to_phys(image_start),
        .image_end = image_to_phys(image_end),
        .exception_level = (unsigned)level,
    };
    if (info.fdt.raw == 0 || psci_init(phys_to_virt(info.fdt)) != 0) {
        report_text("no device tree with PSCI: neither in x0 nor at the start of RAM\n");
    }
    asm volatile("msr daifclr, #4" ::: "memory"); // SError from here on
    kernel_main(&info);
}

_Noreturn void start_secondary(struct cpu_local *local)
{
    cpu_set_local(local);
    mmu_start();
    timer_cpu_init();
    asm volatile("msr daifclr, #4" ::: "memory");
    kernel_secondary_main(local);
}
