// The generic timer's virtual counter and timer (Arm ARM D11). Its interrupt is PPI 27 by the Base System Architecture.
#include <hal/timer.h>

#include "internal.h"

#define NS_PER_SECOND 1000000000ULL

#define FARTHEST_NS (1UL << 62) // 146 years: what is later never comes, and its ticks would not fit a word

static uint64_t ns_per_tick, ticks_per_ns; // 32.32 fixed point, rounded down
static uint64_t zero_ticks;                // the counter when we started

void timer_set_zero(uint64_t zero)
{
    zero_ticks = zero;
}

void timer_cpu_init(void)
{
    uint64_t frequency = read_sysreg(cntfrq_el0);
    frequency = frequency != 0 ? frequency : 62500000; // firmware forgot: QEMU's
    ns_per_tick = (NS_PER_SECOND << 32) / frequency;
    ticks_per_ns = (frequency << 32) / NS_PER_SECOND;
    write_sysreg(cntkctl_el1, 0x2); // EL0 may read the virtual counter, as Linux lets it
    write_sysreg(cntv_ctl_el0, 0);
}

static uint64_t scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

uint64_t timer_now(void)
{
    isb(); // the counter may be read early (Arm ARM D11.2.2)
    return scale(read_sysreg(cntvct_el0) - zero_ticks, ns_per_tick);
}

void timer_arm(uint64_t deadline_ns)
{
    deadline_ns = min_u64(deadline_ns, FARTHEST_NS);
    if (deadline_ns == FARTHEST_NS) {
        write_sysreg(cntv_ctl_el0, 0);
    } else {
        // Rounded down twice: one tick more, so that timer_now() has reached the deadline when it fires.
        write_sysreg(cntv_cval_el0, zero_ticks + scale(deadline_ns, ticks_per_ns) + 1);
        write_sysreg(cntv_ctl_el0, 1);
    }
    isb();
}

struct timer_scale timer_user_scale(void)
{
    return (struct timer_scale){zero_ticks, ns_per_tick};
}

uint32_t timer_intid(void)
{
    return 27;
}
