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

// Stores to different places are seen in any order (Arm ARM B2.3): DMB ISHST before a descriptor, or another CPU, which
// walks the table as it likes, reads what was in the page before it was filled. What is reached through a descriptor is
// ordered behind it (D8.2.6): nothing is needed on that side.
static inline void mmu_prepare(void)
{
    asm volatile("dmb ishst" ::: "memory");
}

// A valid descriptor that replaces an invalid one needs no TLB maintenance, but the walker must see it before the next
// access through it (Arm ARM D8.2.6): DSB ISHST, ISB.
static inline void mmu_publish(void)
{
    asm volatile("dsb ishst\n\tisb" ::: "memory");
}
