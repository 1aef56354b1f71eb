// HAL: randomness. Any context. Real: RNDR where present, else the counter mixed (not for secrets: see CAVEATS.md).
// Simulated: the choice stream.
#pragma once

#include "kernel/base/types.h"

void entropy_fill(void *out, size_t size);
