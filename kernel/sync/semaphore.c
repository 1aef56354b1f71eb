#include "kernel/sync/semaphore.h"

#include "kernel/sync/context.h"

void semaphore_init(struct semaphore *semaphore, uint32_t count)
{
    wait_queue_init(&semaphore->waiters, "semaphore");
    semaphore->count = count;
}

int semaphore_down_timeout(struct semaphore *semaphore, uint64_t deadline_ns)
{
    context_may_sleep();
    int error = 0;
    irqflags_t flags = spin_lock(&semaphore->waiters.lock);
    while (semaphore->count == 0 && error == 0) {
        error = wait_queue_sleep_until(&semaphore->waiters, &flags, deadline_ns);
    }
    if (semaphore->count > 0) {
        semaphore->count--; // also when the count and the deadline came together
        error = 0;
    }
    spin_unlock(&semaphore->waiters.lock, flags);
    return error;
}

int semaphore_down_interruptible_until(struct semaphore *semaphore, uint64_t deadline_ns)
{
    context_may_sleep();
    int error = 0;
    irqflags_t flags = spin_lock(&semaphore->waiters.lock);
    while (semaphore->count == 0 && error == 0) {
        error = wait_queue_sleep_interruptible(&semaphore->waiters, &flags, deadline_ns);
    }
    if (semaphore->count > 0) {
        semaphore->count--;
        error = 0;
    }
    spin_unlock(&semaphore->waiters.lock, flags);
    return error;
}

int semaphore_down_interruptible(struct semaphore *semaphore)
{
    return semaphore_down_interruptible_until(semaphore, UINT64_MAX);
}

void semaphore_down(struct semaphore *semaphore)
{
    int error = semaphore_down_timeout(semaphore, UINT64_MAX);
    ASSERT(error == 0);
}

bool semaphore_try_down(struct semaphore *semaphore)
{
    irqflags_t flags = spin_lock(&semaphore->waiters.lock);
    bool taken = semaphore->count > 0;
    semaphore->count -= taken;
    spin_unlock(&semaphore->waiters.lock, flags);
    return taken;
}

void semaphore_up(struct semaphore *semaphore)
{
    irqflags_t flags = spin_lock(&semaphore->waiters.lock);
    semaphore->count++;
    (void)wait_queue_wake_one(&semaphore->waiters);
    spin_unlock(&semaphore->waiters.lock, flags);
}
