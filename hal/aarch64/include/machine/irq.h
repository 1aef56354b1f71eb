// AArch64: interrupt masking. Flags are DAIF (Arm ARM C5.2.2). IRQ and FIQ go together: what arrives as FIQ is handled
// alike.
#pragma once

#define DAIF_F (1UL << 6)
#define DAIF_I (1UL << 7)
#define DAIF_A (1UL << 8)

static inline irqflags_t irq_save(void)
{
    irqflags_t flags;
    asm volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(flags)::"memory");
    return flags;
}

static inline void irq_restore(irqflags_t flags)
{
    asm volatile("msr daif, %0" ::"r"(flags) : "memory");
}

static inline bool irq_enabled(void)
{
    irqflags_t flags;
    asm volatile("mrs %0, daif" : "=r"(flags)::"memory");
    return (flags & DAIF_I) == 0;
}

static inline void irq_enable(void)
{
    __asm__ volatile("msr daifclr, #3" ::: "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("msr daifset, #3" ::: "memory");
}
