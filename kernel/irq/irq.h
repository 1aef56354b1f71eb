// Interrupts: who handles which INTID, and what becomes of those that nobody asked for.
// An INTID without a handler is counted, named once in the log and masked. A handled line storms when it fires more
// than IRQ_STORM_LIMIT times within IRQ_STORM_WINDOW_NS (not a private one, which is the kernel's own), or
// IRQ_UNCLAIMED_LIMIT times in a row without its device having asked: it is masked, rests for a while that doubles with
// each storm, and is tried again. So the machine stays alive, and so does the device.
#pragma once

#include <hal/irq.h>

#include "kernel/base/types.h"

#define IRQ_STORM_LIMIT 20000u
#define IRQ_STORM_WINDOW_NS 100000000ull // 100 ms
#define IRQ_UNCLAIMED_LIMIT 1000u
#define IRQ_REST_NS 50000000ull // 50 ms, at first
#define IRQ_REST_DOUBLINGS 4u   // 800 ms, at last

// Interrupt context: must not sleep, allocate or panic. True: the device had asked.
typedef bool irq_handler(uint32_t intid, void *argument);

struct irq_line {
    bool handled;       // has a handler
    uint64_t count;     // arrivals
    uint32_t unhandled; // of them, nobody's
    bool masked;        // by us, as unexpected or storming
    uint32_t window_count;
    uint64_t window_start_ns;
    uint32_t unclaimed_row; // arrivals since the device last asked
    uint32_t storms;
    bool resting; // masked as storming: will be tried again
};

struct irq_statistics {
    uint64_t total, spurious; // claims that gave INTID_SPURIOUS or another special number
    uint64_t unexpected;      // without a handler
    uint64_t storms;          // lines masked for storming
};

// Any context. Private lines (below 32) are enabled on this CPU and where they were masked: see irq_enable_private().
// -EINVAL: no such line; -EBUSY: has a handler. Nothing changed then.
[[nodiscard]] int irq_register(uint32_t intid, irq_handler *handler, void *argument);
// The line must be quiet: a handler may still be running on another CPU. It stays enabled, so that what comes is seen.
[[nodiscard]] int irq_unregister(uint32_t intid); // -EINVAL: has no handler
void irq_enable_private(void); // each CPU, once irq_cpu_init() is done: enables the private lines there
// Once, on the boot CPU: enables the shared lines without a handler too, so that what arrives there is seen, named and
// masked rather than left pending unnoticed. irq_enable_private() does the same for private lines.
void irq_watch_all(void);
// Once, BOOT_SCHED: the thread that ends rests. -ENOMEM, -EAGAIN: storming lines then stay masked.
[[nodiscard]] int irq_start_rests(void);
// Any context: takes a line that was masked back into use, a private one on every CPU where it is.
[[nodiscard]] int irq_unmask(uint32_t intid); // -EINVAL: not masked

// Called first thing in every interrupt, in interrupt context; NULL: nothing is. For sweeps.
void irq_set_probe(void (*probe)(void));

struct irq_statistics irq_statistics(void);
struct irq_line irq_line(uint32_t intid); // a copy, of a private line the sum over the CPUs; intid < INTID_MAX
[[nodiscard]] const char *irq_check(void);
