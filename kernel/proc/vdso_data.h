// What the code that every program gets may read of the kernel: the page in front of it. Written by the kernel only.
#pragma once

#include <stdint.h>

struct vdso_data {
    uint32_t sequence; // odd while the rest is written
    int32_t minutes_west, dst;
    uint64_t zero_ticks;  // of the counter, when the machine started
    uint64_t ns_per_tick; // 32.32 fixed point
    uint64_t realtime_offset_ns;
};
#define VDSO_COARSE_NS 4000000ull // CLOCK_COARSE_NS
