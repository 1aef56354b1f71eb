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
