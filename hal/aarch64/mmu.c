// The memory management unit: the tables of the upper half that the machine owns, and TLB maintenance (Arm ARM D8.16).
#include <hal/memory.h>
#include <hal/mmio.h>
#include <hal/mmu.h>

#include "internal.h"
#include "tables.h"

#define POOL_TABLES 20u // 1 + 2 per ragged edge of RAM, 3 around the image, a few for devices

extern struct table kernel_l0, device_l1;
static struct table pool[POOL_TABLES] TABLE;
static struct table empty TABLE; // the lower half while there is no process: a stray low address always faults
static unsigned pool_used;

static struct table *table_new(void)
{
    return pool_used < POOL_TABLES ? &pool[pool_used++] : NULL;
}

// SAFETY: every table that hangs below kernel_l0 here is part of the image, so its address follows from the descriptor.
static struct table *table_at(uint64_t descriptor)
{
    return (struct table *)((descriptor & D_ADDRESS) + image_offset);
}

struct mapper {
    uint64_t base, attributes; // virtual minus physical; leaf without type
};

// Maps [pa, end) below table, which covers one slot of the level above. Never changes a leaf that is there.
static int map_level(struct table *table, unsigned level, uint64_t pa, uint64_t end, const struct mapper *mapper)
{
    uint64_t size = 1UL << (39 - 9 * level);
    while (pa < end) {
        uint64_t *slot = &table->slots[slot_index(pa + mapper->base, level)];
        uint64_t next = min_u64(round_down(pa, size) + size, end);
        bool whole = is_aligned(pa, size) && next - pa == size;
        if (whole && *slot == 0) {
            mmu_write(slot, pa | mapper->attributes | (level == 3 ? D_PAGE : D_BLOCK));
        } else if (level == 3 || (*slot != 0 && (*slot & 2) == 0)) {
            if (((*slot ^ mapper->attributes) & ~D_ADDRESS & ~2UL & ~1UL) != 0) {
                return -EEXIST;
            }
        } else {
            if (*slot == 0) {
                struct table *below = table_new();
                if (below == NULL) {
                    return -ENOMEM;
                }
                mmu_prepare();
                mmu_write(slot, image_to_phys(below).raw | D_TABLE);
            }
            int error = map_level(table_at(*slot), level + 1, pa, next, mapper);
            if (error != 0) {
                return error;
            }
        }
        pa = next;
    }
    return 0;
}

static int map_linear(struct table *level1, uint64_t start, uint64_t end, uint64_t attributes)
{
    return map_level(level1, 1, start, end, &(struct mapper){LINEAR_BASE, attributes});
}

void mmu_start(void)
{
    mmu_activate(paddr(0), 0);
    mmu_flush_all();
}

uint64_t mmu_map_device_tree(paddr_t fdt)
{
    struct table *level1 = table_new();
    uint64_t start = round_down(fdt.raw, MIB(2)), end = start + MIB(4); // booting.rst: at most 2 MiB
    if (level1 == NULL || fdt.raw >= LINEAR_SIZE - MIB(4) || map_linear(level1, start, end, D_RODATA) != 0) {
        return 0;
    }
    mmu_write(&kernel_l0.slots[slot_index(LINEAR_BASE, 0)], image_to_phys(level1).raw | D_TABLE);
    mmu_publish();
    return end - fdt.raw;
}

// One region of RAM; what the image may not change is not writable through this door either.
static int map_region(struct table *level1, uint64_t start, uint64_t end)
{
    uint64_t guarded = image_to_phys(image_start).raw, guarded_end = image_to_phys(rodata_end).raw;
    if (end <= guarded || start >= guarded_end) {
        return map_linear(level1, start, end, D_DATA);
    }
    int error = map_linear(level1, max_u64(start, guarded), min_u64(end, guarded_end), D_RODATA);
    if (error == 0 && start < guarded) {
        error = map_linear(level1, start, guarded, D_DATA);
    }
    if (error == 0 && end > guarded_end) {
        error = map_linear(level1, guarded_end, end, D_DATA);
    }
    return error;
}

int memory_map_ram(const struct memory_region *regions, size_t count)
{
    struct table *level1 = table_new();
    if (level1 == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t end;
        if (!is_aligned(regions[i].start.raw | regions[i].size, PAGE_SIZE) ||
            !add_fits(regions[i].start.raw, regions[i].size, &end) || end > LINEAR_SIZE) {
            return -EINVAL;
        }
        int error = map_region(level1, regions[i].start.raw, end);
        if (error != 0) {
            return error;
        }
    }
    // Break before make: from here to the flush nothing may use the linear map, and nothing does: code, stack and
    // tables are reached through the image.
    uint64_t *slot = &kernel_l0.slots[slot_index(LINEAR_BASE, 0)];
    mmu_write(slot, 0);
    mmu_flush_all();
    mmu_write(slot, image_to_phys(level1).raw | D_TABLE);
    mmu_publish();
    return 0;
}

