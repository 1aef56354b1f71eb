// What the simulated machine's firmware and boot loader leave in RAM: a device tree and the first files.
#include "harness/world.h"

#include <hal/upcall.h>

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define TREE_AT (MACHINE_RAM_BASE + ram_size() - KIB(16))
#define TREE_SIZE KIB(8)
#define FILES_AT (TREE_AT - KIB(16))
#define FILES_SIZE KIB(16)
#define BOOT_LINE "loglevel=0 run=exec /bin/prog"

static char *tree;

static uint64_t ram_size(void)
{
    return world_is_other ? WORLD_RAM_OTHER : WORLD_RAM;
}

static int cells(const char *name, const uint32_t *values, size_t count)
{
    fdt32_t big[16];
    for (size_t i = 0; i < count; i++) {
        big[i] = cpu_to_fdt32(values[i]);
    }
    return fdt_property(tree, name, big, (int)(count * sizeof(*big)));
}
#define CELLS(name, ...) cells(name, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static int write_cpus(void)
{
    int error = fdt_begin_node(tree, "cpus");
    error |= CELLS("#address-cells", 1) | CELLS("#size-cells", 0);
    for (uint32_t i = 0; i < WORLD_CPUS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "cpu@%u", i);
        error |= fdt_begin_node(tree, name) | fdt_property_string(tree, "device_type", "cpu") | CELLS("reg", i);
        error |= fdt_end_node(tree);
    }
    return error | fdt_end_node(tree);
}

static int write_devices(void)
{
    int error = fdt_begin_node(tree, "intc@8000000");
    error |= fdt_property_string(tree, "compatible", "arm,gic-v3");
    error |= CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
    error |= fdt_end_node(tree);
    error |= fdt_begin_node(tree, "timer") | fdt_property_string(tree, "compatible", "arm,armv8-timer");
    error |= CELLS("interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4);
    error |= fdt_end_node(tree);
    error |= fdt_begin_node(tree, "psci") | fdt_property_string(tree, "compatible", "arm,psci-1.0");
    return error | fdt_property_string(tree, "method", "hvc") | fdt_end_node(tree);
}

static int write_chosen(uint32_t files_end)
{
    int error = fdt_begin_node(tree, "chosen") |
                fdt_property_string(tree, "bootargs", world_is_other ? BOOT_LINE : "noaslr " BOOT_LINE);
    error |= CELLS("linux,initrd-start", 0, (uint32_t)FILES_AT) | CELLS("linux,initrd-end", 0, files_end);
    return error | fdt_end_node(tree);
}

static void write_tree(uint32_t files_end)
{
    int error = fdt_create(tree, TREE_SIZE) | fdt_finish_reservemap(tree) | fdt_begin_node(tree, "");
    error |= CELLS("#address-cells", 2) | CELLS("#size-cells", 2);
    error |= fdt_begin_node(tree, "memory@40000000") | fdt_property_string(tree, "device_type", "memory");
    error |= CELLS("reg", 0, (uint32_t)MACHINE_RAM_BASE, 0, (uint32_t)ram_size()) | fdt_end_node(tree);
    error |= write_cpus() | write_devices() | write_chosen(files_end) | fdt_end_node(tree) | fdt_finish(tree);
    if (error != 0) {
        machine_finding("check", "the device tree cannot be written: %s", fdt_strerror(error));
    }
}

static char *add_file(char *at, const char *name, uint32_t mode, const void *data, size_t size)
{
    static uint32_t ino;
    size_t length = strlen(name) + 1;
    at += sprintf(at, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", ++ino, mode, 0, 0, 1, 0, size, 0,
                  0, 0, 0, length, 0);
    memcpy(at, name, length);
    at += length;
    while (((uintptr_t)at & 3) != 0) {
        *at++ = 0;
    }
    memcpy(at, data, size);
    at += size;
    while (((uintptr_t)at & 3) != 0) {
        *at++ = 0;
    }
    return at;
}

// An executable of one page, which the interpreter stands for: nothing in it is ever fetched.
static size_t write_image(uint8_t *image)
{
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, headers, sections;
        uint32_t flags;
        uint16_t size, header_size, header_count, section_size, section_count, names;
        struct {
            uint32_t type, flags;
            uint64_t offset, va, pa, file_size, memory_size, align;
        } segment;
    } elf = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
             .type = 2,
             .machine = 183,
             .version = 1,
             .entry = WORLD_ENTRY,
             .headers = 64,
             .size = 64,
             .header_size = 56,
             .header_count = 1,
             .segment = {1, 5, 0, WORLD_IMAGE, WORLD_IMAGE, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE}};
    memset(image, 0, PAGE_SIZE);
    memcpy(image, &elf, sizeof(elf));
    return PAGE_SIZE;
}

void world_firmware(struct boot_info *out)
{
    static uint8_t image[PAGE_SIZE];
    char *files = phys_to_virt(paddr(FILES_AT)), *at = files;
    memory_allocated(files, FILES_SIZE);
    tree = phys_to_virt(paddr(TREE_AT));
    memory_allocated(tree, TREE_SIZE);
    size_t size = write_image(image);
    at = add_file(at, "bin", 040755, "", 0);
    at = add_file(at, "bin/prog", 0100755, image, size);
    at = add_file(at, "w", 040755, "", 0);
    at = add_file(at, "proc", 040755, "", 0);
    at = add_file(at, "TRAILER!!!", 0, "", 0);
    if (at > files + FILES_SIZE) {
        machine_finding("check", "the first files do not fit into %llu bytes", (unsigned long long)FILES_SIZE);
    }
    write_tree((uint32_t)(FILES_AT + (uint64_t)(at - files)));
    // In place of an image: the table of the upper half, which on the real machine is there before the kernel.
    memory_allocated(phys_to_virt(paddr(MACHINE_RAM_BASE)), PAGE_SIZE);
    page_zero(phys_to_virt(paddr(MACHINE_RAM_BASE)));
    *out = (struct boot_info){.fdt = paddr(TREE_AT),
                              .image_start = paddr(MACHINE_RAM_BASE),
                              .image_end = paddr(MACHINE_RAM_BASE + PAGE_SIZE),
                              .exception_level = 1};
}
