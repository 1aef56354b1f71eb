#include "kernel/sync/mutex.h"

#include "kernel/sched/thread.h"
#include "kernel/sync/context.h"

void mutex_init(struct mutex *mutex, const char *name)
{
    wait_queue_init(&mutex->waiters, name);
    mutex->owner = NULL;
    mutex->name = name;
}

void mutex_lock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    context_may_sleep();
    struct thread *me = thread_current();
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    if (mutex->owner == me) {
        panic("mutex %s: locked again by its owner", mutex->name);
    }
    if (mutex->owner == NULL) {
        mutex->owner = me;
    } else {
        // The unlocker makes the thread it wakes the owner, so one sleep is enough and nobody overtakes.
        wait_queue_sleep(&mutex->waiters, &flags);
        ASSERT(mutex->owner == me);
    }
    spin_unlock(&mutex->waiters.lock, flags);
}

bool mutex_trylock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    bool taken = mutex->owner == NULL;
    if (taken) {
        mutex->owner = thread_current();
    }
    spin_unlock(&mutex->waiters.lock, flags);
    return taken;
}

void mutex_unlock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    if (mutex->owner != thread_current()) {
        panic("mutex %s: unlocked by a thread that does not own it", mutex->name);
    }
    // Owner first: the one woken may run before wake_one() returns.
    struct list *first = mutex->waiters.waiters.next;
    bool waiting = first != &mutex->waiters.waiters;
    mutex->owner = waiting ? container_of(first, struct thread, wait_link) : NULL;
    if (waiting) {
        (void)wait_queue_wake_one(&mutex->waiters);
    }
    spin_unlock(&mutex->waiters.lock, flags);
}

const char *mutex_check(struct mutex *mutex)
{
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    bool orphans = mutex->owner == NULL && !list_empty(&mutex->waiters.waiters);
    spin_unlock(&mutex->waiters.lock, flags);
    return orphans ? "threads wait for a mutex that nobody owns" : NULL;
}
