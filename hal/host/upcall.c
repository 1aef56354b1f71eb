// What the kernel offers the machine; a program that links only parts of the kernel falls back on these.
#include "hal/host/internal.h"

#include <hal/upcall.h>

#define FALLBACK __attribute__((weak))

FALLBACK void kernel_secondary_main(struct cpu_local *local)
{
    cpu_set_local(local);
    cpu_stop();
}

FALLBACK void kernel_interrupt(void)
{
    for (uint32_t intid = irq_claim(); intid != INTID_SPURIOUS; intid = irq_claim()) {
        irq_complete(intid);
    }
}

FALLBACK void kernel_syscall(struct user_regs *regs)
{
    user_regs_set_result(regs, -ENOSYS);
}

FALLBACK bool kernel_copy_fault(uint64_t address, bool write)
{
    return false;
}
