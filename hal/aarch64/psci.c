// Firmware: PSCI 1.1 (DEN0022) through the conduit that the device tree names. Also the end of the machine.
#include <libfdt.h>

#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/power.h>

#include "internal.h"

#define PSCI_CPU_OFF 0x84000002UL
#define PSCI_CPU_ON 0xc4000003UL
#define PSCI_SYSTEM_OFF 0x84000008UL
#define PSCI_SYSTEM_RESET 0x84000009UL
#define PSCI_ALREADY_ON (-4)
#define PSCI_INVALID_PARAMETERS (-2)
#define STOP_LIMIT_S 1u

static enum { CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC } conduit;
static bool stopping;
static uint32_t stopped; // bit per CPU

void secondary_entry(void);

// SMCCC: x0 to x3 are arguments, x0 the result; x4 to x17 may be destroyed.
static int64_t call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 asm("x0") = function;
    register uint64_t x1 asm("x1") = a;
    register uint64_t x2 asm("x2") = b;
    register uint64_t x3 asm("x3") = c;
#define CALL(instruction)                                                                                              \
    asm volatile(instruction " #0"                                                                                     \
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                                              \
                 :                                                                                                     \
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",         \
                   "memory")
    if (conduit == CONDUIT_HVC) {
        CALL("hvc");
    } else if (conduit == CONDUIT_SMC) {
        CALL("smc");
    } else {
        return -1; // NOT_SUPPORTED
    }
    return (int32_t)x0;
}

int psci_init(const void *fdt)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-1.0");
    if (node < 0) {
        node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci-0.2");
    }
    int length = 0;
    const char *method = node < 0 ? NULL : fdt_getprop(fdt, node, "method", &length);
    if (method == NULL || length != 4) {
        return -ENODEV;
    }
    conduit = method[0] == 'h' ? CONDUIT_HVC : CONDUIT_SMC;
    return 0;
}

int cpu_start(struct cpu_local *local, uint64_t hw_id)
{
    if (local == NULL || local->id >= MAX_CPUS || local->id == 0) {
        return -EINVAL;
    }
    dsb(ish); // what we wrote for it is there before it runs
    int64_t result = call(PSCI_CPU_ON, hw_id, image_to_phys((void *)secondary_entry).raw, (uint64_t)local);
    switch (result) {
    case 0:
        return 0;
    case PSCI_ALREADY_ON:
        return -EEXIST;
    case PSCI_INVALID_PARAMETERS:
        return -EINVAL;
    default:
        return -EIO;
    }
}

static _Noreturn void sleep_for_ever(void)
{
    asm volatile("msr daifset, #0xf" ::: "memory");
    for (;;) {
        asm volatile("wfi");
    }
}

_Noreturn void cpu_stop(void)
{
    asm volatile("msr daifset, #0xf" ::: "memory");
    call(PSCI_CPU_OFF, 0, 0, 0);
    sleep_for_ever();
}

_Noreturn void power_off(int status)
{
    asm volatile("msr daifset, #0xf" ::: "memory");
    call(PSCI_SYSTEM_OFF, 0, 0, 0);
    sleep_for_ever();
}

_Noreturn void power_reset(void)
{
    asm volatile("msr daifset, #0xf" ::: "memory");
    call(PSCI_SYSTEM_RESET, 0, 0, 0);
    sleep_for_ever();
}

void stop_if_told(void)
{
    if (unlikely(__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))) {
        power_halt_on_bug();
    }
}

// A CPU that has its interrupts off for good goes on, and that is part of the evidence.
void cpu_stop_others(void)
{
    uint32_t others = irq_cpus() & ~(1u << cpu_self());
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    for (unsigned sgi = 0; sgi < INTID_SGI_COUNT; sgi++) {
        ipi_send(others, sgi); // whichever is not masked there
    }
    uint64_t start = read_sysreg(cntvct_el0), limit = STOP_LIMIT_S * read_sysreg(cntfrq_el0);
    while ((others & ~__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) != 0 && read_sysreg(cntvct_el0) - start < limit) {
        cpu_relax();
    }
}

_Noreturn void power_halt_on_bug(void)
{
    __atomic_fetch_or(&stopped, 1u << cpu_self(), __ATOMIC_RELEASE);
    sleep_for_ever();
}
