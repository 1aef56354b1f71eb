// The simulated machine: RAM is an arena at a fixed host address, so that a run never depends on where it lies.
#pragma once

#include "kernel/base/types.h"

#define MACHINE_RAM_BASE 0x40000000ull
#define MACHINE_RAM_SIZE MIB(512)
#if __has_feature(address_sanitizer) && !defined(MACHINE_ASAN)
#define MACHINE_ASAN 1
#endif
#if MACHINE_ASAN
#define MACHINE_ARENA 0x200000000000ull // above ASan's shadow
#else
#define MACHINE_ARENA 0x8000000000ull // application memory for MSan and TSan too
#endif

_Noreturn void machine_bad_physical(uint64_t address);
_Noreturn void machine_bad_linear(const void *pointer);
void machine_mark_allocated(void *start, size_t size);
void machine_mark_freed(void *start, size_t size);

static inline void *phys_to_virt(paddr_t address)
{
#if FAULTLINE_CHECKS
    if (unlikely(address.raw - MACHINE_RAM_BASE >= MACHINE_RAM_SIZE)) {
        machine_bad_physical(address.raw);
    }
#endif
    return (void *)(uintptr_t)(address.raw - MACHINE_RAM_BASE + MACHINE_ARENA);
}

static inline paddr_t virt_to_phys(const void *pointer)
{
#if FAULTLINE_CHECKS
    if (unlikely((uintptr_t)pointer - MACHINE_ARENA >= MACHINE_RAM_SIZE)) {
        machine_bad_linear(pointer);
    }
#endif
    return paddr((uintptr_t)pointer - MACHINE_ARENA + MACHINE_RAM_BASE);
}

static inline void memory_allocated(void *start, size_t size)
{
#if FAULTLINE_CHECKS
    machine_mark_allocated(start, size);
#endif
}

static inline void memory_freed(void *start, size_t size)
{
#if FAULTLINE_CHECKS
    machine_mark_freed(start, size);
#endif
}
