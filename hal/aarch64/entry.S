// From the loader to C. Physical addresses and no stack until the MMU is on.
// Sources: Linux Documentation/arch/arm64/booting.rst (image header, x0 = device tree); Arm ARM D1 (EL2 to EL1), D8 (MMU).
#include "asm.inc"

    .section .head, "ax"
    .globl image_header
image_header:
    b primary_entry
    .long 0
    .quad IMAGE_OFFSET              // text_offset
    .quad image_memory_size         // from kernel.ld: what the image needs with .bss and stacks
    .quad 0xa                       // little endian, 4 KiB pages, anywhere in memory
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

    .section .text.boot, "ax"

// Ends at EL1 with the MMU off, EL2 out of the way; w20 = level we came from. Uses x0, x1. Returns by eret.
FUNCTION drop_to_el1
    mrs x0, CurrentEL
    lsr x20, x0, #2
    cmp x20, #2
    b.eq 1f
    ldr x0, =SCTLR_MMU_OFF
    msr sctlr_el1, x0
    isb
    ret
    // HCR_EL2: RW: EL1 is AArch64; no stage 2, E2H off. APK, API: pointer authentication is not trapped, or an instruction
    // of EL0 (PACGA needs no key of SCTLR_EL1) would end at EL2, where nobody is.
1:  mov x0, #(1 << 31)
    orr x0, x0, #(3 << 40)
    msr hcr_el2, x0
    isb
    ldr x0, =SCTLR_MMU_OFF
    msr sctlr_el1, x0
    mov x0, #3                      // CNTHCTL_EL2: EL1 may use the physical counter and timer
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr            // virtual time is physical time
    mov x0, #0x33ff                 // CPTR_EL2: RES1 bits; no trap of FP
    msr cptr_el2, x0
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    mrs x0, id_aa64dfr0_el1         // MDCR_EL2.HPMN must name all event counters, or EL1 loses them
    ubfx x1, x0, #8, #4
    cbz x1, 2f
    mrs x0, pmcr_el0
    ubfx x1, x0, #11, #5
2:  msr mdcr_el2, x1
    // Fine-grained traps are of unknown value after a reset where they are implemented (Arm ARM D19.2.62 and following).
    // Bits that trap when they are 0 are set for what EL0 can reach: nACCDATA, nGCS_EL0, nTPIDR2_EL0, nPOR_EL0.
    mrs x0, id_aa64mmfr0_el1
    ubfx x0, x0, #56, #4            // FGT
    cbz x0, 5f
    mov x0, #(1 << 50)
    orr x0, x0, #(1 << 52)
    orr x0, x0, #(1 << 55)
    orr x0, x0, #(1 << 59)
    msr S3_4_C1_C1_4, x0            // HFGRTR_EL2
    msr S3_4_C1_C1_5, x0            // HFGWTR_EL2
    msr S3_4_C1_C1_6, xzr           // HFGITR_EL2
    msr S3_4_C3_C1_4, xzr           // HDFGRTR_EL2
    msr S3_4_C3_C1_5, xzr           // HDFGWTR_EL2
    mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #44, #4            // AMU
    cbz x0, 5f
    msr S3_4_C3_C1_6, xzr           // HAFGRTR_EL2
5:  mrs x0, id_aa64mmfr1_el1
    ubfx x0, x0, #40, #4            // HCX
    cbz x0, 6f
    msr S3_4_C1_C2_2, xzr           // HCRX_EL2
6:  mrs x0, id_aa64pfr0_el1         // GIC system registers present?
    ubfx x0, x0, #24, #4
    cbz x0, 3f
    mrs x0, S3_4_C12_C9_5           // ICC_SRE_EL2: SRE, and EL1 may set its own
    mov x1, #9
    orr x0, x0, x1
    msr S3_4_C12_C9_5, x0
    isb
    msr S3_4_C12_C11_0, xzr         // ICH_HCR_EL2: no virtual interrupts
3:  mov x0, #SPSR_EL1H_MASKED
    msr spsr_el2, x0
    msr elr_el2, x30
    eret
END drop_to_el1

// What EL0 and the debug and performance hardware may do is of unknown value after a reset (Arm ARM D19.2, D19.3, D19.5,
// D19.6): nothing. Uses x0.
FUNCTION reset_el1
    mov x0, #(1 << 12)              // MDSCR_EL1: TDCC, no access to the debug channel from EL0; no single step
    msr mdscr_el1, x0
    msr contextidr_el1, xzr
    msr tpidr_el0, xzr
    msr tpidrro_el0, xzr
    msr cntkctl_el1, xzr
    msr cntp_ctl_el0, xzr           // the timer that nobody uses
    msr cntv_ctl_el0, xzr
    mrs x0, id_aa64dfr0_el1
    sbfx x0, x0, #8, #4             // PMUVer: 0 or 15: none that follows the architecture
    cmp x0, #1
    b.lt 1f
    msr pmuserenr_el0, xzr
    msr pmcr_el0, xzr
    mov x0, #-1
    msr pmintenclr_el1, x0
