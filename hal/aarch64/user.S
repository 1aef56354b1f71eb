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

// Large copies go page by page: what EL0 may do there is asked once, by an unprivileged access to the first byte; the
// rest of the page moves in pairs of registers, which have no unprivileged form, with PAN lifted meanwhile. All bytes of
// a page have the same rights; when they change on the way, an access faults, or was in time. After a fault that stays
// one the copy goes on by single bytes, to the exact place.
.set BULK, 128

.macro PAN value
    cbz x16, 9998f
    .arch_extension pan
    msr pan, #\value
9998:
.endm

.macro LOAD_PAIR user, a, b, offset
    .if \user
    USER 7f, ldp \a, \b, [x1, #\offset]
    .else
    ldp \a, \b, [x1, #\offset]
    .endif
.endm
.macro STORE_PAIR user, a, b, offset
    .if \user
    USER 7f, stp \a, \b, [x0, #\offset]
    .else
    stp \a, \b, [x0, #\offset]
    .endif
.endm
.macro MOVE_PAIRS in, bytes
    .set offset, 0
    .rept \bytes / 32
    LOAD_PAIR \in, x4, x5, offset
    LOAD_PAIR \in, x6, x7, offset + 16
    STORE_PAIR !\in, x4, x5, offset
    STORE_PAIR !\in, x6, x7, offset + 16
    .set offset, offset + 32
    .endr
.endm
.macro MOVE_BYTE in, fixup
    .if \in
    USER \fixup, ldtrb w4, [x1]
    strb w4, [x0]
    .else
    ldrb w4, [x1]
    USER \fixup, sttrb w4, [x0]
    .endif
.endm

// in 1: from user space to the kernel, 0: the other way. x0 to, x1 from, x2 bytes; x3 what is left.
.macro COPY in
    mov x3, x2
    cmp x2, #BULK
    b.lo 4f
    mrs x16, id_aa64mmfr1_el1
    ubfx x16, x16, #20, #4
    add x17, x1, x2                 // the end
1:  .if \in
    and x9, x1, #4095
    .else
    and x9, x0, #4095
    .endif
    mov x8, #4096                   // x8: of this page
    sub x8, x8, x9
    cmp x8, x3
    csel x8, x8, x3, lo
    MOVE_BYTE \in, 9f
    PAN 0
    subs x8, x8, #256
    b.lo 3f
2:  MOVE_PAIRS \in, 256
    add x0, x0, #256
    add x1, x1, #256
    subs x8, x8, #256
    b.hs 2b
3:  adds x8, x8, #256 - 32
    b.mi 31f
30: MOVE_PAIRS \in, 32
    add x0, x0, #32
    add x1, x1, #32
    subs x8, x8, #32
    b.hs 30b
31: PAN 1
    adds x8, x8, #32
    b.eq 33f
32: MOVE_BYTE \in, 8f               // up to the end of the page
    add x0, x0, #1
    add x1, x1, #1
    subs x8, x8, #1
    b.ne 32b
33: sub x3, x17, x1
    cmp x3, #BULK
    b.hs 1b
4:  subs x3, x3, #8                 // small, or what the pages left over
    b.lo 5f
    .if \in
    USER 5f, ldtr x4, [x1]
    str x4, [x0]
    .else
    ldr x4, [x1]
    USER 5f, sttr x4, [x0]
    .endif
    add x0, x0, #8
    add x1, x1, #8
    b 4b
5:  add x3, x3, #8
    b 9f
7:  PAN 1
8:  sub x3, x17, x1
9:  cbz x3, 10f
    MOVE_BYTE \in, 10f
    add x0, x0, #1
    add x1, x1, #1
    sub x3, x3, #1
    b 9b
10: sub x0, x2, x3
    ret
.endm

// size_t user_copy_in(void *to, uaddr_t from, size_t size)
FUNCTION user_copy_in
    COPY 1
END user_copy_in

// size_t user_copy_out(uaddr_t to, const void *from, size_t size)
FUNCTION user_copy_out
    COPY 0
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
// user's), then PAN is lifted around LDXR and STXR, which can still fault if another CPU unmaps the page. STXR may fail for
// as long as somebody else writes near by (Arm ARM B2.9.5): the caller, who has interrupts off, gets control back.
.set EXCLUSIVE_TRIES, 128

FUNCTION user_compare_exchange
    USER 3f, ldtr w4, [x0]
    mrs x6, id_aa64mmfr1_el1
    ubfx x6, x6, #20, #4
    cbz x6, 1f
    .arch_extension pan
    msr pan, #0
1:  mov w8, #EXCLUSIVE_TRIES
8:  USER 2f, ldaxr w4, [x0]
    cmp w4, w1
    b.ne 4f
    USER 2f, stlxr w5, w2, [x0]
    mov w7, wzr
    cbz w5, 5f
    sub w8, w8, #1
    cbnz w8, 8b
    mov w7, #-11                    // -EAGAIN
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
