// The interrupt controller: pending, enabled and active lines; checks the claim and complete protocol.
#include "hal/host/internal.h"

static void check_line(uint32_t intid, const char *what)
{
    if (intid >= MACHINE_LINES) {
        machine_finding("irq", "%s: there is no line %u", what, intid);
    }
}

int irq_chip_init(const struct irq_chip_config *config)
{
    return config->distributor_size == 0 ? -EINVAL : 0;
}

int irq_cpu_init(void)
{
    machine_self()->enabled |= 0xffff; // SGIs, as on the real machine
    return 0;
}

uint32_t irq_line_count(void)
{
    return MACHINE_LINES;
}

void machine_irq_raise(uint32_t intid)
{
    check_line(intid, "raise");
    if (intid < INTID_SPI_FIRST) {
        machine_self()->pending |= 1u << intid;
    } else {
        machine.pending[intid / 64] |= 1ull << (intid % 64);
    }
}

uint32_t irq_claim(void)
{
    struct machine_cpu *cpu = machine_self();
    uint32_t own = cpu->pending & cpu->enabled & ~cpu->active;
    if (own != 0) {
        uint32_t intid = (uint32_t)__builtin_ctz(own);
        cpu->pending &= ~(1u << intid);
        cpu->active |= 1u << intid;
        return intid;
    }
    for (uint32_t word = 0; word < MACHINE_SPI_WORDS && machine.self == 0; word++) {
        uint64_t shared = machine.pending[word] & machine.enabled[word] & ~machine.active[word];
        if (shared != 0) {
            uint64_t bit = shared & -shared;
            machine.pending[word] &= ~bit;
            machine.active[word] |= bit;
            return word * 64 + (uint32_t)__builtin_ctzll(bit);
        }
    }
    return machine.nothing;
}

void irq_complete(uint32_t intid)
{
    check_line(intid, "irq_complete");
    struct machine_cpu *cpu = machine_self();
    uint64_t bit =
        intid < INTID_SPI_FIRST ? cpu->active & 1u << intid : machine.active[intid / 64] & 1ull << (intid % 64);
    if (bit == 0) {
        machine_finding("irq", "irq_complete(%u) was not claimed here", intid);
    }
    if (intid < INTID_SPI_FIRST) {
        cpu->active &= ~(uint32_t)bit;
    } else {
        machine.active[intid / 64] &= ~bit;
    }
}

void irq_line_enable(uint32_t intid)
{
    check_line(intid, "irq_line_enable");
    if (intid < INTID_SPI_FIRST) {
        machine_self()->enabled |= 1u << intid;
    } else {
        machine.enabled[intid / 64] |= 1ull << (intid % 64);
    }
}

void irq_private_line_enable(unsigned cpu, uint32_t intid)
{
    check_line(intid, "irq_private_line_enable");
    if (cpu >= MAX_CPUS || intid >= INTID_SPI_FIRST) {
        machine_finding("irq", "irq_private_line_enable: CPU %u has no private line %u", cpu, intid);
    }
    machine.cpus[cpu].enabled |= 1u << intid;
}

void irq_line_disable(uint32_t intid)
{
    check_line(intid, "irq_line_disable");
    if (intid < INTID_SPI_FIRST) {
        machine_self()->enabled &= ~(1u << intid);
    } else {
        machine.enabled[intid / 64] &= ~(1ull << (intid % 64));
    }
}

void ipi_send(uint32_t mask, unsigned sgi)
{
    if (sgi >= INTID_SGI_COUNT) {
        machine_finding("irq", "ipi_send: there is no SGI %u", sgi);
    }
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        struct cpu_local *local = i == machine.self ? machine_local : machine.cpus[i].local;
        if (local != NULL && machine.cpus[i].state != MACHINE_CPU_OFF && (mask >> local->id & 1) != 0) {
            machine.cpus[i].pending |= 1u << sgi;
        }
    }
    machine_attention = true;
}
