#include "kernel/sync/context.h"

#include "kernel/sched/thread.h"

#if FAULTLINE_CHECKS
void context_may_allocate(void)
{
    irqflags_t flags = irq_save();
    bool interrupt = this_cpu()->interrupt_depth > 0;
    irq_restore(flags);
    if (interrupt) {
        panic("memory asked for in an interrupt handler");
    }
}

void context_may_sleep(void)
{
    irqflags_t flags = irq_save();
    const struct cpu *cpu = this_cpu();
    bool interrupt = cpu->interrupt_depth > 0;
    uint32_t locks = cpu->lock_depth;
    irq_restore(flags);
    if (interrupt || locks > 0) {
        panic("something that may sleep was called %s", interrupt ? "in an interrupt handler" : "with a spinlock held");
    }
}
#endif
