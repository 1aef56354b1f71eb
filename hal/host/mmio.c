// Device registers: there are no devices on this machine yet, so a mapping is refused and an access is a finding.
#include "hal/host/internal.h"

#include <hal/mmio.h>

int mmio_map(paddr_t base, uint64_t size, mmio_t *out)
{
    return -EINVAL;
}

__attribute__((noreturn)) static void stray(mmio_t region, uint64_t offset)
{
    machine_finding("check", "device access at offset 0x%llx of a region that is not mapped",
                    (unsigned long long)offset);
}

uint8_t mmio_read8(mmio_t region, uint64_t offset)
{
    stray(region, offset);
}

uint32_t mmio_read32(mmio_t region, uint64_t offset)
{
    stray(region, offset);
}

uint64_t mmio_read64(mmio_t region, uint64_t offset)
{
    stray(region, offset);
}

void mmio_write8(mmio_t region, uint64_t offset, uint8_t value)
{
    stray(region, offset);
}

void mmio_write32(mmio_t region, uint64_t offset, uint32_t value)
{
    stray(region, offset);
}

void mmio_write64(mmio_t region, uint64_t offset, uint64_t value)
{
    stray(region, offset);
}

void dma_write_barrier(void)
{
}

void dma_read_barrier(void)
{
}
