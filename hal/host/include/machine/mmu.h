// The simulated machine: descriptors. Writes pass the checker while any table is live.
#pragma once

#include <machine/plain.h>

extern bool machine_tables_live;
void machine_mmu_write(uint64_t *slot, uint64_t descriptor);

MACHINE_INLINE uint64_t mmu_read(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

MACHINE_INLINE void mmu_write(uint64_t *slot, uint64_t descriptor)
{
    if (unlikely(machine_tables_live)) {
        machine_mmu_write(slot, descriptor);
    } else {
        __atomic_store_n(slot, descriptor, __ATOMIC_RELAXED);
    }
}

MACHINE_INLINE void mmu_prepare(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

MACHINE_INLINE void mmu_publish(void)
{
}
