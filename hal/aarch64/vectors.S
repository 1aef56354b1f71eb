// Exception vectors (Arm ARM D1.3.1.5). Every exception saves every register as a struct frame at the end of the current
// kernel stack, links it into the chain of frame pointers, and calls C.
#include "asm.inc"

// x0 must be free to use: its value is at [sp, FRAME_X(0)] already.
.macro SAVE_REST level
    str x1, [sp, #FRAME_X(1)]
    stp x2, x3, [sp, #FRAME_X(2)]
    stp x4, x5, [sp, #FRAME_X(4)]
    stp x6, x7, [sp, #FRAME_X(6)]
    stp x8, x9, [sp, #FRAME_X(8)]
    stp x10, x11, [sp, #FRAME_X(10)]
    stp x12, x13, [sp, #FRAME_X(12)]
    stp x14, x15, [sp, #FRAME_X(14)]
    stp x16, x17, [sp, #FRAME_X(16)]
    stp x18, x19, [sp, #FRAME_X(18)]
    stp x20, x21, [sp, #FRAME_X(20)]
    stp x22, x23, [sp, #FRAME_X(22)]
    stp x24, x25, [sp, #FRAME_X(24)]
    stp x26, x27, [sp, #FRAME_X(26)]
    stp x28, x29, [sp, #FRAME_X(28)]
    .if \level == 0
    mrs x0, sp_el0
    mrs x1, tpidr_el1
    ldr x1, [x1, #CPU_LOCAL_FLOW]
    msr sp_el0, x1                  // flow_local()
    .else
    add x0, sp, #FRAME_SIZE
    .endif
    mrs x1, elr_el1
    mrs x2, spsr_el1
    stp x30, x0, [sp, #FRAME_X(30)]
    stp x1, x2, [sp, #FRAME_PC]
    .if \level == 0
    stp xzr, xzr, [sp, #FRAME_RECORD] // user space ends the chain
    .else
    stp x29, x1, [sp, #FRAME_RECORD]
    .endif
    add x29, sp, #FRAME_RECORD
.endm

.macro SAVE level
    sub sp, sp, #FRAME_SIZE
    str x0, [sp, #FRAME_X(0)]
    SAVE_REST \level
.endm

.macro SAVE_SYNDROME
    mrs x0, esr_el1
    mrs x1, far_el1
    stp x0, x1, [sp, #FRAME_ESR]
.endm

.macro RESTORE level
    msr daifset, #0xf
    ldp x21, x22, [sp, #FRAME_PC]
    msr elr_el1, x21
    msr spsr_el1, x22
    ldp x30, x23, [sp, #FRAME_X(30)]
    .if \level == 0
    msr sp_el0, x23
    .endif
    ldp x0, x1, [sp, #FRAME_X(0)]
    ldp x2, x3, [sp, #FRAME_X(2)]
    ldp x4, x5, [sp, #FRAME_X(4)]
    ldp x6, x7, [sp, #FRAME_X(6)]
    ldp x8, x9, [sp, #FRAME_X(8)]
    ldp x10, x11, [sp, #FRAME_X(10)]
    ldp x12, x13, [sp, #FRAME_X(12)]
    ldp x14, x15, [sp, #FRAME_X(14)]
    ldp x16, x17, [sp, #FRAME_X(16)]
    ldp x18, x19, [sp, #FRAME_X(18)]
    ldp x20, x21, [sp, #FRAME_X(20)]
    ldp x22, x23, [sp, #FRAME_X(22)]
    ldp x24, x25, [sp, #FRAME_X(24)]
    ldp x26, x27, [sp, #FRAME_X(26)]
    ldp x28, x29, [sp, #FRAME_X(28)]
    add sp, sp, #FRAME_SIZE
    eret
.endm

.macro VECTOR target
    .balign 128
    b \target
.endm

    .section .vectors, "ax"
    .balign 2048
    .globl vectors
vectors:
    VECTOR kernel_sp0               // EL1t: the kernel never runs on SP_EL0
    VECTOR kernel_sp0
    VECTOR kernel_sp0
    VECTOR kernel_sp0
    VECTOR kernel_sync              // EL1h
    VECTOR kernel_irq
    VECTOR kernel_irq               // FIQ: nothing is routed so; what comes anyway is claimed and counted like an IRQ
    VECTOR kernel_serror
    VECTOR user_sync                // EL0, AArch64
    VECTOR user_irq
    VECTOR user_irq
    VECTOR user_serror
    VECTOR user_aarch32             // EL0, AArch32: user space cannot get there
    VECTOR user_aarch32
    VECTOR user_aarch32
    VECTOR user_aarch32

    .section .text, "ax"
// A fault may be the stack itself running over into its guard, or out of alignment: look, and ask the MMU, before storing.
// TPIDRRO_EL0, which is otherwise 0, holds x0 meanwhile.
FUNCTION kernel_sync
    msr tpidrro_el0, x0
    sub x0, sp, #FRAME_SIZE
    tst x0, #15
    b.ne stack_overflow
    at s1e1w, x0
    isb
    mrs x0, par_el1
    tbnz w0, #0, stack_overflow
    mrs x0, tpidrro_el0
    msr tpidrro_el0, xzr
    SAVE 1
    SAVE_SYNDROME
    mov x0, sp
    bl exception_kernel
    RESTORE 1
END kernel_sync

// No way back: TPIDR_EL0 may be lost.
FUNCTION stack_overflow
    msr tpidr_el0, x1
    mrs x0, tpidr_el1
    ldr w0, [x0]                    // cpu_local.id
    ldr x1, =overflow_stacks + OVERFLOW_STACK_SIZE - FRAME_SIZE
    add x1, x1, x0, lsl #OVERFLOW_STACK_SHIFT
    mov x0, sp
    mov sp, x1
    str x0, [sp, #FRAME_FAR]        // for a moment: the stack pointer that ran over
    mrs x0, tpidrro_el0
    mrs x1, tpidr_el0
    str x0, [sp, #FRAME_X(0)]
    SAVE_REST 1
    ldr x0, [sp, #FRAME_FAR]
    str x0, [sp, #FRAME_SP]
    SAVE_SYNDROME
    mov x0, sp
    bl exception_stack_overflow
    brk #1
END stack_overflow

FUNCTION kernel_irq
    SAVE 1
    mov w0, #0
    bl kernel_interrupt
    RESTORE 1
END kernel_irq

FUNCTION kernel_serror
    SAVE 1
    SAVE_SYNDROME
    mov x0, sp
    bl exception_serror
    RESTORE 1
END kernel_serror

FUNCTION kernel_sp0
    msr spsel, #1
    SAVE 1
    SAVE_SYNDROME
    mov x0, sp
    bl exception_sp0
    brk #1
END kernel_sp0

FUNCTION user_sync
    SAVE 0
    SAVE_SYNDROME
    lsr w1, w0, #26
    mov x0, sp
    cmp w1, #0x15                   // SVC from AArch64
    b.ne 1f
    msr daifclr, #7
    bl kernel_syscall
    b user_return
1:  bl exception_user
    b user_return
END user_sync

FUNCTION user_irq
    SAVE 0
    mov w0, #1
    bl kernel_interrupt
    b user_return
END user_irq

FUNCTION user_serror
    SAVE 0
    SAVE_SYNDROME
    mov x0, sp
    bl exception_serror
    b user_return
END user_serror

FUNCTION user_aarch32
    SAVE 0
    SAVE_SYNDROME
    mov x0, sp
    bl exception_aarch32
    brk #1
END user_aarch32

FUNCTION user_return
    msr daifset, #3
    mov x0, sp
    bl kernel_user_return
    RESTORE 0
END user_return

// void user_enter(const struct user_regs *regs)
FUNCTION user_enter
    msr daifset, #0xf
    mov x9, x0
    ldp x1, x2, [x9, #FRAME_PC]
    msr elr_el1, x1
    msr spsr_el1, x2
    ldp x30, x1, [x9, #FRAME_X(30)]
    msr sp_el0, x1
    ldp x0, x1, [x9, #FRAME_X(0)]
    ldp x2, x3, [x9, #FRAME_X(2)]
    ldp x4, x5, [x9, #FRAME_X(4)]
    ldp x6, x7, [x9, #FRAME_X(6)]
    ldp x10, x11, [x9, #FRAME_X(10)]
    ldp x12, x13, [x9, #FRAME_X(12)]
    ldp x14, x15, [x9, #FRAME_X(14)]
    ldp x16, x17, [x9, #FRAME_X(16)]
    ldp x18, x19, [x9, #FRAME_X(18)]
    ldp x20, x21, [x9, #FRAME_X(20)]
    ldp x22, x23, [x9, #FRAME_X(22)]
    ldp x24, x25, [x9, #FRAME_X(24)]
    ldp x26, x27, [x9, #FRAME_X(26)]
    ldp x28, x29, [x9, #FRAME_X(28)]
    ldp x8, x9, [x9, #FRAME_X(8)]
    eret
END user_enter

    .section .stacks, "aw", %nobits
    .balign 4096
    .globl boot_stacks, overflow_stacks, early_stack_top
boot_stacks:                        // per CPU: a guard page, then the stack
    .space 8 * BOOT_STACK_STRIDE
overflow_stacks:
    .space 8 * OVERFLOW_STACK_SIZE
    .set early_stack_top, boot_stacks + BOOT_STACK_STRIDE
