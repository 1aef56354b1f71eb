// sys_NAME for every line of syscalls.def: arguments as in C, the kernel's answer (negative: -errno) as result.
#define SYSCALL(number, name, ...)                                                                                     \
    .section .text.sys_##name, "ax"; .globl sys_##name; .type sys_##name, %function; sys_##name: mov x8, number;       \
    svc 0; ret; .size sys_##name, . - sys_##name;
#include "kernel/syscall/syscalls.def"
    .section .note.GNU-stack, "", %progbits
