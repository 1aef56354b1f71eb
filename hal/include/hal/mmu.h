// HAL: the memory management unit. Source: Arm ARM D8 (VMSAv8-64): 4 KiB granule, 48-bit addresses, 4 levels.
// Which descriptors to write is the kernel's affair (kernel/mm/pagetable.c); how they reach the walker is the
// machine's.
#pragma once

#include "kernel/base/types.h"

// Indices into MAIR_EL1, as the machine sets it up.
#define MMU_ATTR_NORMAL 0u // Normal, inner and outer write-back, read- and write-allocate
#define MMU_ATTR_DEVICE 1u // Device-nGnRE

#include <machine/mmu.h> // mmu_read(), mmu_write(), mmu_prepare(), mmu_publish(): inline

// uint64_t mmu_read(const uint64_t *slot): a descriptor. Any context.
// void mmu_write(uint64_t *slot, uint64_t descriptor): single-copy atomic, visible to walkers before the next flush
// returns.
//   Simulated: replacing a valid descriptor in a live table without break-before-make (Arm ARM D8.16.1) is a finding.

// void mmu_prepare(void): between what is written to a fresh page or table and the descriptor that leads to it: no CPU
// sees the second without the first. Any context.
// void mmu_publish(void): the descriptors written so far are visible to the walkers of every CPU; where no flush
// follows. Any context.

// Makes root (0: none) the table of the lower half on this CPU, tagged asid. Interrupts off.
void mmu_activate(paddr_t root, uint16_t asid);
unsigned mmu_asid_bits(void); // that identifiers have: 8 or 16. Simulated: few, so that they run out
// The table of the upper half, made by the machine at start and shared by every CPU.
paddr_t mmu_kernel_root(void);

// TLB maintenance: on every CPU, complete on return. Any context. Simulated: entries live until these are called.
// The translations of count leaves of size bytes each, from va on; asid is ignored for the upper half.
void mmu_flush_leaves(vaddr_t va, uint64_t count, uint64_t size, uint16_t asid);
void mmu_flush_asid(uint16_t asid);
void mmu_flush_all(void);

enum mmu_access { MMU_KERNEL_READ, MMU_KERNEL_WRITE, MMU_USER_READ, MMU_USER_WRITE };
// What the hardware's own walk says (AT S1E1R and fellows, PAR_EL1). True and *out when the access would be allowed.
bool mmu_probe(vaddr_t va, enum mmu_access access, paddr_t *out);

void mmu_sync_code(const void *start, size_t size); // makes written instructions visible to fetches on every CPU
