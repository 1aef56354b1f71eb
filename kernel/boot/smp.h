// The other CPUs.
#pragma once

#include "kernel/drivers/fdt.h"

// Task context, interrupts on. Starts every described CPU and waits until each is online. A CPU that does not come is
// named in the log and left off: the machine runs without it. Returns how many run.
unsigned smp_start(const struct machine_description *machine);
