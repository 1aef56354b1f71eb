// PL031 real-time clock. Source: PrimeCell Real Time Clock (PL031) Technical Reference Manual, DDI 0224.
#pragma once

#include "kernel/base/types.h"

// Seconds since 1970. Boot, while devices can be mapped. -EINVAL, -ENOMEM; -ENODEV: not a PL031.
[[nodiscard]] int pl031_read(paddr_t base, uint64_t size, uint64_t *seconds);