1:  mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #44, #4            // AMU
    cbz x0, 2f
    msr S3_3_C13_C2_3, xzr          // AMUSERENR_EL0
2:  isb
    ret
END reset_el1

// x0: TTBR0 (identity), x1: TTBR1. Turns the MMU on; the caller runs from the identity map. Uses x2 to x4.
FUNCTION enable_mmu
    ldr x2, =0x04ff                 // MAIR: 0 Normal write-back, 1 Device-nGnRE (hal/mmu.h)
    msr mair_el1, x2
    ldr x2, =TCR_VALUE             // 48-bit halves, 4 KiB, inner shareable, write-back walks, 16-bit ASID, TBI0
    mrs x3, id_aa64mmfr0_el1        // TCR.IPS: what the CPU can, at most 48 bits
    and x3, x3, #0xf
    mov x4, #5
    cmp x3, x4
    csel x3, x3, x4, lo
    bfi x2, x3, #32, #3
    msr tcr_el1, x2
    msr ttbr0_el1, x0
    msr ttbr1_el1, x1
    mov x2, #(3 << 20)              // CPACR.FPEN: libfdt and EL0 use FP registers
    msr cpacr_el1, x2
    dsb ish
    tlbi vmalle1
    dsb ish
    isb
    // M, C, I, SA, SA0; EL0: UCT, UCI, DZE, nTWI, nTWE; WXN: what can be written can never be executed
    ldr x2, =(SCTLR_MMU_OFF | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 19 | 1 << 26)
    mrs x3, id_aa64mmfr1_el1        // PAN (Arm ARM D8.4.3): clear SPAN, so that every exception sets PSTATE.PAN
    ubfx x3, x3, #20, #4
    cbz x3, 1f
    bic x2, x2, #(1 << 23)
1:  msr sctlr_el1, x2
    isb
    ic iallu
    dsb nsh
    isb
    cbz x3, 2f
    .arch_extension pan
    msr pan, #1
2:  ret
END enable_mmu
    .set TCR_VALUE, (16 << 0) | (1 << 8) | (1 << 10) | (3 << 12) | (16 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30) | (1 << 36) | (1 << 37)

FUNCTION primary_entry
    mov x19, x0                     // device tree, or 0
    bl drop_to_el1
    msr daifset, #0xf
    bl reset_el1
    msr spsel, #1
    isb
    mrs x21, cntvct_el0             // time starts here: a reset does not reset the counter
    // .bss is not in the file. The MMU is off: stores only of naturally aligned size (Device memory).
    adr_l x0, bss_start
    adr_l x1, bss_end
1:  stp xzr, xzr, [x0], #16
    stp xzr, xzr, [x0], #16
    cmp x0, x1
    b.lo 1b
    adr_l x0, early_stack_top       // physical; C below runs from the identity range without relocations
    mov sp, x0
    mov x29, xzr
    adr_l x0, image_start
    bl early_tables                 // x0: image_start, physical; fills the tables
    adr_l x0, idmap_l0
    adr_l x1, kernel_l0
    bl enable_mmu
    ldr x9, =primary_upper
    br x9
END primary_entry

    .section .text, "ax"
primary_upper:
    ldr x0, =vectors
    msr vbar_el1, x0
    isb                             // no exception goes by the old one
    ldr x0, =boot_stacks + BOOT_STACK_STRIDE
    mov sp, x0
    mov x29, xzr
    mov x30, xzr
    mov x0, x19
    mov x1, x20
    mov x2, x21
    b start_primary

    .section .text.boot, "ax"
// PSCI CPU_ON comes here with x0 = the struct cpu_local, virtual.
FUNCTION secondary_entry
    mov x19, x0
    bl drop_to_el1
    msr daifset, #0xf
    bl reset_el1
    msr spsel, #1
    adr_l x0, idmap_l0
    adr_l x1, kernel_l0
    bl enable_mmu
    ldr x9, =secondary_upper
    br x9
END secondary_entry

    .section .text, "ax"
secondary_upper:
    ldr x0, =vectors
    msr vbar_el1, x0
    isb                             // no exception goes by the old one
    ldr w1, [x19]                   // cpu_local.id
    add x1, x1, #1
    ldr x0, =BOOT_STACK_STRIDE
    ldr x2, =boot_stacks
    madd x0, x0, x1, x2
    mov sp, x0
    mov x29, xzr
    mov x30, xzr
    mov x0, x19
    b start_secondary
