// AArch64: per-CPU base. TPIDR_EL1 is ours alone (Arm ARM D19.2.139): EL0 cannot see it.
#pragma once

static inline struct cpu_local *cpu_local(void)
{
    struct cpu_local *local;
    asm volatile("mrs %0, tpidr_el1" : "=r"(local)); // volatile: a thread may have moved since the last read
    return local;
}

static inline void cpu_point(void)
{
}

static inline void cpu_relax(void)
{
    asm volatile("yield" ::: "memory");
}
