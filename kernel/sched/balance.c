#include "kernel/sched/balance.h"

#include <hal/cpu.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/policy.h"
#include "kernel/sched/sched.h"

#define BALANCE_NS (2 * SCHED_SLICE_NS)
#define ROTATE_NS (16 * SCHED_SLICE_NS) // one too many for all CPUs to have as much: each gets it in turn

static uint32_t urgent; // atomic: real-time threads that are ready and do not run

static void note_first(struct run_queue *queue)
{
    bool none = list_empty(&queue->ready);
    WRITE_ONCE(queue->waits, none ? 0 : list_first(&queue->ready, struct thread, run_link)->policy.priority);
}

void run_queue_add(struct run_queue *queue, struct thread *thread, bool first_of_its_kind)
{
    policy_enqueue(&queue->ready, thread, first_of_its_kind);
    WRITE_ONCE(queue->length, queue->length + 1);
    if (thread->policy.priority > 0) {
        (void)atomic_add(&urgent, 1);
        note_first(queue);
    }
}

void run_queue_remove(struct run_queue *queue, struct thread *thread)
{
    list_remove(&thread->run_link);
    WRITE_ONCE(queue->length, queue->length - 1);
    if (thread->policy.priority > 0) {
        (void)atomic_add(&urgent, -1u);
        note_first(queue);
    }
}

// --- taking --------------------------------------------------------------------------------------------------------

// A ready thread of victim that may run on thief, if at least so many wait there, and it is more urgent than above.
// It is thief's then, and in no queue.
static struct thread *take_from(struct cpu *victim, const struct cpu *thief, uint32_t least, int above) NO_LOCK_ANALYSIS
{
    struct thread *taken = NULL;
    unsigned steps = 0;
    spin_lock_raw(&victim->queue.lock);
    list_for_each(at, &victim->queue.ready)
    {
        struct thread *thread = container_of(at, struct thread, run_link);
        if (victim->queue.length < least || steps++ == BALANCE_WALK_MAX || thread->policy.priority <= above) {
            break;
        }
        if (!load_acquire(&thread->on_cpu) && thread_may_run_on(thread, thief->local.id)) {
            taken = thread;
            run_queue_remove(&victim->queue, thread);
            store_release(&thread->cpu, (uint8_t)thief->local.id);
            break;
        }
    }
    spin_unlock_raw(&victim->queue.lock);
    return taken;
}

static bool take(struct cpu *victim, struct cpu *thief, uint32_t least, int above) NO_LOCK_ANALYSIS
{
    struct thread *thread = take_from(victim, thief, least, above);
    if (thread != NULL) {
        spin_lock_raw(&thief->queue.lock);
        run_queue_add(&thief->queue, thread, false);
        spin_unlock_raw(&thief->queue.lock);
    }
    return thread != NULL;
}

bool balance_idle(struct cpu *cpu)
{
    for (unsigned step = 1; step < MAX_CPUS; step++) {
        struct cpu *victim = &cpus[(cpu->local.id + step) % MAX_CPUS];
        if (load_acquire(&victim->online) && READ_ONCE(victim->queue.length) > 0 && take(victim, cpu, 1, -1)) {
            return true;
        }
    }
    return false;
}

void balance_begin(struct cpu *cpu, uint64_t now)
{
    cpu->queue.balance_ns = now + BALANCE_NS;
    cpu->queue.rotate_ns = now + ROTATE_NS;
}

void balance_tick(struct cpu *cpu, uint64_t now)
{
    struct cpu *busiest = NULL;
    uint32_t own = READ_ONCE(cpu->queue.length), most = own;
    cpu->queue.balance_ns = now + BALANCE_NS;
    for (unsigned step = 1; step < MAX_CPUS; step++) { // not all at the same one
        struct cpu *other = &cpus[(cpu->local.id + step) % MAX_CPUS];
        uint32_t length = READ_ONCE(other->queue.length); // 0 of one that is not there
        if (length > most) {
            most = length;
            busiest = other;
        }
    }
    bool rotates = now >= cpu->queue.rotate_ns;
    if (busiest != NULL && (most >= own + 2 || rotates)) {
        (void)take(busiest, cpu, own + (rotates ? 1 : 2), -1);
    }
    if (rotates) {
        cpu->queue.rotate_ns = now + ROTATE_NS;
    }
}

void balance_urgent(struct cpu *cpu)
{
    if (likely(READ_ONCE(urgent) == 0)) {
        return;
    }
    const struct run_queue *queue = &cpu->queue;
    bool goes_on = READ_ONCE(queue->current->state) == THREAD_RUNNING;
    uint8_t best = max_u64(READ_ONCE(queue->waits), goes_on ? queue->current->policy.priority : 0);
    struct cpu *victim = NULL;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        uint8_t waits = load_acquire(&cpus[id].online) ? READ_ONCE(cpus[id].queue.waits) : 0;
        if (&cpus[id] != cpu && waits > best) {
            best = waits;
            victim = &cpus[id];
        }
    }
    if (victim != NULL) {
        (void)take(victim, cpu, 1, best - 1);
    }
}

// --- choosing ------------------------------------------------------------------------------------------------------

struct cpu *balance_least_urgent(struct cpu *cpu, const struct thread *thread)
{
    struct cpu *best = cpu;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        bool may = load_acquire(&cpus[id].online) && thread_may_run_on(thread, id);
        if (may && READ_ONCE(cpus[id].queue.runs) < READ_ONCE(best->queue.runs)) {
            best = &cpus[id];
        }
    }
    return best;
}

struct cpu *balance_least_busy(struct cpu *cpu, const struct thread *thread)
{
    struct cpu *best = cpu;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        bool may = load_acquire(&cpus[id].online) && thread_may_run_on(thread, id);
        if (may && READ_ONCE(cpus[id].queue.length) < READ_ONCE(best->queue.length)) {
            best = &cpus[id];
        }
    }
    return best;
}