int mmio_map(paddr_t base, uint64_t size, mmio_t *out)
{
    uint64_t end;
    if (size == 0 || !add_fits(base.raw, size, &end) || end > LINEAR_SIZE) {
        return -EINVAL;
    }
    struct mapper mapper = {DEVICE_BASE, D_DEVICE};
    int error = map_level(&device_l1, 1, round_down(base.raw, PAGE_SIZE), round_up(end, PAGE_SIZE), &mapper);
    if (error != 0) {
        return error == -ENOMEM ? -ENOMEM : -EINVAL;
    }
    mmu_publish();
    *out = (mmio_t){DEVICE_BASE + base.raw, size};
    return 0;
}

void mmu_activate(paddr_t root, uint16_t asid)
{
    uint64_t table = root.raw != 0 ? root.raw : image_to_phys(&empty).raw;
    write_sysreg(ttbr0_el1, table | (uint64_t)asid << 48);
    isb();
}

unsigned mmu_asid_bits(void)
{
    return (read_sysreg(id_aa64mmfr0_el1) >> 4 & 15) == 2 ? 16 : 8; // ASIDBits; TCR_EL1.AS is set
}

paddr_t mmu_kernel_root(void)
{
    return image_to_phys(&kernel_l0);
}

// TLBI takes the page number in bits 43:0 and the ASID in 63:48 (Arm ARM C5.5).
void mmu_flush_leaves(vaddr_t va, uint64_t count, uint64_t size, uint16_t asid)
{
    uint64_t page = (va.raw >> PAGE_SHIFT) & ((1UL << 44) - 1), step = size >> PAGE_SHIFT;
    bool upper = va.raw >> 48 != 0;
    uint64_t tag = upper ? 0 : (uint64_t)asid << 48;
    dsb(ishst);
    for (; count > 0; count--, page += step) { // every level: a table above may be gone too
        if (upper) {
            asm volatile("tlbi vaae1is, %0" ::"r"(page) : "memory");
        } else {
            asm volatile("tlbi vae1is, %0" ::"r"(page | tag) : "memory");
        }
    }
    dsb(ish);
    isb();
}

void mmu_flush_asid(uint16_t asid)
{
    dsb(ishst);
    asm volatile("tlbi aside1is, %0" ::"r"((uint64_t)asid << 48) : "memory");
    dsb(ish);
    isb();
}

void mmu_flush_all(void)
{
    dsb(ishst);
    asm volatile("tlbi vmalle1is" ::: "memory");
    dsb(ish);
    isb();
}

bool mmu_probe(vaddr_t va, enum mmu_access access, paddr_t *out)
{
    uint64_t flags = read_sysreg(daif); // PAR_EL1 is one per CPU: nothing may come between
    asm volatile("msr daifset, #3" ::: "memory");
    switch (access) {
    case MMU_KERNEL_READ:
        asm volatile("at s1e1r, %0" ::"r"(va.raw) : "memory");
        break;
    case MMU_KERNEL_WRITE:
        asm volatile("at s1e1w, %0" ::"r"(va.raw) : "memory");
        break;
    case MMU_USER_READ:
        asm volatile("at s1e0r, %0" ::"r"(va.raw) : "memory");
        break;
    case MMU_USER_WRITE:
        asm volatile("at s1e0w, %0" ::"r"(va.raw) : "memory");
        break;
    }
    isb();
    uint64_t par = read_sysreg(par_el1);
    write_sysreg(daif, flags);
    if ((par & 1) != 0) {
        return false;
    }
    *out = paddr((par & D_ADDRESS) | (va.raw & PAGE_MASK));
    return true;
}

// Arm ARM B2.7.4, D7.5.8, D19.2.33: CTR_EL0 says how long lines are, and which steps the hardware does by itself. An
// instruction cache that is indexed by virtual addresses holds lines by other names of the page than this one.
#define CTR_POLICY_PIPT 3UL // L1Ip
#define CTR_IDC (1UL << 28) // no cleaning for fetches
#define CTR_DIC (1UL << 29) // no invalidation for fetches
void mmu_sync_code(const void *start, size_t size)
{
    uint64_t ctr = read_sysreg(ctr_el0); // DminLine, IminLine: log2 of words
    uint64_t dline = 4UL << ((ctr >> 16) & 15), iline = 4UL << (ctr & 15);
    uint64_t first = (uint64_t)start, end = first + size;
    for (uint64_t line = first & ~(dline - 1); line < end && (ctr & CTR_IDC) == 0; line += dline) {
        asm volatile("dc cvau, %0" ::"r"(line) : "memory");
    }
    dsb(ish);
    if ((ctr & CTR_DIC) == 0 && (ctr >> 14 & 3) != CTR_POLICY_PIPT) {
        asm volatile("ic ialluis" ::: "memory");
    } else if ((ctr & CTR_DIC) == 0) {
        for (uint64_t line = first & ~(iline - 1); line < end; line += iline) {
            asm volatile("ic ivau, %0" ::"r"(line) : "memory");
        }
    }
    dsb(ish);
    isb();
}
