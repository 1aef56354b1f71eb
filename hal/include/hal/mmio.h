// HAL: device registers. Task or interrupt context. Simulated: wrong size or offset is a finding, the model answers.
#pragma once

#include "kernel/base/types.h"

typedef struct {
    uint64_t handle; // machine's own; 0 is no region
    uint64_t size;   // bytes; every access is checked against it
} mmio_t;

[[nodiscard]] int mmio_map(paddr_t base, uint64_t size, mmio_t *out); // boot; -EINVAL, -ENOMEM: nothing mapped
uint8_t mmio_read8(mmio_t region, uint64_t offset);
uint32_t mmio_read32(mmio_t region, uint64_t offset);
uint64_t mmio_read64(mmio_t region, uint64_t offset);
void mmio_write8(mmio_t region, uint64_t offset, uint8_t value);
void mmio_write32(mmio_t region, uint64_t offset, uint32_t value);
void mmio_write64(mmio_t region, uint64_t offset, uint64_t value);
void dma_write_barrier(void); // earlier memory writes before later register writes
void dma_read_barrier(void);  // earlier register reads before later memory reads
