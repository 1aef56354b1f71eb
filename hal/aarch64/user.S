// User memory through unprivileged loads and stores (Arm ARM C3.2.8): the MMU applies EL0's rights, with or without PAN.
// An entry of extable says where to go on when an instruction here faults: { instruction, continuation }, both relative.
#include "asm.inc"

.macro USER fixup, instruction:vararg
9999: \instruction
    .pushsection extable, "a"
    .balign 4
    .long 9999b - ., \fixup - .
    .popsection
.endm

    .section user_access_text, "ax"

// size_t user_copy_in(void *to, uaddr_t from, size_t size): by words, and where one faults on by bytes to the exact place.
FUNCTION user_copy_in
    mov x3, x2
1:  subs x3, x3, #32
    b.lo 2f
    USER 5f, ldtr x4, [x1]
    USER 5f, ldtr x5, [x1, #8]
    USER 5f, ldtr x6, [x1, #16]
    USER 5f, ldtr x7, [x1, #24]
    add x1, x1, #32
    stp x4, x5, [x0]
    stp x6, x7, [x0, #16]
    add x0, x0, #32
    b 1b
2:  add x3, x3, #32
3:  subs x3, x3, #8
    b.lo 4f
    USER 6f, ldtr x4, [x1]
    add x1, x1, #8
    str x4, [x0], #8
    b 3b
4:  add x3, x3, #8
    b 7f
5:  add x3, x3, #32
    b 7f
6:  add x3, x3, #8
7:  cbz x3, 8f
    USER 8f, ldtrb w4, [x1]
    add x1, x1, #1
    strb w4, [x0], #1
    sub x3, x3, #1
    b 7b
8:  sub x0, x2, x3
    ret
END user_copy_in

// size_t user_copy_out(uaddr_t to, const void *from, size_t size)
FUNCTION user_copy_out
    mov x3, x2
1:  subs x3, x3, #32
    b.lo 2f
    ldp x4, x5, [x1]
    ldp x6, x7, [x1, #16]
    USER 5f, sttr x4, [x0]
    USER 5f, sttr x5, [x0, #8]
    USER 5f, sttr x6, [x0, #16]
    USER 5f, sttr x7, [x0, #24]
    add x1, x1, #32
    add x0, x0, #32
    b 1b
2:  add x3, x3, #32
3:  subs x3, x3, #8
    b.lo 4f
    ldr x4, [x1]
    USER 6f, sttr x4, [x0]
    add x1, x1, #8
    add x0, x0, #8
    b 3b
4:  add x3, x3, #8
    b 7f
5:  add x3, x3, #32
    b 7f
6:  add x3, x3, #8
7:  cbz x3, 8f
    ldrb w4, [x1], #1
    USER 8f, sttrb w4, [x0]
    add x0, x0, #1
    sub x3, x3, #1
    b 7b
8:  sub x0, x2, x3
    ret
END user_copy_out

// int64_t user_copy_string(char *to, uaddr_t from, size_t limit)
FUNCTION user_copy_string
    mov x3, xzr
1:  cmp x3, x2
    b.hs 2f
    USER 3f, ldtrb w4, [x1]
    strb w4, [x0, x3]
    cbz w4, 2f
    add x1, x1, #1
    add x3, x3, #1
    b 1b
2:  mov x0, x3
    ret
3:  mov x0, #-14                    // -EFAULT
    ret
END user_copy_string

// int user_compare_exchange(uaddr_t word, uint32_t expected, uint32_t desired, uint32_t *seen)
// There is no unprivileged exclusive load: that EL0 may read is proven by LDTR (a fault there is the
// user's), then PAN is lifted around LDXR and STXR, which can still fault if another CPU unmaps the page.
FUNCTION user_compare_exchange
    USER 3f, ldtr w4, [x0]
    mrs x6, id_aa64mmfr1_el1
    ubfx x6, x6, #20, #4
    cbz x6, 1f
    .arch_extension pan
    msr pan, #0
1:  USER 2f, ldaxr w4, [x0]
    cmp w4, w1
    b.ne 4f
    USER 2f, stlxr w5, w2, [x0]
    cbnz w5, 1b
    mov w7, wzr
    b 5f
2:  mov w7, #-14                    // -EFAULT
    b 5f
4:  clrex
    mov w7, wzr
5:  cbz x6, 6f
    msr pan, #1
6:  cbnz w7, 7f
    str w4, [x3]
7:  mov w0, w7
    ret
3:  mov w0, #-14
    ret
END user_compare_exchange
