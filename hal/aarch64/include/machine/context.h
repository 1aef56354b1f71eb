// AArch64: saved registers. The offsets are known to context.S and vectors.S, and checked in context.c.
#pragma once

// What a function call may not destroy (AAPCS64 6.1.1), and the thread register of EL0.
struct context {
    uint64_t x19_to_x28[10];
    uint64_t fp, lr, sp;
    uint64_t tls;
    void *local;
};

// Everything that EL0 can see but the FP registers. The vectors build it at the end of the kernel stack.
struct user_regs {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
};

struct fp_state {
    uint8_t v[32][16];
    uint64_t fpcr, fpsr;
} __attribute__((aligned(16)));

// SP_EL0 is free for the kernel while it runs: the vectors save what user space had there, and load this.
static inline void *flow_local(void)
{
    void *local;
    asm("mrs %0, sp_el0" : "=r"(local)); // not volatile: a flow's never changes
    return local;
}
