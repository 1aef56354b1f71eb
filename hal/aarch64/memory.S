// memcpy and fellows for the compiler, for libfdt and for pages. Normal memory only: accesses may be unaligned.
#include "asm.inc"

    .section .text.memory, "ax"

// void *memcpy(void *to, const void *from, size_t size)
FUNCTION memcpy
    mov x3, x0
    cmp x2, #16
    b.lo 3f
    add x4, x1, x2                  // ends: the tail may overlap what is copied already
    add x5, x0, x2
    cmp x2, #64
    b.ls 2f
1:  ldp x6, x7, [x1]
    ldp x8, x9, [x1, #16]
    ldp x10, x11, [x1, #32]
    ldp x12, x13, [x1, #48]
    add x1, x1, #64
    stp x6, x7, [x3]
    stp x8, x9, [x3, #16]
    stp x10, x11, [x3, #32]
    stp x12, x13, [x3, #48]
    add x3, x3, #64
    sub x2, x2, #64
    cmp x2, #64
    b.hi 1b
2:  cmp x2, #16
    b.ls 21f
    ldp x6, x7, [x1], #16
    stp x6, x7, [x3], #16
    sub x2, x2, #16
    b 2b
21: ldp x6, x7, [x4, #-16]
    stp x6, x7, [x5, #-16]
    ret
3:  tbz x2, #3, 4f
    ldr x6, [x1], #8
    str x6, [x3], #8
4:  tbz x2, #2, 5f
    ldr w6, [x1], #4
    str w6, [x3], #4
5:  tbz x2, #1, 6f
    ldrh w6, [x1], #2
    strh w6, [x3], #2
6:  tbz x2, #0, 7f
    ldrb w6, [x1]
    strb w6, [x3]
7:  ret
END memcpy

// void *memmove(void *to, const void *from, size_t size)
FUNCTION memmove
    sub x3, x0, x1
    sub x4, x1, x0
    cmp x3, x2
    ccmp x4, x2, #0, hs
    b.hs memcpy                     // no overlap
    cmp x0, x1
    b.hi 3f
    mov x3, x0                      // forward, each block loaded before it is stored
1:  subs x2, x2, #16
    b.lo 2f
    ldp x6, x7, [x1], #16
    stp x6, x7, [x3], #16
    b 1b
2:  adds x2, x2, #16
    b.eq 6f
21: ldrb w6, [x1], #1
    strb w6, [x3], #1
    subs x2, x2, #1
    b.ne 21b
    ret
3:  add x3, x0, x2                  // backward
    add x4, x1, x2
4:  subs x2, x2, #16
    b.lo 5f
    ldp x6, x7, [x4, #-16]!
    stp x6, x7, [x3, #-16]!
    b 4b
5:  adds x2, x2, #16
    b.eq 6f
51: ldrb w6, [x4, #-1]!
    strb w6, [x3, #-1]!
    subs x2, x2, #1
    b.ne 51b
6:  ret
END memmove

// void *memset(void *to, int byte, size_t size)
FUNCTION memset
    mov x3, x0
    and w1, w1, #0xff
    cmp x2, #16
    b.lo 5f
    mov x4, #0x0101010101010101
    mul x4, x4, x1
    add x5, x0, x2
    cmp x2, #256
    ccmp w1, #0, #0, hs
    b.eq 3f                         // large and zero: whole cache lines
1:  cmp x2, #16
    b.ls 2f
    stp x4, x4, [x3], #16
    sub x2, x2, #16
    b 1b
2:  stp x4, x4, [x5, #-16]
    ret
3:  mrs x6, dczid_el0
    cmp w6, #4                      // 64-byte blocks, allowed
    b.ne 1b
    stp xzr, xzr, [x3]
    stp xzr, xzr, [x3, #16]
    stp xzr, xzr, [x3, #32]
    stp xzr, xzr, [x3, #48]
    add x3, x3, #64
    bic x3, x3, #63
    bic x6, x5, #63
4:  dc zva, x3
    add x3, x3, #64
    cmp x3, x6
    b.lo 4b
    sub x2, x5, x3
    cbnz x2, 41f
    ret
41: cmp x2, #16
    b.hs 1b
    stp x4, x4, [x5, #-16]
    ret
5:  cbz x2, 6f
    strb w1, [x3], #1
    sub x2, x2, #1
    b 5b
6:  ret
END memset

FUNCTION page_zero
    mrs x1, dczid_el0
    add x2, x0, #4096
    cmp w1, #4
    b.ne 2f
1:  dc zva, x0
    add x0, x0, #64
    dc zva, x0
    add x0, x0, #64
    cmp x0, x2
    b.lo 1b
    ret
2:  stp xzr, xzr, [x0], #16
    stp xzr, xzr, [x0], #16
    cmp x0, x2
    b.lo 2b
    ret
END page_zero

FUNCTION page_copy
    mov x2, #4096
    b memcpy
END page_copy
