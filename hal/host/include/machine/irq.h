// The simulated machine: interrupt masking. Flags are the depth of masking before: 0 is unmasked.
#pragma once

#include <machine/plain.h>

extern uint32_t machine_irq_depth; // of the simulated CPU that runs now
extern bool machine_attention;     // something may happen when interrupts are unmasked
void machine_unmasked(void);
_Noreturn void machine_unbalanced(uint32_t depth, uint64_t flags);

MACHINE_INLINE irqflags_t irq_save(void)
{
    irqflags_t flags = machine_irq_depth;
    machine_irq_depth = (uint32_t)flags + 1;
    return flags;
}

MACHINE_INLINE void irq_restore(irqflags_t flags)
{
#if FAULTLINE_CHECKS
    if (unlikely(flags + 1 != machine_irq_depth)) {
        machine_unbalanced(machine_irq_depth, flags);
    }
#endif
    machine_irq_depth = (uint32_t)flags;
    if (unlikely(machine_attention) && flags == 0) {
        machine_unmasked();
    }
}

MACHINE_INLINE bool irq_enabled(void)
{
    return machine_irq_depth == 0;
}

MACHINE_INLINE void irq_enable(void)
{
    machine_irq_depth = 0;
    if (unlikely(machine_attention)) {
        machine_unmasked();
    }
}

MACHINE_INLINE void irq_disable(void)
{
    machine_irq_depth = 1;
}
