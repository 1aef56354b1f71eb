#include "kernel/sync/condition.h"

#include "kernel/sync/context.h"

void condition_init(struct condition *condition, const char *name)
{
    wait_queue_init(&condition->waiters, name);
    spin_init(&condition->waiters.lock, name, RANK_CONDITION); // semaphores of listeners come after it
    condition->generation = 0;
    list_init(&condition->listeners);
}

uint32_t condition_seen(struct condition *condition)
{
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    uint32_t seen = condition->generation;
    spin_unlock(&condition->waiters.lock, flags);
    return seen;
}

int condition_wait_after(struct condition *condition, uint32_t seen, uint64_t deadline_ns)
{
    context_may_sleep();
    int error = 0;
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    while (condition->generation == seen && error == 0) {
        error = wait_queue_sleep_interruptible(&condition->waiters, &flags, deadline_ns);
    }
    spin_unlock(&condition->waiters.lock, flags);
    return error;
}

static int wait(struct condition *condition, struct mutex *mutex, bool interruptible) NO_LOCK_ANALYSIS
{
    context_may_sleep();
    int error = 0;
    uint32_t seen = condition_seen(condition);
    mutex_unlock(mutex); // a signal from here on is a new generation
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    while (condition->generation == seen && error == 0) {
        if (interruptible) {
            error = wait_queue_sleep_interruptible(&condition->waiters, &flags, UINT64_MAX);
        } else {
            wait_queue_sleep(&condition->waiters, &flags);
        }
    }
    spin_unlock(&condition->waiters.lock, flags);
    mutex_lock(mutex);
    return error;
}

void condition_wait(struct condition *condition, struct mutex *mutex)
{
    int error = wait(condition, mutex, false);
    ASSERT(error == 0);
}

int condition_wait_interruptible(struct condition *condition, struct mutex *mutex)
{
    return wait(condition, mutex, true);
}

void condition_signal(struct condition *condition)
{
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    condition->generation++;
    (void)wait_queue_wake_all(&condition->waiters);
    list_for_each(at, &condition->listeners)
    {
        semaphore_up(container_of(at, struct listener, link)->wake);
    }
    spin_unlock(&condition->waiters.lock, flags);
}

void condition_listen(struct condition *condition, struct listener *listener, struct semaphore *wake)
{
    listener->wake = wake;
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    list_push_back(&condition->listeners, &listener->link);
    spin_unlock(&condition->waiters.lock, flags);
}

void condition_stop_listening(struct condition *condition, struct listener *listener)
{
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    list_remove(&listener->link);
    spin_unlock(&condition->waiters.lock, flags);
}
