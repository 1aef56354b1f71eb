// Calls that need no kernel: the page of data in front of this code and the counter say all there is to know. What they
// do not know they ask. Source: vdso(7), clock_gettime(2).
#include "kernel/proc/vdso_data.h"

#define NS_PER_SECOND 1000000000ull
#define SYS_CLOCK_GETTIME 113
#define SYS_CLOCK_GETRES 114

struct user_time {
    int64_t seconds, rest;
};

extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

long __kernel_clock_gettime(int clock, struct user_time *out);
long __kernel_clock_getres(int clock, struct user_time *out);
long __kernel_gettimeofday(struct user_time *time, int32_t *zone);

static long ask(long number, long first, long second)
{
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = first;
    register long x1 asm("x1") = second;
    asm volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
    return x0;
}

static uint64_t counter(void)
{
    uint64_t ticks;
    asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory"); // it may be read early (Arm ARM D11.2.2)
    return ticks;
}

// Since power-on, or with wall of the day.
static uint64_t read_clock(int wall)
{
    for (;;) {
        uint32_t sequence = vdso_data.sequence;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        uint64_t ticks = counter() - vdso_data.zero_ticks;
        uint64_t ns = (uint64_t)((unsigned __int128)ticks * vdso_data.ns_per_tick >> 32);
        ns += wall ? vdso_data.realtime_offset_ns : 0;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((sequence & 1) == 0 && sequence == vdso_data.sequence) {
            return ns;
        }
    }
}

// As the kernel: the time since power-on in whole steps.
static uint64_t read_coarse(int wall)
{
    for (;;) {
        uint32_t sequence = vdso_data.sequence;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        uint64_t ticks = counter() - vdso_data.zero_ticks;
        uint64_t ns = (uint64_t)((unsigned __int128)ticks * vdso_data.ns_per_tick >> 32);
        ns = ns - ns % VDSO_COARSE_NS + (wall ? vdso_data.realtime_offset_ns : 0);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if ((sequence & 1) == 0 && sequence == vdso_data.sequence) {
            return ns;
        }
    }
}

long __kernel_clock_gettime(int clock, struct user_time *out)
{
    uint64_t ns;
    switch (clock) {
    case 0:  // CLOCK_REALTIME
    case 11: // CLOCK_TAI
        ns = read_clock(1);
        break;
    case 1: // CLOCK_MONOTONIC
    case 4: // CLOCK_MONOTONIC_RAW
    case 7: // CLOCK_BOOTTIME
        ns = read_clock(0);
        break;
    case 5: // CLOCK_REALTIME_COARSE
    case 6: // CLOCK_MONOTONIC_COARSE
        ns = read_coarse(clock == 5);
        break;
    default:
        return ask(SYS_CLOCK_GETTIME, clock, (long)out);
    }
    out->seconds = (int64_t)(ns / NS_PER_SECOND);
    out->rest = (int64_t)(ns % NS_PER_SECOND);
    return 0;
}

long __kernel_gettimeofday(struct user_time *time, int32_t *zone)
{
    if (time != 0) {
        uint64_t ns = read_clock(1);
        time->seconds = (int64_t)(ns / NS_PER_SECOND);
        time->rest = (int64_t)(ns % NS_PER_SECOND / 1000);
    }
    if (zone != 0) {
        zone[0] = vdso_data.minutes_west;
        zone[1] = vdso_data.dst;
    }
    return 0;
}

long __kernel_clock_getres(int clock, struct user_time *out)
{
    int coarse = clock == 5 || clock == 6;
    if (clock < 0 || clock > 11 || (clock > 7 && clock < 11) || clock == 2 || clock == 3) {
        return ask(SYS_CLOCK_GETRES, clock, (long)out);
    }
    if (out != 0) {
        out->seconds = 0;
        out->rest = coarse ? (int64_t)VDSO_COARSE_NS : 1;
    }
    return 0;
}
