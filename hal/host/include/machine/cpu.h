// The simulated machine: processors.
#pragma once

extern struct cpu_local *machine_local; // of the simulated CPU that runs now

static inline struct cpu_local *cpu_local(void)
{
    return machine_local;
}

void machine_relax(void);

static inline void cpu_relax(void)
{
    machine_relax();
}
