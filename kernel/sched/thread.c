#include "kernel/sched/thread.h"

#include <hal/cpu.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/thread_internal.h"
#include "kernel/sync/context.h"

static struct {
    struct spinlock lock; // covers the rest
    struct list all;
    uint32_t count, next_id;
} threads;

static struct thread boot_flows[MAX_CPUS]; // what each CPU was doing when the scheduler began there

void thread_subsystem_init(void)
{
    spin_init(&threads.lock, "threads", RANK_PROCESS);
    list_init(&threads.all);
    threads.count = 0;
    threads.next_id = 1;
}

static void init_thread(struct thread *thread, const char *name)
{
    *thread = (struct thread){.allowed = UINT32_MAX, .state = THREAD_READY};
    format(thread->name, sizeof(thread->name), "%s", name);
    list_init(&thread->run_link);
    list_init(&thread->wait_link);
    timer_init(&thread->timer, sched_timer_fired);
    wait_queue_init(&thread->exit_queue, "thread exit");
    irqflags_t flags = spin_lock(&threads.lock);
    thread->id = threads.next_id++;
    WRITE_ONCE(threads.count, threads.count + 1);
    list_push_back(&threads.all, &thread->all_link);
    spin_unlock(&threads.lock, flags);
}

struct thread *thread_adopt_boot_flow(const char *name)
{
    struct thread *thread = &boot_flows[this_cpu()->local.id];
    init_thread(thread, name);
    thread->references = 1; // never ends
    return thread;
}

static void start(void *argument)
{
    struct thread *me = argument;
    sched_finish_switch();
    irq_enable();
    me->entry(me->argument);
    thread_exit(0);
}

int thread_make(const char *name, void (*entry)(void *), void *argument, struct thread **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct thread), &memory);
    if (error != 0) {
        return error;
    }
    struct kernel_stack stack;
    error = kernel_stack_alloc(&stack);
    if (error != 0) {
        kfree(memory);
        return error;
    }
    struct thread *thread = memory;
    init_thread(thread, name);
    thread->stack = stack;
    thread->entry = entry;
    thread->argument = argument;
    thread->references = 2;
    context_init(&thread->context, stack.top, KERNEL_STACK_SIZE, start, thread, thread);
    *out = thread;
    return 0;
}

int thread_create(const char *name, void (*entry)(void *), void *argument, struct thread **out)
{
    int error = thread_make(name, entry, argument, out);
    if (error == 0) {
        thread_start(*out);
    }
    return error;
}

void thread_start(struct thread *thread)
{
    sched_add(thread);
}

void thread_unmake(struct thread *thread)
{
    thread->references = 1; // nobody else has seen it
    thread_put(thread);
}

struct thread *thread_next(const struct thread *after)
{
    struct list *next = after != NULL ? after->all_link.next : threads.all.next;
    return next == NULL || next == &threads.all ? NULL : container_of(next, struct thread, all_link);
}

void thread_put(struct thread *thread)
{
    if (__atomic_sub_fetch(&thread->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    irqflags_t flags = spin_lock(&threads.lock);
    list_remove(&thread->all_link);
    WRITE_ONCE(threads.count, threads.count - 1);
    spin_unlock(&threads.lock, flags);
    context_release(&thread->context);
    kernel_stack_free(&thread->stack);
    uint32_t *counted = thread->counted;
    kfree(thread);
    if (counted != NULL) {
        (void)__atomic_fetch_sub(counted, 1, __ATOMIC_RELEASE);
    }
}

uint64_t thread_runtime(const struct thread *thread)
{
    irqflags_t flags = irq_save();
    uint64_t ran = READ_ONCE(thread->runtime_ns), since = READ_ONCE(thread->started_ns), now = timer_now();
    bool runs = READ_ONCE(thread->state) == THREAD_RUNNING && READ_ONCE(thread->on_cpu);
    irq_restore(flags);
    return runs && now > since ? ran + (now - since) : ran;
}

void thread_exit(int code)
{
    struct thread *me = thread_current();
    if (FAULTLINE_CHECKS && me->mutexes != 0) {
        panic("thread %u ends with %u mutexes held", me->id, me->mutexes);
    }
    irqflags_t flags = spin_lock(&me->exit_queue.lock);
    me->exit_code = code;
    me->exited = true;
    wait_queue_wake_all(&me->exit_queue);
    spin_unlock(&me->exit_queue.lock, flags);
    irq_disable();
    struct run_queue *queue = &this_cpu()->queue;
    spin_lock_raw(&queue->lock);
    WRITE_ONCE(me->state, THREAD_DEAD);
    spin_unlock_raw(&queue->lock);
    sched_switch();
    panic("a dead thread ran again");
}

int thread_join(struct thread *thread)
{
    context_may_sleep();
    irqflags_t flags = spin_lock(&thread->exit_queue.lock);
    while (!thread->exited) {
        wait_queue_sleep(&thread->exit_queue, &flags);
    }
    int code = thread->exit_code;
    spin_unlock(&thread->exit_queue.lock, flags);
    // Its last switch may still be under way on another CPU: what the thread held is free when we return, not some time
    // later.
    while (load_acquire(&thread->references) > 1) {
        thread_yield();
        cpu_relax();
    }
    thread_put(thread);
    return code;
}

void thread_detach(struct thread *thread)
{
    thread_put(thread);
}

void thread_set_name(struct thread *thread, const char *name)
{
    irqflags_t flags = spin_lock(&threads.lock);
    format(thread->name, sizeof(thread->name), "%s", name);
    spin_unlock(&threads.lock, flags);
}

void thread_yield(void)
{
    irqflags_t flags = irq_save();
    sched_switch();
    irq_restore(flags);
}

void thread_sleep_until(uint64_t deadline_ns)
{
    context_may_sleep();
    struct wait_queue nobody_wakes;
    wait_queue_init(&nobody_wakes, "sleep");
    irqflags_t flags = spin_lock(&nobody_wakes.lock);
    while (timer_now() < deadline_ns) {
        (void)wait_queue_sleep_until(&nobody_wakes, &flags, deadline_ns);
    }
    spin_unlock(&nobody_wakes.lock, flags);
}

void thread_for_each(void (*visit)(struct thread *thread, void *argument), void *argument)
{
    irqflags_t flags = spin_lock(&threads.lock);
    list_for_each(at, &threads.all)
    {
        visit(container_of(at, struct thread, all_link), argument);
    }
    spin_unlock(&threads.lock, flags);
}

uint32_t thread_count(void)
{
    return READ_ONCE(threads.count);
}
