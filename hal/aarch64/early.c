// The first page tables: identity for the switch, the image, the earliest console. Runs with the MMU off at physical
// addresses: only what the compiler reaches PC-relative, only naturally aligned accesses, no calls.
#include <hal/memory.h>

#include "internal.h"
#include "tables.h"

#define EARLY_CONSOLE 0x09000000UL // the one address that is not from the device tree

struct table idmap_l0 TABLE, idmap_l1 TABLE, idmap_l2 TABLE;
struct table kernel_l0 TABLE;
static struct table image_l1 TABLE, image_l2 TABLE, image_l3[2] TABLE;
struct table device_l1 TABLE;
static struct table device_l2 TABLE, device_l3 TABLE;

uint64_t image_offset;

extern char boot_stacks[], bss_start[], bss_end[];

static inline uint64_t here(const void *pointer) // MMU off: the address of a symbol is physical
{
    return (uint64_t)pointer;
}

static inline uint64_t protection(uint64_t pa)
{
    if (pa < here(text_end)) {
        return D_TEXT;
    }
    return pa < here(rodata_end) ? D_RODATA : D_DATA;
}

static inline bool is_guard(uint64_t pa)
{
    uint64_t offset = pa - here(boot_stacks);
    return offset < MAX_CPUS * (uint64_t)BOOT_STACK_STRIDE && offset % BOOT_STACK_STRIDE < PAGE_SIZE;
}

void early_tables(uint64_t image)
{
    idmap_l0.slots[slot_index(image, 0)] = here(&idmap_l1) | D_TABLE;
    idmap_l1.slots[slot_index(image, 1)] = here(&idmap_l2) | D_TABLE;
    idmap_l2.slots[slot_index(image, 2)] = round_down(image, MIB(2)) | D_TEXT | D_BLOCK;

    // Linked at IMAGE_BASE + IMAGE_OFFSET; whatever page it really was loaded to.
    uint64_t first = IMAGE_BASE + IMAGE_OFFSET;
    kernel_l0.slots[slot_index(first, 0)] = here(&image_l1) | D_TABLE;
    image_l1.slots[slot_index(first, 1)] = here(&image_l2) | D_TABLE;
    image_l2.slots[slot_index(first, 2)] = here(&image_l3[0]) | D_TABLE;
    image_l2.slots[slot_index(first, 2) + 1] = here(&image_l3[1]) | D_TABLE;
    uint64_t page = slot_index(first, 3);
    for (uint64_t pa = image; pa < here(image_end); pa += PAGE_SIZE, page++) {
        if (!is_guard(pa)) {
            image_l3[page / ENTRIES].slots[page % ENTRIES] = pa | protection(pa) | D_PAGE;
        }
    }
    image_offset = first - image;

    uint64_t console = DEVICE_BASE + EARLY_CONSOLE;
    kernel_l0.slots[slot_index(console, 0)] = here(&device_l1) | D_TABLE;
    device_l1.slots[slot_index(console, 1)] = here(&device_l2) | D_TABLE;
    device_l2.slots[slot_index(console, 2)] = here(&device_l3) | D_TABLE;
    device_l3.slots[slot_index(console, 3)] = EARLY_CONSOLE | D_DEVICE | D_PAGE;

    // All that was written past the caches (.bss with the tables and the variable above): lines that a loader left
    // behind, clean by its duty (booting.rst), must not hide it (Arm ARM B2.8, D7.5.9). Lines are as long as
    // CTR_EL0.DminLine says.
    uint64_t line_size = 4UL << (read_sysreg(ctr_el0) >> 16 & 15);
    dsb(sy);
    for (uint64_t line = here(bss_start) & ~(line_size - 1); line < here(bss_end); line += line_size) {
        asm volatile("dc ivac, %0" ::"r"(line) : "memory");
    }
    dsb(sy);
}
