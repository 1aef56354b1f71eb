// Tells the fault engine who is asking.
#include <fault/fault.h>
#include <hal/irq.h>

#include "kernel/sched/thread.h"

struct fault_context fault_current_context(void)
{
    irqflags_t flags = irq_save();
    const struct cpu *cpu = this_cpu();
    const struct thread *thread = cpu->queue.current;
    struct fault_context context = {.task = thread != NULL ? thread->id : 0, .interrupt = cpu->interrupt_depth > 0};
    irq_restore(flags);
    return context;
}
