#include "kernel/sched/sched.h"

#include <hal/irq.h>
#include <hal/mmu.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/asid.h"
#include "kernel/sched/balance.h"
#include "kernel/sched/load.h"
#include "kernel/sched/policy.h"
#include "kernel/sched/thread_internal.h"

struct cpu cpus[MAX_CPUS];

// In ticks somebody wants to know what it has run.
static bool is_watched(const struct thread *thread)
{
    return thread->watched != NULL && READ_ONCE(*thread->watched) != 0;
}

static void arm(struct cpu *cpu, uint64_t now)
{
    const struct thread *current = cpu->queue.current;
    uint64_t tick = current == cpu->queue.idle ? UINT64_MAX : max_u64(cpu->queue.slice_end_ns, now);
    timer_queue_set(&cpu->timers, is_watched(current) ? min_u64(tick, now + SCHED_SLICE_NS) : tick);
}

static void make_ready(struct cpu *cpu, struct thread *thread);

// The flow that was just switched to finishes what the one before could not do for itself.
void sched_finish_switch(void) NO_LOCK_ANALYSIS
{
    struct thread *previous = this_cpu()->queue.previous;
    uint8_t state = READ_ONCE(previous->state); // without the lock: what is dead stays so, what moves waits for us
    store_release(&previous->on_cpu, false);
    if (state == THREAD_DEAD) {
        thread_put(previous);
    } else if (state == THREAD_MOVING) {
        spin_lock_raw(&this_cpu()->queue.lock);
        make_ready(this_cpu(), previous);
    }
}

static void switch_machine_state(struct thread *from, struct thread *to)
{
    if (from->fp != NULL) {
        fp_save(from->fp);
    }
    if (to->fp != NULL) {
        fp_restore(to->fp);
    }
    if (to->user_table != NULL && to->user_table != from->user_table) {
        asid_activate(to->user_table);
    } else if (to->user_table == NULL && from->user_table != NULL) {
        mmu_activate(paddr(0), 0); // a dead process's table must not stay in use
    }
}

// With the queue's lock: who runs next, the current one included if it still wants to.
static struct thread *pick(struct run_queue *queue, bool preempted)
{
    struct thread *current = queue->current;
    if (current->state == THREAD_RUNNING) {
        WRITE_ONCE(current->state, THREAD_READY);
        if (current != queue->idle) {
            run_queue_add(queue, current, preempted && current->policy.kind == SCHED_FIFO);
        }
    }
    struct thread *next = queue->idle;
    if (!list_empty(&queue->ready)) {
        next = list_first(&queue->ready, struct thread, run_link);
        run_queue_remove(queue, next);
    }
    WRITE_ONCE(queue->runs, next->policy.priority);
    WRITE_ONCE(next->state, THREAD_RUNNING);
    WRITE_ONCE(queue->current, next);
    return next;
}

void sched_switch(void)
{
    struct cpu *cpu = this_cpu();
    struct run_queue *queue = &cpu->queue;
    DEBUG_ASSERT(!irq_enabled() && cpu->lock_depth == 0);
    bool preempted = cpu->need_resched;
    cpu->need_resched = false;
    struct thread *from = queue->current;
    balance_urgent(cpu);
    spin_lock_raw(&queue->lock);
    struct thread *to = pick(queue, preempted);
    spin_unlock_raw(&queue->lock);
    uint64_t now = timer_now();
    if (to != from || now >= queue->slice_end_ns) {
        queue->slice_end_ns = now + policy_slice_ns(&to->policy);
    }
    arm(cpu, now);
    if (to == from) {
        return;
    }
    if (from == queue->idle) {
        balance_begin(cpu, now);
    }
    COUNT_ADD(from->runtime_ns, now - from->started_ns);
    COUNT_ADD(from->preemptions, READ_ONCE(from->state) == THREAD_READY);
    WRITE_ONCE(to->started_ns, now);
    COUNT_ADD(to->switches, 1);
    cpu->switches++;
    WRITE_ONCE(to->on_cpu, true); // before it can sleep, hence before anyone looks
    queue->previous = from;
    switch_machine_state(from, to);
    context_switch(&from->context, &to->context);
    sched_finish_switch();
}

