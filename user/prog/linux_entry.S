// The machine's side of the interpreter in assembly, on Linux on x86-64 (user/prog/flat.h says what each is).
    .macro function name
    .section .text.\name, "ax"
    .globl \name
    .type \name, %function
\name:
    .endm

function _start
    xor %ebp, %ebp
    mov %rsp, %rdi                          // argc, then the arguments
    and $-16, %rsp
    call linux_start
    hlt

function linux_call                         // (number, a, b, c, d, e, f)
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret

function flat_clone                         // (flags, stack, parent_tid, tls, child_tid)
    xchg %rcx, %r8                          // here the thread's area comes last
    mov %rcx, %r10
    mov $56, %eax
    syscall
    test %rax, %rax
    jz flat_child
    ret
    .globl flat_child
flat_child:
    xor %ebp, %ebp
    mov %rsp, %rdi
    call prog_child
    hlt

function flat_clone3                        // (arguments, size)
    mov $435, %eax
    syscall
    test %rax, %rax
    jz flat_child
    ret

function flat_handler                       // (signal, ..); the frame is at the stack pointer
    mov %rsp, %rsi
    sub $8, %rsp
    call flat_entered
    add $8, %rsp
    ret

function flat_restorer
    mov $15, %eax                           // rt_sigreturn
    syscall
    hlt

    .section .text.flat_access, "ax"
    .globl flat_access_start, flat_access_end, flat_access_out, flat_load, flat_store, flat_add
flat_access_start:
flat_load:                                  // (address, size)
    cmp $4, %esi
    je 4f
    ja 8f
    cmp $2, %esi
    je 2f
    movzbl (%rdi), %eax
    ret
2:  movzwl (%rdi), %eax
    ret
4:  movl (%rdi), %eax
    ret
8:  movq (%rdi), %rax
    ret
flat_store:                                 // (address, value, size)
    cmp $4, %edx
    je 4f
    ja 8f
    cmp $2, %edx
    je 2f
    movb %sil, (%rdi)
    ret
2:  movw %si, (%rdi)
    ret
4:  movl %esi, (%rdi)
    ret
8:  movq %rsi, (%rdi)
    ret
flat_add:                                   // (address, value)
    mov %esi, %eax
    lock xadd %eax, (%rdi)
    ret
flat_access_end:
flat_access_out:
    ret

function memcpy
    mov %rdi, %rax
    mov %rdx, %rcx
    rep movsb
    ret
function memset
    mov %rdi, %r8
    mov %esi, %eax
    mov %rdx, %rcx
    rep stosb
    mov %r8, %rax
    ret
function memcmp
    xor %eax, %eax
    mov %rdx, %rcx
    cmp %rcx, %rcx
    repe cmpsb
    je 1f
    movzbl -1(%rdi), %eax
    movzbl -1(%rsi), %ecx
    sub %ecx, %eax
1:  ret
function memmove
    mov %rdi, %rax
    mov %rdx, %rcx
    mov %rdi, %r8
    sub %rsi, %r8
    cmp %rdx, %r8
    jb 1f
    rep movsb
    ret
1:  lea -1(%rdi, %rdx), %rdi
    lea -1(%rsi, %rdx), %rsi
    std
    rep movsb
    cld
    ret

    .section .rodata.flat_image, "a"
    .globl flat_image
    .balign 8
flat_image:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1
    .org flat_image + 16
    .2byte 2, 62                            // executable, machine
    .4byte 1
    .8byte 0x400100, 64, 0                  // entry, program headers
    .4byte 0
    .2byte 64, 56, 1, 0, 0, 0
    .4byte 1, 5                             // one segment, read and execute
    .8byte 0, 0x400000, 0x400000, 4096, 4096, 4096
    .org flat_image + 0x100
    mov $42, %edi
    mov $231, %eax                          // exit_group
    syscall
    .org flat_image + 4096
    .section .note.GNU-stack, "", %progbits
