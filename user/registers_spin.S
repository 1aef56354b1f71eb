// void registers_spin(const struct registers *in, struct registers *out, uint64_t spins)
    .text
    .globl registers_spin
    .type registers_spin, %function
registers_spin:
    stp x29, x30, [sp, #-96]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    mrs x28, tpidr_el0              // the caller's
    mov x29, x0
    ldp q0, q1, [x29], #32
    ldp q2, q3, [x29], #32
    ldp q4, q5, [x29], #32
    ldp q6, q7, [x29], #32
    ldp q8, q9, [x29], #32
    ldp q10, q11, [x29], #32
    ldp q12, q13, [x29], #32
    ldp q14, q15, [x29], #32
    ldp q16, q17, [x29], #32
    ldp q18, q19, [x29], #32
    ldp q20, q21, [x29], #32
    ldp q22, q23, [x29], #32
    ldp q24, q25, [x29], #32
    ldp q26, q27, [x29], #32
    ldp q28, q29, [x29], #32
    ldp q30, q31, [x29], #32
    ldr x4, [x29, #192]
    msr fpcr, x4
    ldr x4, [x29, #200]
    msr fpsr, x4
    ldr x4, [x29, #208]
    msr tpidr_el0, x4
    ldp x4, x5, [x29]
    ldp x6, x7, [x29, #16]
    ldp x8, x9, [x29, #32]
    ldp x10, x11, [x29, #48]
    ldp x12, x13, [x29, #64]
    ldp x14, x15, [x29, #80]
    ldp x16, x17, [x29, #96]
    ldp x18, x19, [x29, #112]
    ldp x20, x21, [x29, #128]
    ldp x22, x23, [x29, #144]
    ldp x24, x25, [x29, #160]
    ldp x26, x27, [x29, #176]
1:  subs x2, x2, #1
    b.ne 1b
    mov x29, x1
    stp q0, q1, [x29], #32
    stp q2, q3, [x29], #32
    stp q4, q5, [x29], #32
    stp q6, q7, [x29], #32
    stp q8, q9, [x29], #32
    stp q10, q11, [x29], #32
    stp q12, q13, [x29], #32
    stp q14, q15, [x29], #32
    stp q16, q17, [x29], #32
    stp q18, q19, [x29], #32
    stp q20, q21, [x29], #32
    stp q22, q23, [x29], #32
    stp q24, q25, [x29], #32
    stp q26, q27, [x29], #32
    stp q28, q29, [x29], #32
    stp q30, q31, [x29], #32
    stp x4, x5, [x29]
    stp x6, x7, [x29, #16]
    stp x8, x9, [x29, #32]
    stp x10, x11, [x29, #48]
    stp x12, x13, [x29, #64]
    stp x14, x15, [x29, #80]
    stp x16, x17, [x29, #96]
    stp x18, x19, [x29, #112]
    stp x20, x21, [x29, #128]
    stp x22, x23, [x29, #144]
    stp x24, x25, [x29, #160]
    stp x26, x27, [x29, #176]
    mrs x4, fpcr
    str x4, [x29, #192]
    mrs x4, fpsr
    str x4, [x29, #200]
    mrs x4, tpidr_el0
    str x4, [x29, #208]
    msr tpidr_el0, x28
    msr fpcr, xzr
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #96
    ret
    .size registers_spin, . - registers_spin
    .section .note.GNU-stack, "", %progbits
