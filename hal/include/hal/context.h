// HAL: flows of execution: kernel contexts and the registers of user space. Source: AAPCS64 (IHI 0055).
#pragma once

#include "kernel/base/types.h"

#include <machine/context.h> // struct context, struct user_regs: complete types, fields private to the machine

// Prepares context so that the first switch to it calls entry(argument) on the stack [stack_top - stack_size,
// stack_top), where flow_local() is local. entry must not return. Cannot fail. Simulated: a stack in use by a live
// context is a finding.
void context_init(struct context *context, vaddr_t stack_top, size_t stack_size, void (*entry)(void *), void *argument,
                  void *local);
// The context will never run again; its stack may be reused. Not the running one.
void context_release(struct context *context);
// Saves this flow in from and continues to. Interrupts off. Returns when something switches back.
// Simulated: switching with a lock held is a finding.
void context_switch(struct context *from, struct context *to);

// void *flow_local(void), inline: what the running flow was given, or NULL; any context, on whatever CPU.
void flow_local_set(void *local); // the running flow's, which began without context_init(). Interrupts off

// User registers. Accessors work on a saved set; no locks, any context.
void user_regs_init(struct user_regs *regs, uaddr_t pc, uaddr_t sp);
uint64_t user_regs_syscall_number(const struct user_regs *regs);
uint64_t user_regs_argument(const struct user_regs *regs, unsigned index); // index < 6
const uint64_t *user_regs_arguments(const struct user_regs *regs); // all six; user_regs_set_result() changes the first
void user_regs_set_result(struct user_regs *regs, int64_t value);
uint64_t user_regs_pc(const struct user_regs *regs);
uint64_t user_regs_sp(const struct user_regs *regs);
// x0 to x30, sp, pc, pstate: the order of Linux's struct sigcontext.
#define USER_WORDS 34u
void user_regs_read(const struct user_regs *regs, uint64_t words[USER_WORDS]);
// The saved program status (Arm ARM C5.2.19, SPSR_EL1 from AArch64 state): what user space may have set by itself (the
// condition flags, TCO, DIT, SSBS, BTYPE) comes back as it was; what is reserved or not its own (PAN, UAO, SS, IL) is
// cleared; D, A, I, F and a level other than EL0 are refused.
#define PSTATE_USER 0xf3001c00ul
#define PSTATE_REFUSED 0x3dful
#define PSTATE_NOT_IN_HANDLERS 0x02000c00ul // TCO, BTYPE: a handler begins as any function does
// -EINVAL: a pstate that user space may not have. Nothing changed then.
[[nodiscard]] int user_regs_write(struct user_regs *regs, const uint64_t words[USER_WORDS]);
// The same, but at the start of a handler; it cannot fail, since the words are those of user_regs_read() but for
// general registers, sp and pc.
void user_regs_write_handler(struct user_regs *regs, const uint64_t words[USER_WORDS]);
// The system call that would be made again is over after all: goes on behind it, with that result.
void user_regs_skip_restart(struct user_regs *regs, int64_t result);
// Makes the system call again that regs came from; its first argument may be overwritten by a result already.
void user_regs_restart(struct user_regs *regs, uint64_t first_argument);
void user_regs_set_sp(struct user_regs *regs, uaddr_t sp);
// The thread register of user space (TPIDR_EL0) of the running flow; a switch keeps it.
uint64_t user_tls(void);
void user_tls_set(uint64_t value);

// Leaves the kernel on this stack for user space. The kernel comes back through kernel_syscall() and its fellows.
_Noreturn void user_enter(const struct user_regs *regs);
// Floating-point and SIMD registers, FPCR and FPSR: V0 to V31, then the two as 64-bit words. The kernel itself does not
// use them.
void fp_save(struct fp_state *state);
void fp_restore(const struct fp_state *state);
