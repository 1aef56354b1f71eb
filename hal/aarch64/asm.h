// What the assembly files share. Offsets are checked against the C structures in context.c.
#pragma once

#define FRAME_X(n) (8 * (n))
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_ESR 272
#define FRAME_FAR 280
#define FRAME_RECORD 288 // {x29, x30} as a function would push them: backtraces cross the exception
#define FRAME_SIZE 304

// Where the image lies in RAM: far enough in that QEMU finds room before it for the device tree (1 MiB) when it loads the ELF.
#define IMAGE_OFFSET 0x200000

#define BOOT_STACK_SHIFT 14
#define BOOT_STACK_STRIDE ((1 << BOOT_STACK_SHIFT) + 4096) // a guard page below each
#define OVERFLOW_STACK_SIZE 4096

#define SPSR_EL1H_MASKED 0x3c5 // EL1h, DAIF set
// SCTLR_EL1 with the MMU off: RES1 bits of Armv8.0 (Arm ARM D19.2.118).
#define SCTLR_MMU_OFF 0x30d00800

#ifdef __ASSEMBLER__
.macro FUNCTION name
    .globl \name
    .type \name, %function
    .balign 16
\name:
.endm
.macro END name
    .size \name, . - \name
.endm
// Address of a symbol relative to here: right before and after the MMU goes on.
.macro adr_l reg, symbol
    adrp \reg, \symbol
    add \reg, \reg, :lo12:\symbol
.endm
#endif
