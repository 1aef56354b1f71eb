// The simulated machine: flows of execution are fibers.
#pragma once

struct machine_flow;

struct context {
    struct machine_flow *flow;
    uint32_t irq_depth;
    void *local;
};

struct user_regs {
    uint64_t x[31], sp, pc, pstate, tls;
};

struct fp_state {
    uint8_t bytes[528]; // as large as on the real machine
};

#include <hal/cpu.h>

static inline void *flow_local(void)
{
    return machine_local->flow;
}