bool sched_prepare_sleep(bool interruptible)
{
    struct run_queue *queue = &this_cpu()->queue;
    spin_lock_raw(&queue->lock);
    struct thread *me = queue->current;
    bool sleeps = !interruptible || !me->interrupted; // what comes later finds us asleep, and wakes us
    if (sleeps) {
        WRITE_ONCE(me->state, THREAD_SLEEPING);
        WRITE_ONCE(me->interruptible, interruptible);
    }
    spin_unlock_raw(&queue->lock);
    return sleeps;
}

// --- waking --------------------------------------------------------------------------------------------------------

static bool is_idle(const struct cpu *cpu)
{
    return load_acquire(&cpu->online) && READ_ONCE(cpu->queue.current) == cpu->queue.idle &&
           READ_ONCE(cpu->queue.length) == 0;
}

// Where a thread that ran on cpu had best wake up: there if it is idle, else on any idle CPU, else, if it is a
// real-time thread that would have to wait, where something less urgent runs, else there; if it may.
static struct cpu *wake_target(struct cpu *cpu, const struct thread *thread)
{
    bool may = thread_may_run_on(thread, cpu->local.id);
    if (may && is_idle(cpu)) {
        return cpu;
    }
    struct cpu *busy = may ? cpu : NULL;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        if (thread_may_run_on(thread, id) && is_idle(&cpus[id])) {
            return &cpus[id];
        }
        if (busy == NULL && thread_may_run_on(thread, id) && load_acquire(&cpus[id].online)) {
            busy = &cpus[id];
        }
    }
    busy = busy != NULL ? busy : cpu;
    return thread->policy.priority > READ_ONCE(busy->queue.runs) || thread->policy.priority == 0
               ? busy
               : balance_least_urgent(busy, thread);
}

// With the lock of cpu's queue.
static void enqueue_and_kick(struct cpu *cpu, struct thread *thread)
{
    run_queue_add(&cpu->queue, thread, false);
    const struct thread *current = cpu->queue.current;
    if (current != cpu->queue.idle && !policy_yields(current, thread, false)) {
        return; // its slice will end
    }
    if (cpu == this_cpu()) {
        cpu->need_resched = true;
    } else {
        ipi_send(1u << cpu->local.id, SGI_RESCHEDULE);
    }
}

static struct cpu *lock_queue_of(struct thread *thread) NO_LOCK_ANALYSIS
{
    for (;;) {
        struct cpu *cpu = &cpus[load_acquire(&thread->cpu)];
        spin_lock_raw(&cpu->queue.lock);
        if (thread->cpu == cpu->local.id) {
            return cpu;
        }
        spin_unlock_raw(&cpu->queue.lock);
    }
}

// With the lock of cpu's queue, which it gives up; thread, whose CPU it is, is in no queue. The thread's CPU changes
// under the lock before: who holds that, and has found the thread there, may rely on it.
static void move_and_enqueue(struct cpu *cpu, struct cpu *target, struct thread *thread) NO_LOCK_ANALYSIS
{
    if (target != cpu) {
        store_release(&thread->cpu, (uint8_t)target->local.id);
        spin_unlock_raw(&cpu->queue.lock); // two queues are never locked together
        spin_lock_raw(&target->queue.lock);
    }
    enqueue_and_kick(target, thread);
    spin_unlock_raw(&target->queue.lock);
}

// With the lock of cpu's queue, which it gives up; thread sleeps.
static void make_ready(struct cpu *cpu, struct thread *thread) NO_LOCK_ANALYSIS
{
    WRITE_ONCE(thread->state, THREAD_READY);
    struct cpu *target = load_acquire(&thread->on_cpu) ? cpu : wake_target(cpu, thread);
    move_and_enqueue(cpu, target, thread);
}

void sched_wake(struct thread *thread) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    struct cpu *cpu = lock_queue_of(thread);
    if (thread->state == THREAD_SLEEPING) {
        make_ready(cpu, thread);
    } else {
        spin_unlock_raw(&cpu->queue.lock);
    }
    irq_restore(flags);
}

