// What the machine is, from its flattened device tree (Devicetree Specification 0.4), through libfdt.
// The tree is untrusted: whatever its bytes, the answer is a description or an errno with a reason. Pure; BOOT_EARLY
// on.
#pragma once

#include "kernel/base/types.h"

#define MACHINE_REGIONS_MAX 8u
#define MACHINE_RESERVED_MAX 16u
#define MACHINE_BOOTARGS_MAX 256u

struct machine_range {
    paddr_t start;
    uint64_t size;
};

enum psci_method { PSCI_NONE, PSCI_HVC, PSCI_SMC };

struct machine_description {
    struct machine_range memory[MACHINE_REGIONS_MAX]; // whole pages, ascending, no overlap, none empty; at least one
    unsigned memory_count;
    uint64_t memory_size;                                // their sum
    struct machine_range reserved[MACHINE_RESERVED_MAX]; // may overlap each other or lie outside RAM
    unsigned reserved_count;
    uint64_t cpus[MAX_CPUS];                          // MPIDR affinity; the boot CPU first
    unsigned cpu_count;                               // 1 to MAX_CPUS
    unsigned cpus_ignored;                            // described, but beyond MAX_CPUS
    struct machine_range distributor, redistributors; // GICv3
    struct machine_range uart;                        // PL011; size 0: none
    uint32_t uart_intid;
    struct machine_range rtc; // PL031; size 0: none
    uint32_t timer_intid;     // the virtual timer's
    enum psci_method psci;
    struct machine_range initrd; // the first files; size 0: none
    char bootargs[MACHINE_BOOTARGS_MAX];
    uint64_t tree_size; // bytes of the tree that mean something: keep these
    const char *reason; // why fdt_describe() failed; never NULL then
};

// fdt: 8-byte aligned, size_limit readable bytes. -EINVAL: not a sound tree; -ENODEV: it lacks what a kernel needs;
// -E2BIG: more memory regions or reservations than we keep. *out then only holds a reason.
[[nodiscard]] int fdt_describe(const void *fdt, size_t size_limit, struct machine_description *out);
