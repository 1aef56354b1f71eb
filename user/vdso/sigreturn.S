// Where signal handlers return to. Unwinders know the frame of a signal by these two instructions.
    .text
    .balign 16
    nop                             // unwinders look one instruction in front of the address they return to
    .globl __kernel_rt_sigreturn
    .type __kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
    mov x8, #139
    svc #0
    .size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

    .section .note.GNU-stack, "", %progbits
