// Interrupt controller: GICv3 through its system registers (IHI 0069). All interrupts are Group 1, one priority.
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/mmio.h>

#include "internal.h"

// Distributor.
#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IGROUPR 0x0080
#define GICD_ISENABLER 0x0100
#define GICD_ICENABLER 0x0180
#define GICD_ICACTIVER 0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR 0x0c00
#define GICD_IROUTER 0x6000
#define GICD_PIDR2 0xffe8
#define CTLR_ENABLE_GROUP1 (1u << 1)
#define CTLR_ARE (1u << 4)
#define CTLR_RWP (1u << 31)
// Redistributor: one frame of registers, one of SGIs and PPIs, per CPU.
#define GICR_CTLR 0x0000
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI_FRAME 0x10000
#define GICR_STRIDE 0x20000
#define GICR_CTLR_RWP (1u << 3)
#define TYPER_VLPIS (1u << 1)
#define TYPER_LAST (1u << 4)
#define WAKER_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)

#define PRIORITY 0xa0a0a0a0u
#define MPIDR_AFFINITY 0xff00ffffffUL
#define SPIN_LIMIT 1000000u // a controller that does not settle is absent, not slow

static mmio_t distributor, redistributors;
static uint32_t line_count;
static uint64_t frame_of[MAX_CPUS];    // offset of the CPU's redistributor
static uint64_t affinity_of[MAX_CPUS]; // MPIDR affinity
static uint32_t ready;                 // bit per CPU whose two entries above are there

static bool settle(mmio_t region, uint64_t offset, uint32_t busy)
{
    for (uint32_t i = 0; i < SPIN_LIMIT; i++) {
        if ((mmio_read32(region, offset) & busy) == 0) {
            return true;
        }
    }
    return false;
}

int irq_chip_init(const struct irq_chip_config *config)
{
    if (config->distributor_size < 0x10000 || config->redistributors_size < GICR_STRIDE) {
        return -EINVAL;
    }
    // More redistributors than CPUs would only cost table pages.
    uint64_t size = min_u64(config->redistributors_size, 2 * MAX_CPUS * (uint64_t)GICR_STRIDE);
    int error = mmio_map(config->distributor, config->distributor_size, &distributor);
    if (error == 0) {
        error = mmio_map(config->redistributors, size, &redistributors);
    }
    if (error != 0) {
        return error;
    }
    uint32_t revision = mmio_read32(distributor, GICD_PIDR2) >> 4 & 0xf;
    if (revision != 3 && revision != 4) {
        return -ENODEV;
    }
    mmio_write32(distributor, GICD_CTLR, 0);
    if (!settle(distributor, GICD_CTLR, CTLR_RWP)) {
        return -ENODEV;
    }
    uint32_t lines = ((mmio_read32(distributor, GICD_TYPER) & 0x1f) + 1) * 32;
    lines = (uint32_t)min_u64(lines, INTID_MAX);
    for (uint32_t i = INTID_SPI_FIRST; i < lines; i += 32) {
        mmio_write32(distributor, GICD_ICENABLER + i / 8, UINT32_MAX);
        mmio_write32(distributor, GICD_ICACTIVER + i / 8, UINT32_MAX); // these two: of unknown value after a reset
        mmio_write32(distributor, GICD_ICFGR + i / 4, 0); // sensitive to the level, as all devices here are
        mmio_write32(distributor, GICD_ICFGR + i / 4 + 4, 0);
        mmio_write32(distributor, GICD_IGROUPR + i / 8, UINT32_MAX);
        for (uint32_t j = i; j < i + 32; j += 4) {
            mmio_write32(distributor, GICD_IPRIORITYR + j, PRIORITY);
        }
    }
    mmio_write32(distributor, GICD_CTLR, CTLR_ARE | CTLR_ENABLE_GROUP1);
    if (!settle(distributor, GICD_CTLR, CTLR_RWP)) {
        return -ENODEV;
    }
    uint64_t here = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
    for (uint32_t i = INTID_SPI_FIRST; i < lines; i++) {
        mmio_write64(distributor, GICD_IROUTER + 8 * (uint64_t)i, here);
    }
    line_count = lines;
    return 0;
}

// Redistributors lie one after the other; each says whose it is (GICR_TYPER.Affinity_Value) and whether it is the last.
static bool find_frame(uint64_t affinity, uint64_t *out)
{
    uint64_t packed = (affinity & 0xffffff) | (affinity >> 32 << 24);
    for (uint64_t at = 0; redistributors.size - at >= GICR_STRIDE;) {
        uint64_t type = mmio_read64(redistributors, at + GICR_TYPER);
        if (type >> 32 == packed) {
            *out = at;
            return true;
        }
        if ((type & TYPER_LAST) != 0) {
            return false;
        }
        at += (type & TYPER_VLPIS) != 0 ? 2 * GICR_STRIDE : GICR_STRIDE;
    }
    return false;
}

