// What the machine calls in the kernel. The machine provides the stack; each says whether interrupts are on.
#pragma once

#include <hal/context.h>
#include <hal/cpu.h>

#include "kernel/base/types.h"

// Boot CPU, once, MMU on, interrupts off. fdt: the flattened device tree, anywhere in RAM, readable, untrusted.
// image: physical extent of the kernel itself.
struct boot_info {
    paddr_t fdt;
    paddr_t image_start, image_end;
    unsigned exception_level; // that the machine started in: 1 or 2
};
_Noreturn void kernel_main(const struct boot_info *info);
_Noreturn void kernel_secondary_main(struct cpu_local *local); // other CPUs, interrupts off

// An interrupt is pending; interrupts off. from_user: it came into user space. May switch contexts before it returns.
void kernel_interrupt(bool from_user);
void kernel_syscall(struct user_regs *regs); // from user space; interrupts on
enum user_fault_kind {
    USER_FAULT_READ,
    USER_FAULT_WRITE,
    USER_FAULT_EXECUTE,
    USER_FAULT_UNDEFINED,
    USER_FAULT_ALIGNMENT, // of the stack pointer, the program counter or an access
    USER_FAULT_BREAKPOINT,
    USER_FAULT_OTHER,
};
void kernel_user_fault(struct user_regs *regs, enum user_fault_kind kind,
                       uint64_t address); // from user space; interrupts on
// The last thing before user space goes on, whatever brought us here; interrupts off, and off again on return. May
// sleep, and change the registers.
void kernel_user_return(struct user_regs *regs);
// True when the kernel made the page present and the access may be retried. From a user copy; interrupts on.
bool kernel_copy_fault(uint64_t address, bool write);
// The machine found a bug in the kernel (a fault of its own). Any context; pcs is where it happened, innermost first.
// details prints what else there is to say of subject, when the other CPUs stand still.
_Noreturn void panic_at(const uint64_t *pcs, size_t count, void (*details)(const void *subject), const void *subject,
                        const char *text, ...) __attribute__((format(printf, 5, 6)));
