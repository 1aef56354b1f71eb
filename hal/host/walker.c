// A VMSAv8-64 stage 1 walk, written from the Arm ARM (DDI 0487, D8.2 to D8.5) and from nothing else: it shares no line
// with the kernel's page tables, so that the two can disagree. 4 KiB granule, 48-bit input and output, no LPA2,
// hardware AF off.
#include "hal/host/internal.h"

// MAIR_EL1 as both machines program it: index 0 Normal write-back, index 1 Device-nGnRE.
static const uint8_t mair[8] = {0xff, 0x04};

struct bits {
    uint64_t raw;
};

static uint64_t field(struct bits d, unsigned high, unsigned low)
{
    return d.raw << (63 - high) >> (63 - high + low);
}

static struct machine_walk fault(unsigned level)
{
    return (struct machine_walk){.level = level};
}

static struct machine_walk malformed(unsigned level, const char *why)
{
    return (struct machine_walk){.level = level, .malformed = why};
}

// Rights that the tables on the way take away: APTable, XNTable, PXNTable.
struct limits {
    bool no_user, no_write, no_exec_user, no_exec_kernel;
};

static struct machine_walk leaf(struct bits d, unsigned level, uint64_t va, struct limits limits, bool upper)
{
    unsigned shift = 39 - 9 * level;
    if (field(d, 47, 12) << 12 & ((1ull << shift) - 1)) {
        return malformed(level, "a block descriptor has output address bits below its size");
    }
    if (field(d, 50, 48) != 0) {
        return malformed(level, "reserved bits 50:48 of a leaf are set");
    }
    if (field(d, 52, 52) != 0) {
        return malformed(level, "the contiguous bit is set, and its neighbours do not agree on it");
    }
    if (field(d, 10, 10) == 0) {
        return malformed(level, "the access flag is clear, and nobody handles that fault");
    }
    uint8_t attribute = mair[field(d, 4, 2)];
    if (attribute == 0 && field(d, 4, 2) != 1) {
        return malformed(level, "AttrIndx names an attribute that MAIR does not define");
    }
    if (field(d, 5, 5) != 0) {
        return malformed(level, "NS is set");
    }
    bool device = (attribute & 0xf0) == 0;
    if (!device && field(d, 9, 8) != 3) {
        return malformed(level, "Normal memory is not inner shareable");
    }
    struct machine_walk walk = {.valid = true, .level = level, .size = 1ull << shift, .device = device};
    walk.pa = (field(d, 47, 12) << 12) + (va & (walk.size - 1));
    walk.user = field(d, 6, 6) != 0 && !limits.no_user;
    walk.write = field(d, 7, 7) == 0 && !limits.no_write;
    walk.exec_user = field(d, 54, 54) == 0 && !limits.no_exec_user;
    // Writable at EL0 is never executable at EL1 (D8.4.2).
    walk.exec_kernel = field(d, 53, 53) == 0 && !limits.no_exec_kernel && !(walk.user && walk.write);
    walk.global = field(d, 11, 11) == 0;
    if (walk.write && (walk.exec_user || walk.exec_kernel)) {
        walk.malformed = "writable and executable at once";
    } else if (device && (walk.exec_user || walk.exec_kernel)) {
        walk.malformed = "device memory is executable";
    } else if (upper && walk.exec_user) {
        walk.malformed = "UXN is clear in the kernel's half";
    } else if (!upper && walk.exec_kernel) {
        walk.malformed = "PXN is clear in the user's half";
    } else if (walk.global != upper) {
        walk.malformed = upper ? "a kernel mapping is not global" : "a user mapping is global";
    }
    return walk;
}

struct machine_walk machine_walk_from(paddr_t root, uint64_t va, bool upper)
{
    uint64_t top = va >> 48;
    if (top != (upper ? 0xffff : 0)) {
        return fault(0);
    }
    struct limits limits = {};
    uint64_t table = root.raw;
    for (unsigned level = 0; level <= 3; level++) {
        if (table - MACHINE_RAM_BASE >= MACHINE_RAM_SIZE) {
            return malformed(level, "a table lies outside RAM");
        }
        unsigned shift = 39 - 9 * level;
        const uint64_t *slots = (const uint64_t *)(uintptr_t)(table - MACHINE_RAM_BASE + MACHINE_ARENA);
        struct bits d = {__atomic_load_n(&slots[va >> shift & 511], __ATOMIC_RELAXED)};
        if ((d.raw & 1) == 0) {
            return fault(level);
        }
        bool table_or_page = (d.raw & 2) != 0;
        if (level == 3) {
            return table_or_page ? leaf(d, level, va, limits, upper) : malformed(level, "a block at level 3");
        }
        if (!table_or_page) {
            return level == 0 ? malformed(level, "a block at level 0") : leaf(d, level, va, limits, upper);
        }
        if (field(d, 50, 48) != 0) {
            return malformed(level, "reserved bits of a table descriptor are set");
        }
        limits.no_user |= field(d, 61, 61) != 0;
        limits.no_write |= field(d, 62, 62) != 0;
        limits.no_exec_user |= field(d, 60, 60) != 0;
        limits.no_exec_kernel |= field(d, 59, 59) != 0;
        table = field(d, 47, 12) << 12;
    }
    return fault(3);
}
