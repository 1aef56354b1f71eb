// How many tasks wanted to run of late: the averages of 1, 5 and 15 minutes. Source: proc(5), /proc/loadavg. Any
// context.
#pragma once

#include "kernel/base/types.h"

#define LOAD_SHIFT 11
#define LOAD_MASK ((1u << LOAD_SHIFT) - 1)

void load_start(void); // once, after the scheduler
// Sampling has stopped, since nobody wanted to run: load_resume() by whoever finds a thread running. Interrupts off.
extern bool load_rests; // atomic
void load_resume(void);
uint64_t load_average(unsigned which); // 0 to 2; fixed point with LOAD_SHIFT bits
