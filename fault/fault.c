#include <fault/fault.h>

#include "kernel/base/atomic.h"

bool fault_engine_on;
static bool fault_engine_armed;

// Another CPU may still be asking the plan before, so each has a place of its own for a while.
#define PLANS 64u
static struct {
    struct fault_plan plans[PLANS], *plan;
    uint32_t next;
    uint64_t arrivals, fired, random;
    const struct fault_site *last_site;
    bool observing;
} engine;

extern struct fault_site *const __start_fault_sites[];
extern struct fault_site *const __stop_fault_sites[];

static void publish(void)
{
    __atomic_store_n(&fault_engine_on, READ_ONCE(fault_engine_armed) || READ_ONCE(engine.observing), __ATOMIC_RELEASE);
}

void fault_arm(const struct fault_plan *plan)
{
    WRITE_ONCE(fault_engine_armed, false);
    publish();
    struct fault_plan *own = &engine.plans[atomic_add(&engine.next, 1) % PLANS];
    *own = *plan;
    WRITE_ONCE(engine.arrivals, 0);
    WRITE_ONCE(engine.fired, 0);
    WRITE_ONCE(engine.random, plan->seed ^ 0x9e3779b97f4a7c15);
    WRITE_ONCE(engine.last_site, NULL);
    store_release(&engine.plan, own);
    store_release(&fault_engine_armed, true);
    publish();
}

void fault_disarm(void)
{
    WRITE_ONCE(fault_engine_armed, false); // sites on other CPUs may be asking
    publish();
}

void fault_observe(bool on)
{
    WRITE_ONCE(engine.observing, on);
    publish();
}

struct fault_status fault_status(void)
{
    static const struct fault_plan none;
    const struct fault_plan *plan = load_acquire(&engine.plan);
    return (struct fault_status){.armed = READ_ONCE(fault_engine_armed),
                                 .plan = plan != NULL ? *plan : none,
                                 .arrivals = READ_ONCE(engine.arrivals),
                                 .fired = READ_ONCE(engine.fired),
                                 .last_site = READ_ONCE(engine.last_site)};
}

// splitmix64: every state gives a full-period sequence, so seed 0 is as good as any.
static uint32_t draw_percent(void)
{
    uint64_t z = atomic_add(&engine.random, 0x9e3779b97f4a7c15) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ (z >> 31)) % 100);
}

static bool matches(const struct fault_plan *plan, enum fault_kind kind, uint64_t task)
{
    return (plan->kinds == 0 || (plan->kinds >> kind & 1) != 0) && (plan->task == 0 || plan->task == task);
}

// True when this arrival, the count-th, is one that the plan names.
static bool chosen(const struct fault_plan *plan, uint64_t count)
{
    uint64_t first = plan->nth == 0 ? 1 : plan->nth;
    if (count < first) {
        return false;
    }
    if (plan->interval > 1 && (count - first) % plan->interval != 0) {
        return false;
    }
    return plan->probability == 0 || plan->probability >= 100 || draw_percent() < plan->probability;
}

// Takes one of the failures that the plan allows; two CPUs never take the same one.
static bool claim_failure(const struct fault_plan *plan)
{
    uint64_t fired = READ_ONCE(engine.fired);
    do {
        if (plan->times != 0 && fired >= plan->times) {
            return false;
        }
    } while (!atomic_cas(&engine.fired, &fired, fired + 1));
    return true;
}

bool fault_arrive(struct fault_site *site)
{
    // Plainly: a run is the same whether somebody counts or not, also on a machine that counts steps.
    if (!__atomic_load_n(&fault_engine_armed, __ATOMIC_ACQUIRE)) {
        __atomic_fetch_add(&site->reached, 1, __ATOMIC_RELAXED);
        return false;
    }
    struct fault_context context = fault_current_context();
    if (context.interrupt) {
        return false;
    }
    atomic_add(&site->reached, 1);
    const struct fault_plan *plan = load_acquire(&engine.plan);
    if (!matches(plan, site->kind, context.task)) {
        return false;
    }
    uint64_t count = atomic_add(&engine.arrivals, 1) + 1;
    if (!chosen(plan, count) || !claim_failure(plan)) {
        return false;
    }
    atomic_add(plan->times == 0 ? &site->failed_persistent : &site->failed_transient, 1);
    WRITE_ONCE(engine.last_site, site);
    return true;
}

size_t fault_site_count(void)
{
    return (size_t)(__stop_fault_sites - __start_fault_sites);
}

struct fault_site *fault_site_at(size_t index)
{
    return __start_fault_sites[index];
}

void fault_reset_counters(void)
{
    for (size_t i = 0; i < fault_site_count(); i++) {
        struct fault_site *site = fault_site_at(i);
        WRITE_ONCE(site->reached, 0);
        WRITE_ONCE(site->failed_transient, 0);
        WRITE_ONCE(site->failed_persistent, 0);
    }
}