void sched_interrupt(struct thread *thread) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    struct cpu *cpu = lock_queue_of(thread);
    WRITE_ONCE(thread->interrupted, true);
    if (thread->state == THREAD_SLEEPING && thread->interruptible) {
        make_ready(cpu, thread);
    } else {
        bool elsewhere = thread->state == THREAD_RUNNING && cpu != this_cpu();
        spin_unlock_raw(&cpu->queue.lock);
        if (elsewhere) { // it looks on its way back to user space
            ipi_send(1u << cpu->local.id, SGI_RESCHEDULE);
        }
    }
    irq_restore(flags);
}

void sched_move(void) NO_LOCK_ANALYSIS
{
    struct run_queue *queue = &this_cpu()->queue;
    spin_lock_raw(&queue->lock);
    WRITE_ONCE(queue->current->state, THREAD_MOVING);
    spin_unlock_raw(&queue->lock);
    sched_switch();
}

void sched_nudge(struct thread *thread) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    struct cpu *cpu = lock_queue_of(thread);
    bool elsewhere = thread->state == THREAD_RUNNING && cpu != this_cpu();
    if (thread->state != THREAD_SLEEPING) {
        WRITE_ONCE(thread->interrupted, true);
    }
    spin_unlock_raw(&cpu->queue.lock);
    if (elsewhere) {
        ipi_send(1u << cpu->local.id, SGI_RESCHEDULE);
    }
    irq_restore(flags);
}

void thread_set_policy(struct thread *thread, const struct sched_policy *policy) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    struct cpu *cpu = lock_queue_of(thread);
    bool waits = thread->state == THREAD_READY && !list_empty(&thread->run_link);
    if (waits) {
        run_queue_remove(&cpu->queue, thread);
    }
    thread->policy = *policy;
    if (waits) {
        run_queue_add(&cpu->queue, thread, false);
    } else if (thread == cpu->queue.current) {
        WRITE_ONCE(cpu->queue.runs, policy->priority);
    }
    spin_unlock_raw(&cpu->queue.lock);
    ipi_send(1u << cpu->local.id, SGI_RESCHEDULE); // who runs there may have to give way
    irq_restore(flags);
}

// A new thread, ready, on the least busy CPU.
void sched_add(struct thread *thread) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    struct cpu *cpu = lock_queue_of(thread); // a signal may be on its way to it already
    struct cpu *target = wake_target(this_cpu(), thread);
    move_and_enqueue(cpu, is_idle(target) ? target : balance_least_busy(target, thread), thread);
    irq_restore(flags);
}

// --- time ----------------------------------------------------------------------------------------------------------

void sched_set_deadline(uint64_t deadline_ns)
{
    struct thread *me = this_cpu()->queue.current;
    if (deadline_ns == UINT64_MAX) {
        (void)timer_cancel(&me->timer); // it may have fired
    } else {
        timer_start_quietly(&me->timer, deadline_ns); // the switch to come sets the hardware
    }
}

void sched_timer_fired(struct timer *timer)
{
    sched_wake(container_of(timer, struct thread, timer));
}

static void ask_to_yield(struct cpu *cpu, bool slice_is_over)
{
    struct run_queue *queue = &cpu->queue;
    if (READ_ONCE(queue->length) == 0) {
        return;
    }
    spin_lock_raw(&queue->lock);
    bool waits = !list_empty(&queue->ready);
    if (waits && (queue->current == queue->idle ||
                  policy_yields(queue->current, list_first(&queue->ready, struct thread, run_link), slice_is_over))) {
        cpu->need_resched = true;
    }
    spin_unlock_raw(&queue->lock);
}

void sched_tick(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t now = timer_now();
    struct thread *current = cpu->queue.current;
    COUNT_ADD(current->user_ticks, cpu->interrupted_user);
    COUNT_ADD(current->kernel_ticks, !cpu->interrupted_user);
    if (is_watched(current)) {
        WRITE_ONCE(current->tick_due, true);
    }
    if (unlikely(READ_ONCE(load_rests)) && current != cpu->queue.idle) {
        load_resume();
    }
    timer_queue_run(&cpu->timers, now);
    bool over = now >= cpu->queue.slice_end_ns;
    if (current != cpu->queue.idle && now >= cpu->queue.balance_ns) {
        balance_tick(cpu, now);
    }
    ask_to_yield(cpu, over);
    if (over && !cpu->need_resched) {
        cpu->queue.slice_end_ns = now + policy_slice_ns(&current->policy);
    }
    arm(cpu, now);
}

