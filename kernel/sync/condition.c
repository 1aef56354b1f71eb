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

bool condition_signal_locked(struct condition *condition) NO_LOCK_ANALYSIS
{
    struct listener *chosen = NULL; // of the exclusive ones
    condition->generation++;
    bool woken = wait_queue_wake_all(&condition->waiters) > 0;
    list_for_each(at, &condition->listeners)
    {
        struct listener *listener = container_of(at, struct listener, link);
        if (listener->wake != NULL) {
            semaphore_up(listener->wake);
            woken = true;
        } else if (!listener->exclusive || chosen == NULL) {
            bool heard = listener->notify(listener);
            chosen = listener->exclusive && heard ? listener : chosen;
            woken |= heard;
        }
    }
    if (chosen != NULL) { // the next time it is another's turn
        list_remove(&chosen->link);
        list_push_back(&condition->listeners, &chosen->link);
    }
    return woken;
}

void condition_signal(struct condition *condition)
{
    irqflags_t flags = spin_lock(&condition->waiters.lock);
    (void)condition_signal_locked(condition);
    spin_unlock(&condition->waiters.lock, flags);
}

void condition_listen(struct condition *condition, struct listener *listener, struct semaphore *wake)
{
    *listener = (struct listener){.wake = wake};
    condition_add_listener(condition, listener);
}

void condition_add_listener(struct condition *condition, struct listener *listener)
{
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
