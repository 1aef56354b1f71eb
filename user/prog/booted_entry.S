// The machine's side of the interpreter in assembly, on AArch64 (user/prog/flat.h says what each is).
    .macro function name
    .section .text.\name, "ax"
    .globl \name
    .type \name, %function
\name:
    .endm

function flat_call_raw                      // (number, arguments)
    mov x8, x0
    mov x9, x1
    ldp x0, x1, [x9]
    ldp x2, x3, [x9, #16]
    ldp x4, x5, [x9, #32]
    svc #0
    ret

function flat_clone                         // (flags, stack, parent_tid, tls, child_tid)
    mov x8, #220
    svc #0
    cbz x0, flat_child
    ret
flat_child:
    mov x29, xzr
    mov x30, xzr
    mov x0, sp
    b prog_child

function flat_clone3                        // (arguments, size)
    mov x8, #435
    svc #0
    cbz x0, 1f
    ret
1:  b flat_child

function flat_handler                       // (signal); the frame is at sp
    mov x1, sp
    b flat_entered

function flat_restorer
    mov x8, #139                            // rt_sigreturn
    svc #0

    .section .text.flat_access, "ax"
    .globl flat_access_start, flat_access_end, flat_access_out, flat_load, flat_store, flat_add
flat_access_start:
flat_load:                                  // (address, size)
    cmp w1, #4
    b.eq 4f
    b.hi 8f
    cmp w1, #2
    b.eq 2f
    ldrb w0, [x0]
    ret
2:  ldrh w0, [x0]
    ret
4:  ldr w0, [x0]
    ret
8:  ldr x0, [x0]
    ret
flat_store:                                 // (address, value, size)
    cmp w2, #4
    b.eq 4f
    b.hi 8f
    cmp w2, #2
    b.eq 2f
    strb w1, [x0]
    ret
2:  strh w1, [x0]
    ret
4:  str w1, [x0]
    ret
8:  str x1, [x0]
    ret
flat_add:                                   // (address, value)
    ldaxr w2, [x0]
    add w3, w2, w1
    stlxr w4, w3, [x0]
    cbnz w4, flat_add
    mov w0, w2
    ret
flat_access_end:
flat_access_out:
    ret

    .section .rodata.flat_image, "a"
    .globl flat_image
    .balign 8
flat_image:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1
    .org flat_image + 16
    .2byte 2, 183                            // executable, machine
    .4byte 1
    .8byte 0x400100, 64, 0                  // entry, program headers
    .4byte 0
    .2byte 64, 56, 1, 0, 0, 0
    .4byte 1, 5                             // one segment, read and execute
    .8byte 0, 0x400000, 0x400000, 4096, 4096, 4096
    .org flat_image + 0x100
    mov x0, #42
    mov x8, #94                             // exit_group
    svc #0
    .org flat_image + 4096
    .section .note.GNU-stack, "", %progbits
