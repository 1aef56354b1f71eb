// HAL: processors. Sources: Arm ARM D1 (exception model), PSCI 1.1 (DEN0022).
#pragma once

#include "kernel/base/types.h"

// What a CPU knows about itself. The kernel embeds it as the first member of its per-CPU structure.
struct cpu_local {
    unsigned id; // 0 to MAX_CPUS - 1, 0 boots
    void *flow;  // flow_local() of what runs there: the machine's
};

#include <machine/cpu.h> // cpu_local(), cpu_relax(), cpu_point(): inline

// struct cpu_local *cpu_local(void): of the running CPU. Interrupts off, or the answer may be another CPU's. Cannot
// fail. void cpu_relax(void): a hint in a spin loop. Any context. Simulated: a switch point; spinning for ever is a
// livelock finding. void cpu_point(void): nothing. Any context. Simulated: another CPU may come between here.

static inline unsigned cpu_self(void)
{
    return cpu_local()->id;
}

void cpu_set_local(struct cpu_local *local); // once per CPU, before anything else there

// Starts the CPU that firmware knows as hw_id (MPIDR affinity); it calls kernel_secondary_main(local) with interrupts
// off. Task context. -EINVAL, -EEXIST (already on), -EIO (firmware refused): the CPU then stays off.
[[nodiscard]] int cpu_start(struct cpu_local *local, uint64_t hw_id);
_Noreturn void cpu_stop(void); // this CPU, for good; any context
// For a report: every other CPU that still takes interrupts stands still, for good, when this returns. One that does
// not is waited for no longer than a second. Any context.
void cpu_stop_others(void);

// Waits until an interrupt is pending, without taking it. Interrupts off before and after.
// Simulated: idling while this CPU's run queue holds work is a finding.
void cpu_idle(void);

// What user space may use of this CPU, as AT_HWCAP and AT_HWCAP2 say it (Linux, asm/hwcap.h).
struct cpu_features {
    uint64_t hwcap, hwcap2;
};
struct cpu_features cpu_user_features(void);
const char *cpu_name(void); // for people: "cortex-a57", "simulated"
bool cpu_has_pan(void);     // Privileged Access Never is in force
