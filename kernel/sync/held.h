// How long interrupts stay off for a spinlock or an interrupt's handlers, in the machine's time: with FAULTLINE_CHECKS,
// once somebody has set a limit. Under QEMU's -icount that is instructions, the same in each run. What is longer is
// kept, by who let go, or is the end. Any context.
#pragma once

#include "kernel/base/types.h"

struct held {
    const char *what; // the lock last let go, or "interrupt"
    uint64_t where;   // who let go: a pc
    uint64_t ns;
};

// 0: nothing is measured. What was kept is forgotten.
void held_set_limit(uint64_t ns, bool fatal);
// The longest of each place that exceeded the limit. How many.
#define HELD_PLACES 32u
unsigned held_places(struct held out[HELD_PLACES]);

struct cpu;
// Interrupts off: they have just become so; they are about to come on.
#if FAULTLINE_CHECKS
extern uint64_t held_limit; // atomic
void held_measure_begin(struct cpu *cpu);
void held_measure_end(struct cpu *cpu, const char *what, uint64_t where);
static inline bool held_is_measured(void)
{
    return unlikely(__atomic_load_n(&held_limit, __ATOMIC_RELAXED) != 0);
}
#else
static inline void held_measure_begin(struct cpu *cpu)
{
}
static inline void held_measure_end(struct cpu *cpu, const char *what, uint64_t where)
{
}
static inline bool held_is_measured(void)
{
    return false;
}
#endif
static inline void held_begin(struct cpu *cpu)
{
    if (held_is_measured()) {
        held_measure_begin(cpu);
    }
}
static inline void held_end(struct cpu *cpu, const char *what, uint64_t where)
{
    if (held_is_measured()) {
        held_measure_end(cpu, what, where);
    }
}
