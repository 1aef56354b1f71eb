// HAL: end of the machine. Any context. Source: PSCI 1.1 SYSTEM_OFF, SYSTEM_RESET.
#pragma once

#include "kernel/base/types.h"

// status: 0 all well. The real machine cannot pass it on; the simulated one ends the run with it.
_Noreturn void power_off(int status);
_Noreturn void power_reset(void);
// The kernel has found a bug in itself, the report is printed and the others are stopped (cpu_stop_others()): this CPU
// stands still too, registers and all.
_Noreturn void power_halt_on_bug(void);
