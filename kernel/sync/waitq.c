#include "kernel/sync/waitq.h"

#include "kernel/base/atomic.h"
#include "kernel/sched/sched.h"

void wait_queue_init(struct wait_queue *queue, const char *name)
{
    spin_init(&queue->lock, name, RANK_WAIT_QUEUE);
    list_init(&queue->waiters);
}

static int sleep(struct wait_queue *queue, uint64_t deadline_ns, bool interruptible) NO_LOCK_ANALYSIS
{
    DEBUG_ASSERT(this_cpu()->interrupt_depth == 0 && this_cpu()->lock_depth == 1);
    struct thread *me = this_cpu()->queue.current;
    if (!sched_prepare_sleep(interruptible)) {
        return -EINTR;
    }
    list_push_back(&queue->waiters, &me->wait_link);
    if (deadline_ns != UINT64_MAX) {
        sched_set_deadline(deadline_ns);
    }
    // From here on a waker may make us ready; the switch then finds us so.
    spin_unlock_raw(&queue->lock);
    sched_switch();
    if (deadline_ns != UINT64_MAX) {
        sched_set_deadline(UINT64_MAX);
    }
    spin_lock_raw(&queue->lock);
    if (list_empty(&me->wait_link)) {
        return 0;
    }
    list_remove(&me->wait_link); // nobody took us off the queue: it was the clock, or a signal
    return interruptible && load_acquire(&me->interrupted) ? -EINTR : -ETIMEDOUT;
}

int wait_queue_sleep_until(struct wait_queue *queue, irqflags_t *flags, uint64_t deadline_ns)
{
    (void)flags; // interrupts stay off until the caller's spin_unlock()
    return sleep(queue, deadline_ns, false);
}

int wait_queue_sleep_interruptible(struct wait_queue *queue, irqflags_t *flags, uint64_t deadline_ns)
{
    (void)flags;
    return sleep(queue, deadline_ns, true);
}

void wait_queue_sleep(struct wait_queue *queue, irqflags_t *flags)
{
    int error = wait_queue_sleep_until(queue, flags, UINT64_MAX);
    ASSERT(error == 0);
}

struct thread *wait_queue_wake_one(struct wait_queue *queue)
{
    if (list_empty(&queue->waiters)) {
        return NULL;
    }
    struct thread *thread = list_first(&queue->waiters, struct thread, wait_link);
    list_remove(&thread->wait_link);
    sched_wake(thread);
    return thread;
}

unsigned wait_queue_wake_all(struct wait_queue *queue)
{
    unsigned count = 0;
    while (wait_queue_wake_one(queue) != NULL) {
        count++;
    }
    return count;
}
