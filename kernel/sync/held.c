#include "kernel/sync/held.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/thread.h"

#if FAULTLINE_CHECKS
uint64_t held_limit;
static bool fatal;
static struct held places[HELD_PLACES]; // what and where: whoever sets ns from 0; else anyone's, for show

void held_set_limit(uint64_t ns, bool is_fatal)
{
    WRITE_ONCE(held_limit, 0);
    for (unsigned i = 0; i < HELD_PLACES; i++) {
        places[i] = (struct held){0};
    }
    WRITE_ONCE(fatal, is_fatal);
    WRITE_ONCE(held_limit, ns);
}

void held_measure_begin(struct cpu *cpu)
{
    cpu->held_since = timer_now();
}

// There are more places than are kept: the others are not told.
static void keep(const char *what, uint64_t where, uint64_t ns)
{
    for (unsigned i = 0; i < HELD_PLACES; i++) {
        uint64_t none = 0;
        bool mine =
            __atomic_compare_exchange_n(&places[i].where, &none, where, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        if (mine || none == where) {
            WRITE_ONCE(places[i].what, what);
            WRITE_ONCE(places[i].ns, max_u64(READ_ONCE(places[i].ns), ns));
            return;
        }
    }
}

void held_measure_end(struct cpu *cpu, const char *what, uint64_t where)
{
    uint64_t since = cpu->held_since, limit = READ_ONCE(held_limit);
    cpu->held_since = 0;
    if (since == 0 || limit == 0) {
        return; // it was not measured yet
    }
    uint64_t ns = timer_now() - since;
    if (ns > limit && READ_ONCE(fatal)) {
        WRITE_ONCE(held_limit, 0);
        panic("interrupts were off for %lu ns, until %s was let go; %lu are allowed", ns, what, limit);
    } else if (ns > limit) {
        keep(what, where, ns);
    }
}

unsigned held_places(struct held out[HELD_PLACES])
{
    unsigned count = 0;
    for (unsigned i = 0; i < HELD_PLACES; i++) {
        if (READ_ONCE(places[i].ns) > 0) {
            out[count++] = places[i];
        }
    }
    return count;
}
#else
void held_set_limit(uint64_t ns, bool fatal)
{
}

unsigned held_places(struct held out[HELD_PLACES])
{
    return 0;
}
#endif
