// HAL: physical memory as the kernel reaches it.
#pragma once

#include "kernel/base/types.h"

#include <machine/memory.h> // phys_to_virt(), virt_to_phys(), memory_allocated(), memory_freed(), memory_uninitialised(): inline

// void *phys_to_virt(paddr_t) and paddr_t virt_to_phys(const void *): RAM only. Any context, cannot fail.
//   Simulated: an address outside the arena is a finding.
// Before memory_map_ram() only the device tree can be reached so, read-only.
// Stack memory of kernel threads is mapped twice; virt_to_phys() wants the linear address.

// Tell the machine what bytes are: any context. Nothing on the real machine; ASan and MSan regions on the simulated
// one. void memory_allocated(void *, size_t): may be used, contents undefined void memory_freed(void *, size_t): any
// use is a finding

struct memory_region {
    paddr_t start;
    uint64_t size;
};
// Makes RAM reachable through phys_to_virt(). Boot CPU, once, in BOOT_EARLY. Page-aligned regions without overlap.
// -EINVAL, -EEXIST: bad regions; -ENOMEM: too ragged for the machine's own tables. Nothing changed then.
[[nodiscard]] int memory_map_ram(const struct memory_region *regions, size_t count);

void page_zero(void *page);                 // PAGE_SIZE bytes, aligned
void page_copy(void *to, const void *from); // likewise
