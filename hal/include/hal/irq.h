// HAL: interrupts. Source: Arm GIC architecture v3 (IHI 0069); numbers are INTIDs.
#pragma once

#include "kernel/base/types.h"

typedef uint64_t irqflags_t; // opaque

#include <machine/irq.h> // irq_save(), irq_restore(), irq_enabled(), irq_enable(), irq_disable(): inline

// irqflags_t irq_save(void): masks interrupts on this CPU. Any context.
// void irq_restore(irqflags_t): undoes the matching irq_save(). Simulated: pairs must nest; a switch point when it
// unmasks. bool irq_enabled(void): any context. void irq_enable(void): unmasks, for a flow that starts masked without
// an irq_save() of its own. A switch point. void irq_disable(void): masks again, likewise.

#define INTID_SPURIOUS 1023u // nothing was pending; must not be completed
#define INTID_SGI_COUNT 16u
#define INTID_SPI_FIRST 32u
#define INTID_MAX 1020u // 1020 to 1023 are special

// Where the interrupt controller is. From the device tree.
struct irq_chip_config {
    paddr_t distributor, redistributors;
    uint64_t distributor_size, redistributors_size;
};
[[nodiscard]] int irq_chip_init(const struct irq_chip_config *config); // boot CPU, once; -EINVAL, -ENODEV
[[nodiscard]] int irq_cpu_init(void);                                  // each CPU, after irq_chip_init(); -ENODEV
uint32_t irq_line_count(void);                                         // INTIDs below this are wired

// In the interrupt handler, interrupts off.
uint32_t irq_claim(void);          // the INTID to handle, or INTID_SPURIOUS
void irq_complete(uint32_t intid); // Simulated: completing what was not claimed is a finding

// Any context. intid < irq_line_count(). Private lines (below 32): of this CPU.
void irq_line_enable(uint32_t intid);
void irq_line_disable(uint32_t intid);
void irq_private_line_enable(unsigned cpu, uint32_t intid); // below 32, of that CPU, which has called irq_cpu_init()

// Raises SGI number sgi (0 to 15) on each CPU whose bit (by cpu_local.id) is set in mask. Any context.
void ipi_send(uint32_t mask, unsigned sgi);
