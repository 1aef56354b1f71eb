// HAL: time. Source: Arm ARM D11, the generic timer (virtual counter).
#pragma once

#include "kernel/base/types.h"

uint64_t timer_now(void); // nanoseconds since power-on, monotonic; any context
void timer_arm(
    uint64_t deadline_ns);  // one interrupt on this CPU at or after deadline; replaces the last; UINT64_MAX: none
uint32_t timer_intid(void); // the timer's private interrupt; enable its line on each CPU
// Simulated: the machine chooses how far the clock moved, and may deliver early, late or twice.
