// First instructions of a program. The kernel leaves sp at argc (System V ABI, AArch64 supplement), 16-byte aligned.
    .section .text._start, "ax"
    .globl _start
    .type _start, %function
_start:
    mov x29, xzr                    // backtraces end here
    mov x30, xzr
    mov x0, sp
    and x1, x0, #~15
    mov sp, x1
    b runtime_start
    .size _start, . - _start
    .section .note.GNU-stack, "", %progbits
