// HAL: time. Source: Arm ARM D11, the generic timer (virtual counter).
#pragma once

#include "kernel/base/types.h"

uint64_t timer_now(void); // nanoseconds since power-on, monotonic; any context
void timer_arm(
    uint64_t deadline_ns); // one interrupt on this CPU at or after deadline; replaces the last; UINT64_MAX: none
// How user space computes timer_now() from the counter that it can read: (counter - zero) * ns_per_tick, which is 32.32
// fixed point. Any context. Simulated: zeroes.
struct timer_scale {
    uint64_t zero, ns_per_tick;
};
struct timer_scale timer_user_scale(void);
uint32_t timer_intid(void); // the timer's private interrupt; enable its line on each CPU
// Simulated: the machine chooses how far the clock moved, and may deliver early, late or twice.