int irq_cpu_init(void)
{
    unsigned cpu = cpu_self();
    uint64_t affinity = read_sysreg(mpidr_el1) & MPIDR_AFFINITY, frame;
    if (line_count == 0 || !find_frame(affinity, &frame)) {
        return -ENODEV;
    }
    uint32_t waker = mmio_read32(redistributors, frame + GICR_WAKER);
    mmio_write32(redistributors, frame + GICR_WAKER, waker & ~WAKER_SLEEP);
    if (!settle(redistributors, frame + GICR_WAKER, WAKER_CHILDREN_ASLEEP)) {
        return -ENODEV;
    }
    uint64_t sgi = frame + GICR_SGI_FRAME;
    mmio_write32(redistributors, sgi + GICD_ICENABLER, UINT32_MAX);
    mmio_write32(redistributors, sgi + GICD_ICACTIVER, UINT32_MAX);
    mmio_write32(redistributors, sgi + GICD_IGROUPR, UINT32_MAX);
    for (uint32_t i = 0; i < 32; i += 4) {
        mmio_write32(redistributors, sgi + GICD_IPRIORITYR + i, PRIORITY);
    }
    if (!settle(redistributors, frame + GICR_CTLR, GICR_CTLR_RWP)) {
        return -ENODEV;
    }
    write_sysreg(S3_0_C12_C12_5, read_sysreg(S3_0_C12_C12_5) | 1); // ICC_SRE_EL1.SRE
    isb();
    write_sysreg(S3_0_C4_C6_0, 0xf0); // ICC_PMR_EL1: all but the lowest priority
    write_sysreg(S3_0_C12_C12_3, 0);  // ICC_BPR1_EL1
    write_sysreg(S3_0_C12_C12_4, 0);  // ICC_CTLR_EL1: completing drops priority and deactivates
    write_sysreg(S3_0_C12_C9_0, 0);   // ICC_AP1R0_EL1: nothing is being handled
    isb();
    write_sysreg(S3_0_C12_C12_7, 1); // ICC_IGRPEN1_EL1
    isb();
    frame_of[cpu] = frame;
    affinity_of[cpu] = affinity;
    __atomic_fetch_or(&ready, 1u << cpu, __ATOMIC_RELEASE);
    return 0;
}

uint32_t irq_cpus(void)
{
    return __atomic_load_n(&ready, __ATOMIC_ACQUIRE);
}

uint32_t irq_line_count(void)
{
    return line_count;
}

uint32_t irq_claim(void)
{
    uint64_t intid = read_sysreg(S3_0_C12_C12_0); // ICC_IAR1_EL1
    dsb(sy); // the device sees the acknowledgement before we touch it (IHI 0069, 4.1.1)
    stop_if_told();
    return (uint32_t)intid & 0xffffff;
}

void irq_complete(uint32_t intid)
{
    write_sysreg(S3_0_C12_C12_1, intid); // ICC_EOIR1_EL1
    isb();
}

static void set_private_line(unsigned cpu, uint32_t bit, uint64_t bank)
{
    mmio_write32(redistributors, frame_of[cpu] + GICR_SGI_FRAME + bank, bit);
    settle(redistributors, frame_of[cpu] + GICR_CTLR, GICR_CTLR_RWP);
}

static void set_line(uint32_t intid, uint64_t bank)
{
    if (intid >= line_count) {
        return;
    }
    uint32_t bit = 1u << (intid % 32);
    if (intid >= INTID_SPI_FIRST) {
        mmio_write32(distributor, bank + intid / 32 * 4, bit);
        settle(distributor, GICD_CTLR, CTLR_RWP);
        return;
    }
    irqflags_t flags = irq_save(); // private lines: stay on this CPU
    set_private_line(cpu_self(), bit, bank);
    irq_restore(flags);
}

void irq_line_enable(uint32_t intid)
{
    set_line(intid, GICD_ISENABLER);
}

void irq_line_disable(uint32_t intid)
{
    set_line(intid, GICD_ICENABLER);
}

void irq_private_line_enable(unsigned cpu, uint32_t intid)
{
    if ((irq_cpus() >> cpu & 1) != 0 && intid < INTID_SPI_FIRST) {
        set_private_line(cpu, 1u << intid, GICD_ISENABLER);
    }
}

// ICC_SGI1R_EL1 (IHI 0069, 12.2.18): Aff3 55:48, RS 47:44, Aff2 39:32, INTID 27:24, Aff1 23:16, target list 15:0: of
// Aff0 from RS * 16 on.
void ipi_send(uint32_t mask, unsigned sgi)
{
    dsb(ishst); // what the other CPU is to see is written before it is told
    mask &= irq_cpus();
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if ((mask >> cpu & 1) == 0) {
            continue;
        }
        uint64_t affinity = affinity_of[cpu];
        uint64_t value = (affinity >> 32 & 0xff) << 48 | (affinity >> 4 & 15) << 44 | (affinity >> 16 & 0xff) << 32 |
                         (uint64_t)(sgi & 15) << 24 | (affinity >> 8 & 0xff) << 16 | 1UL << (affinity & 15);
        write_sysreg(S3_0_C12_C11_5, value);
    }
    isb();
}
