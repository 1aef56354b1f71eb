#include "kernel/sched/timer.h"

#include <hal/cpu.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/thread.h"

#define TIMERS_AT_ONCE 16u // in one interrupt
#define REST_LEAST_NS 10000u

static struct timer *timer_of(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct timer, node) : NULL;
}

void timer_queue_init(struct timer_queue *queue)
{
    *queue = (struct timer_queue){.first_ns = UINT64_MAX, .set_ns = UINT64_MAX};
    spin_init(&queue->lock, "timers", RANK_TIMER);
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
    irqflags_t flags = irq_save();
    *timer = (struct timer){.fire = fire, .cpu = (uint8_t)cpu_self()};
    irq_restore(flags);
}

// --- one queue, with its lock --------------------------------------------------------------------------------------

static void note_first(struct timer_queue *queue)
{
    const struct timer *first = timer_of(tree_edge(&queue->tree, 0));
    WRITE_ONCE(queue->first_ns, first != NULL ? first->deadline_ns : UINT64_MAX);
}

static void insert(struct timer_queue *queue, struct timer *timer, uint64_t deadline_ns)
{
    struct tree_node *parent = NULL, *at = queue->tree.root;
    unsigned side = 0;
    while (at != NULL) {
        parent = at;
        side = timer_of(at)->deadline_ns <= deadline_ns;
        at = at->child[side];
    }
    timer->deadline_ns = deadline_ns;
    timer->armed = true;
    tree_insert(&queue->tree, &timer->node, parent, side);
    if (deadline_ns < queue->first_ns) {
        WRITE_ONCE(queue->first_ns, deadline_ns);
    }
}

static void remove(struct timer_queue *queue, struct timer *timer)
{
    bool first = timer->deadline_ns == queue->first_ns;
    tree_remove(&queue->tree, &timer->node);
    timer->armed = false;
    if (first) {
        note_first(queue);
    }
}

// --- start and cancel ----------------------------------------------------------------------------------------------

static struct timer_queue *lock_queue_of(struct timer *timer) NO_LOCK_ANALYSIS
{
    for (;;) {
        uint8_t cpu = load_acquire(&timer->cpu);
        struct timer_queue *queue = &cpus[cpu].timers;
        spin_lock_raw(&queue->lock);
        if (timer->cpu == cpu) {
            return queue;
        }
        spin_unlock_raw(&queue->lock);
    }
}

// Its queue, locked, without the timer in it: this CPU's, unless the timer fires on another just now. Who cancels it
// looks there, so it stays; that CPU sets its hardware when it is done.
static struct timer_queue *take_out(struct timer *timer) NO_LOCK_ANALYSIS
{
    struct cpu *cpu = this_cpu();
    for (;;) {
        struct timer_queue *queue = lock_queue_of(timer);
        if (timer->armed) {
            remove(queue, timer);
        }
        if (queue == &cpu->timers || queue->running == timer) {
            return queue;
        }
        store_release(&timer->cpu, (uint8_t)cpu->local.id);
        spin_unlock_raw(&queue->lock); // two queues are never locked together
    }
}

void timer_start_quietly(struct timer *timer, uint64_t deadline_ns) NO_LOCK_ANALYSIS
{
    struct timer_queue *queue = take_out(timer);
    insert(queue, timer, deadline_ns);
    spin_unlock_raw(&queue->lock);
}

void timer_start(struct timer *timer, uint64_t deadline_ns)
{
    irqflags_t flags = irq_save();
    struct timer_queue *own = &this_cpu()->timers;
    timer_start_quietly(timer, deadline_ns);
    if (READ_ONCE(own->first_ns) < own->set_ns) {
        timer_queue_set(own, own->set_ns);
    }
    irq_restore(flags);
}

bool timer_cancel(struct timer *timer) NO_LOCK_ANALYSIS
{
    bool was_armed = false;
    irqflags_t flags = irq_save();
    for (;;) {
        struct timer_queue *queue = lock_queue_of(timer);
        if (timer->armed) {
            remove(queue, timer);
            was_armed = true;
        }
        bool running = queue->running == timer;
        spin_unlock_raw(&queue->lock);
        if (!running) {
            break;
        }
        cpu_relax();
    }
    irq_restore(flags);
    return was_armed;
}

// --- the scheduler's part ------------------------------------------------------------------------------------------

void timer_queue_set(struct timer_queue *queue, uint64_t until_ns)
{
    queue->set_ns = min_u64(max_u64(READ_ONCE(queue->first_ns), queue->rest_ns), until_ns);
    timer_arm(queue->set_ns);
}

void timer_queue_run(struct timer_queue *queue, uint64_t now_ns)
{
    if (READ_ONCE(queue->first_ns) > now_ns || queue->rest_ns > now_ns) {
        return;
    }
    spin_lock_raw(&queue->lock);
    for (unsigned fired = 0; queue->first_ns <= now_ns && fired < TIMERS_AT_ONCE; fired++) {
        struct timer *timer = timer_of(tree_edge(&queue->tree, 0));
        remove(queue, timer);
        queue->running = timer;
        spin_unlock_raw(&queue->lock);
        timer->fire(timer); // it may be gone from here on
        spin_lock_raw(&queue->lock);
        queue->running = NULL;
    }
    bool more = queue->first_ns <= now_ns;
    spin_unlock_raw(&queue->lock);
    if (more) { // whatever they cost, as much is left to whom they interrupt
        uint64_t end = timer_now();
        queue->rest_ns = end + max_u64(end - now_ns, REST_LEAST_NS);
    }
}

const char *timer_queue_check(struct timer_queue *queue)
{
    irqflags_t flags = spin_lock(&queue->lock);
    const char *broken = tree_check(&queue->tree);
    uint64_t last = 0, first = UINT64_MAX;
    for (struct tree_node *at = tree_edge(&queue->tree, 0); at != NULL && broken == NULL; at = tree_step(at, 1)) {
        const struct timer *timer = timer_of(at);
        first = min_u64(first, timer->deadline_ns);
        if (!timer->armed || &cpus[timer->cpu].timers != queue) {
            broken = "a timer does not know that it is armed, or where";
        } else if (timer->deadline_ns < last) {
            broken = "timers are out of order";
        }
        last = timer->deadline_ns;
    }
    if (broken == NULL && first != queue->first_ns) {
        broken = "the first timer is another";
    }
    spin_unlock(&queue->lock, flags);
    return broken;
}
