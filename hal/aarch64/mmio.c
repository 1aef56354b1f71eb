// Device registers: one access of the wanted size, never merged or split. SAFETY: handles come from mmio_map() only,
// and every access is checked against the region.
#include <hal/mmio.h>

#include "internal.h"

#include "kernel/base/assert.h"

static uint64_t address(mmio_t region, uint64_t offset, uint64_t size)
{
    if (unlikely(offset > region.size || region.size - offset < size || !is_aligned(offset, size))) {
        panic("device access outside its region: %#llx + %#llx, size %llu", (unsigned long long)region.handle,
              (unsigned long long)offset, (unsigned long long)size);
    }
    return region.handle + offset;
}

uint8_t mmio_read8(mmio_t region, uint64_t offset)
{
    uint32_t value;
    asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address(region, offset, 1)) : "memory");
    return (uint8_t)value;
}

uint32_t mmio_read32(mmio_t region, uint64_t offset)
{
    uint32_t value;
    asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address(region, offset, 4)) : "memory");
    return value;
}

uint64_t mmio_read64(mmio_t region, uint64_t offset)
{
    uint64_t value;
    asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address(region, offset, 8)) : "memory");
    return value;
}

void mmio_write8(mmio_t region, uint64_t offset, uint8_t value)
{
    asm volatile("strb %w0, [%1]" ::"r"((uint32_t)value), "r"(address(region, offset, 1)) : "memory");
}

void mmio_write32(mmio_t region, uint64_t offset, uint32_t value)
{
    asm volatile("str %w0, [%1]" ::"r"(value), "r"(address(region, offset, 4)) : "memory");
}

void mmio_write64(mmio_t region, uint64_t offset, uint64_t value)
{
    asm volatile("str %0, [%1]" ::"r"(value), "r"(address(region, offset, 8)) : "memory");
}

void dma_write_barrier(void)
{
    dsb(st);
}

void dma_read_barrier(void)
{
    dsb(ld);
}
