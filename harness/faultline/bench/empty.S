// The emptiest kernel: says the line that a booted kernel says, and sleeps. Boot time is measured against it.
    .section .text
    .globl _start
_start:
    b       1f                      // the arm64 Image header, so that QEMU loads it the way it loads the real one
    .long   0
    .quad   0x80000                 // load offset
    .quad   _end - _start
    .quad   0xa                     // little endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0
1:  adr     x1, message
    movz    x2, #0x0900, lsl #16    // PL011 of the virt machine
2:  ldrb    w3, [x1], #1
    cbz     w3, 3f
    str     w3, [x2]
    b       2b
3:  wfi
    b       3b
message:
    .asciz  MESSAGE
    .balign 8
_end:
