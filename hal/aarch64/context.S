// Switching between flows. Offsets are those of struct context, checked in context.c.
#include "asm.inc"

    .section .text, "ax"

// void context_switch(struct context *from, struct context *to)
FUNCTION context_switch
    mrs x9, tpidr_el0
    mrs x11, sp_el0
    mrs x12, tpidr_el1
    mov x10, sp
    stp x19, x20, [x0, #0]
    stp x21, x22, [x0, #16]
    stp x23, x24, [x0, #32]
    stp x25, x26, [x0, #48]
    stp x27, x28, [x0, #64]
    stp x29, x30, [x0, #80]
    stp x10, x9, [x0, #96]
    str x11, [x0, #112]
    ldr x11, [x1, #112]
    ldp x10, x9, [x1, #96]
    ldp x19, x20, [x1, #0]
    ldp x21, x22, [x1, #16]
    ldp x23, x24, [x1, #32]
    ldp x25, x26, [x1, #48]
    ldp x27, x28, [x1, #64]
    ldp x29, x30, [x1, #80]
    mov sp, x10
    msr tpidr_el0, x9
    msr sp_el0, x11
    dsb ish                         // cache maintenance that EL0 began here is done, wherever it goes on (Arm ARM B2.7.4)
    str x11, [x12, #CPU_LOCAL_FLOW]
    ret
END context_switch

// First code of every context: x19 = entry, x20 = argument. x30 is 0 so that a backtrace ends here.
FUNCTION context_start
    mov x0, x20
    mov x29, xzr
    mov x30, xzr
    blr x19
    brk #2                          // entry must not return
END context_start

FUNCTION fp_save
    stp q0, q1, [x0, #0]
    stp q2, q3, [x0, #32]
    stp q4, q5, [x0, #64]
    stp q6, q7, [x0, #96]
    stp q8, q9, [x0, #128]
    stp q10, q11, [x0, #160]
    stp q12, q13, [x0, #192]
    stp q14, q15, [x0, #224]
    stp q16, q17, [x0, #256]
    stp q18, q19, [x0, #288]
    stp q20, q21, [x0, #320]
    stp q22, q23, [x0, #352]
    stp q24, q25, [x0, #384]
    stp q26, q27, [x0, #416]
    stp q28, q29, [x0, #448]
    stp q30, q31, [x0, #480]
    mrs x1, fpcr
    mrs x2, fpsr
    add x0, x0, #512
    stp x1, x2, [x0]
    ret
END fp_save

FUNCTION fp_restore
    ldp q0, q1, [x0, #0]
    ldp q2, q3, [x0, #32]
    ldp q4, q5, [x0, #64]
    ldp q6, q7, [x0, #96]
    ldp q8, q9, [x0, #128]
    ldp q10, q11, [x0, #160]
    ldp q12, q13, [x0, #192]
    ldp q14, q15, [x0, #224]
    ldp q16, q17, [x0, #256]
    ldp q18, q19, [x0, #288]
    ldp q20, q21, [x0, #320]
    ldp q22, q23, [x0, #352]
    ldp q24, q25, [x0, #384]
    ldp q26, q27, [x0, #416]
    ldp q28, q29, [x0, #448]
    ldp q30, q31, [x0, #480]
    add x0, x0, #512
    ldp x1, x2, [x0]
    msr fpcr, x1
    msr fpsr, x2
    ret
END fp_restore