void sched_ipi(void)
{
    struct cpu *cpu = this_cpu();
    (void)__atomic_fetch_add(&cpu->barriers, 1, __ATOMIC_SEQ_CST);
    ask_to_yield(cpu, false);
}

// Whoever counts, counts after we have looked; where we are ourselves does not matter then.
void sched_barrier(void)
{
    uint64_t seen[MAX_CPUS];
    uint32_t mask = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        seen[id] = load_acquire(&cpus[id].barriers);
        mask |= load_acquire(&cpus[id].online) ? 1u << id : 0;
    }
    if (mask == 1) {
        return; // nobody else
    }
    ipi_send(mask, SGI_RESCHEDULE);
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        while ((mask >> id & 1) != 0 && load_acquire(&cpus[id].barriers) == seen[id]) {
            cpu_relax();
        }
    }
}

void sched_interrupt_exit(void)
{
    struct cpu *cpu = this_cpu();
    if (cpu->need_resched && cpu->queue.current != NULL) {
        sched_switch();
    }
}

// --- idle ----------------------------------------------------------------------------------------------------------

void sched_idle_loop(void)
{
    for (;;) {
        struct cpu *cpu = this_cpu();
        if (READ_ONCE(cpu->queue.length) > 0 || balance_idle(cpu)) {
            sched_switch();
            continue;
        }
        cpu_idle();
        irq_enable(); // the pending interrupt is taken here
        irq_disable();
    }
}

const char *sched_check(void)
{
    const char *broken = NULL;
    for (unsigned id = 0; id < MAX_CPUS && broken == NULL; id++) {
        struct run_queue *queue = &cpus[id].queue;
        if (!load_acquire(&cpus[id].online)) {
            continue;
        }
        irqflags_t flags = spin_lock(&queue->lock);
        uint32_t length = 0;
        list_for_each(at, &queue->ready)
        {
            const struct thread *thread = container_of(at, struct thread, run_link);
            length++;
            if (thread->state != THREAD_READY || thread->cpu != id) {
                broken = "a run queue holds a thread that is not ready, or another CPU's";
            }
        }
        uint8_t waits =
            list_empty(&queue->ready) ? 0 : list_first(&queue->ready, struct thread, run_link)->policy.priority;
        if (waits != queue->waits) {
            broken = "a run queue does not know how urgent its first thread is";
        }
        if (length != queue->length) {
            broken = "a run queue's length is wrong";
        }
        spin_unlock(&queue->lock, flags);
        broken = broken != NULL ? broken : timer_queue_check(&cpus[id].timers);
    }
    return broken;
}

// --- start ---------------------------------------------------------------------------------------------------------

static void start_cpu(struct cpu *cpu, struct thread *current, struct thread *idle)
{
    struct run_queue *queue = &cpu->queue;
    spin_init(&queue->lock, "run queue", RANK_RUN_QUEUE);
    list_init(&queue->ready);
    timer_queue_init(&cpu->timers);
    queue->length = 0;
    queue->runs = queue->waits = 0;
    queue->balance_ns = queue->rotate_ns = 0;
    queue->previous = NULL;
    current->state = THREAD_RUNNING;
    current->on_cpu = true;
    current->cpu = idle->cpu = (uint8_t)cpu->local.id;
    current->started_ns = timer_now();
    queue->idle = idle;
    queue->current = current;
    flow_local_set(current);
    cpu->need_resched = false;
    store_release(&cpu->online, true); // with a queue that others may use
}

static void idle_entry(void *argument)
{
    irq_disable();
    sched_idle_loop();
}

int sched_init(void)
{
    struct thread *idle;
    thread_subsystem_init();
    int error = thread_make("idle0", idle_entry, NULL, &idle);
    if (error == 0) {
        start_cpu(this_cpu(), thread_adopt_boot_flow("boot"), idle);
    }
    return error;
}

void sched_cpu_init(void)
{
    struct thread *idle = thread_adopt_boot_flow("idle");
    start_cpu(this_cpu(), idle, idle);
}
