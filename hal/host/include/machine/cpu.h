// The simulated machine: processors.
#pragma once

#include <machine/plain.h>

extern struct cpu_local *machine_local; // of the simulated CPU that runs now
extern bool machine_attention;          // several things may happen
void machine_race_point(void);

MACHINE_INLINE struct cpu_local *cpu_local(void)
{
#if FAULTLINE_CHECKS
    // Locks ask who they are at both ends: there, too, another CPU may come between, also while interrupts are off.
    if (unlikely(machine_attention)) {
        machine_race_point();
    }
#endif
    return machine_local;
}

void machine_atomic_point(void);

MACHINE_INLINE void cpu_point(void)
{
#if FAULTLINE_CHECKS
    if (unlikely(machine_attention)) {
        machine_atomic_point();
    }
#endif
}

void machine_relax(void);

MACHINE_INLINE void cpu_relax(void)
{
    machine_relax();
}
