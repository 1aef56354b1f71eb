// The simulated machine: processors.
#pragma once

#include <machine/plain.h>

extern struct cpu_local *machine_local; // of the simulated CPU that runs now
extern bool machine_attention;          // several things may happen
extern uint32_t machine_quiet;          // points to pass before one of them does
void machine_race_point(void);

MACHINE_INLINE struct cpu_local *cpu_local(void)
{
#if FAULTLINE_CHECKS
    // Locks ask who they are at both ends: there, too, another CPU may come between, also while interrupts are off.
    if (unlikely(machine_attention)) {
        if (likely(machine_quiet > 0)) {
            machine_quiet--;
        } else {
            machine_race_point();
        }
    }
#endif
    return machine_local;
}

void machine_atomic_point(void);

MACHINE_INLINE void cpu_point(void)
{
#if FAULTLINE_CHECKS
    if (unlikely(machine_attention)) {
        if (likely(machine_quiet > 0)) {
            machine_quiet--;
        } else {
            machine_atomic_point();
        }
    }
#endif
}

void machine_relax(void);

MACHINE_INLINE void cpu_relax(void)
{
    machine_relax();
}
