// AArch64: descriptors.
#pragma once

static inline uint64_t mmu_read(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static inline void mmu_write(uint64_t *slot, uint64_t descriptor)
{
    __atomic_store_n(slot, descriptor, __ATOMIC_RELAXED);
}

// A valid descriptor that replaces an invalid one needs no TLB maintenance, but the walker must see it before the next
// access through it (Arm ARM D8.2.6): DSB ISHST, ISB.
static inline void mmu_publish(void)
{
    asm volatile("dsb ishst\n\tisb" ::: "memory");
}
