// HAL: where we are, for people. Any context, also after a crash.
#pragma once

#include "kernel/base/types.h"

// Return addresses of this flow, innermost first. Returns how many, at most max.
size_t trace_capture(uint64_t *pcs, size_t max);
// Likewise from a frame pointer saved at a fault.
size_t trace_capture_from(uint64_t frame_pointer, uint64_t *pcs, size_t max);
// Name of the function that holds pc and the distance into it; NULL where unknown.
const char *trace_symbol(uint64_t pc, uint64_t *offset);
