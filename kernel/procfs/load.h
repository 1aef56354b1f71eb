// How many tasks wanted to run of late: the averages of 1, 5 and 15 minutes. Source: proc(5), /proc/loadavg. Any
// context.
#pragma once

#include "kernel/base/types.h"

#define LOAD_SHIFT 11
#define LOAD_MASK ((1u << LOAD_SHIFT) - 1)

uint64_t load_average(unsigned which); // 0 to 2; fixed point with LOAD_SHIFT bits
