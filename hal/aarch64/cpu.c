// The running processor.
#include <hal/cpu.h>
#include <hal/entropy.h>

#include "internal.h"

#include <hal/timer.h>

void cpu_set_local(struct cpu_local *local)
{
    write_sysreg(tpidr_el1, local);
}

void cpu_idle(void)
{
    dsb(sy); // WFI may not overtake what we wrote (Arm ARM D1.6.2)
    asm volatile("wfi" ::: "memory");
}

// Arm ARM D19.2: a field of an identification register, the least value that means yes, and the bit of AT_HWCAP or,
// from 64 on, AT_HWCAP2. What the kernel does not switch or enable is not there: SVE, pointer authentication, tagging,
// DIT.
struct feature {
    uint8_t source, shift, least, bit;
};
enum { PFR0, ISAR0, ISAR1, MMFR2 };
static const struct feature features[] = {
    {ISAR0, 4, 1, 3},   // AES
    {ISAR0, 4, 2, 4},   // PMULL
    {ISAR0, 8, 1, 5},   // SHA1
    {ISAR0, 12, 1, 6},  // SHA2
    {ISAR0, 16, 1, 7},  // CRC32
    {ISAR0, 20, 2, 8},  // ATOMICS
    {ISAR0, 28, 1, 12}, // ASIMDRDM
    {ISAR1, 12, 1, 13}, // JSCVT
    {ISAR1, 16, 1, 14}, // FCMA
    {ISAR1, 20, 1, 15}, // LRCPC
    {ISAR1, 0, 1, 16},  // DCPOP
    {ISAR0, 32, 1, 17}, // SHA3
    {ISAR0, 36, 1, 18}, // SM3
    {ISAR0, 40, 1, 19}, // SM4
    {ISAR0, 44, 1, 20}, // ASIMDDP
    {ISAR0, 12, 2, 21}, // SHA512
    {ISAR0, 48, 1, 23}, // ASIMDFHM
    {MMFR2, 32, 1, 25}, // USCAT
    {ISAR1, 20, 2, 26}, // ILRCPC
    {ISAR0, 52, 1, 27}, // FLAGM
    {ISAR1, 36, 1, 29}, // SB
    {ISAR1, 0, 2, 64},  // DCPODP
    {ISAR0, 52, 2, 71}, // FLAGM2
    {ISAR1, 32, 1, 72}, // FRINT
    {ISAR1, 52, 1, 77}, // I8MM
    {ISAR1, 44, 1, 78}, // BF16
    {ISAR1, 48, 1, 79}, // DGH
    {ISAR0, 60, 1, 80}, // RNG
};

struct cpu_features cpu_user_features(void)
{
    const uint64_t sources[] = {read_sysreg(id_aa64pfr0_el1), read_sysreg(id_aa64isar0_el1),
                                read_sysreg(id_aa64isar1_el1), read_sysreg(id_aa64mmfr2_el1)};
    uint64_t words[2] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const struct feature *feature = &features[i];
        if ((sources[feature->source] >> feature->shift & 15) >= feature->least) {
            words[feature->bit / 64] |= 1ul << (feature->bit % 64);
        }
    }
    uint64_t fp = sources[PFR0] >> 16 & 15,
             simd = sources[PFR0] >> 20 & 15; // 0: there; 1: with half precision; 15: not
    words[0] |=
        (fp != 15 ? 1u << 0 : 0) | (simd != 15 ? 1u << 1 : 0) | (fp == 1 ? 1u << 9 : 0) | (simd == 1 ? 1u << 10 : 0);
    return (struct cpu_features){words[0], words[1]};
}

const char *cpu_name(void)
{
    uint64_t midr = read_sysreg(midr_el1);
    if (midr >> 24 == 0x41) {
        switch ((midr >> 4) & 0xfff) {
        case 0xd03:
            return "cortex-a53";
        case 0xd04:
            return "cortex-a35";
        case 0xd05:
            return "cortex-a55";
        case 0xd07:
            return "cortex-a57";
        case 0xd08:
            return "cortex-a72";
        case 0xd0b:
            return "cortex-a76";
        case 0xd0c:
            return "neoverse-n1";
        case 0xd40:
            return "neoverse-v1";
        default:
            break;
        }
    }
    return (midr >> 24 & 0xff) == 0 ? "qemu-max" : "unknown";
}

bool cpu_has_pan(void)
{
    return (read_sysreg(id_aa64mmfr1_el1) >> 20 & 0xf) != 0;
}

static uint64_t random_word(void)
{
    static uint64_t state;
    uint64_t value = 0, failed = 1;
    if ((read_sysreg(id_aa64isar0_el1) >> 60) != 0) {
        asm volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, eq" : "=r"(value), "=r"(failed)::"cc"); // RNDR: Z set on failure
    }
    if (failed == 0) {
        return value;
    }
    // splitmix64 over the counter: distinct and well mixed, not secret.
    value = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15UL + read_sysreg(cntvct_el0), __ATOMIC_RELAXED);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9UL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebUL;
    return value ^ (value >> 31);
}

void entropy_fill(void *out, size_t size)
{
    unsigned char *bytes = out;
    while (size != 0) {
        uint64_t word = random_word();
        for (unsigned i = 0; i < 8 && size != 0; i++, size--) {
            *bytes++ = (unsigned char)(word >> (8 * i));
        }
    }
}
