#include "kernel/sync/mutex.h"

#include "kernel/sched/thread.h"
#include "kernel/sync/context.h"

enum mutex_state { MUTEX_FREE, MUTEX_HELD, MUTEX_CONTENDED };

void mutex_init(struct mutex *mutex, const char *name)
{
    wait_queue_init(&mutex->waiters, name);
    mutex->state = MUTEX_FREE;
    mutex->owner = NULL;
    mutex->name = name;
}

// What is held by whom, for who must hold none. Kernel threads come with the scheduler.
static void count(struct thread *me, int change)
{
    if (FAULTLINE_CHECKS && me != NULL) {
        me->mutexes += (uint32_t)change;
    }
}

static bool change_state(struct mutex *mutex, uint32_t from, uint32_t to)
{
    return atomic_cas(&mutex->state, &from, to);
}

// With the waiters' lock: someone holds it, and will look for waiters when giving it up. False: it is free by now.
static bool mark_contended(struct mutex *mutex)
{
    return load_acquire(&mutex->state) == MUTEX_CONTENDED || change_state(mutex, MUTEX_HELD, MUTEX_CONTENDED);
}

static __attribute__((noinline)) void lock_slowly(struct mutex *mutex, struct thread *me) NO_LOCK_ANALYSIS
{
    if (READ_ONCE(mutex->owner) == me) {
        panic("mutex %s: locked again by its owner", mutex->name);
    }
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    while (!mark_contended(mutex)) {
        if (change_state(mutex, MUTEX_FREE, MUTEX_HELD)) {
            WRITE_ONCE(mutex->owner, me);
            spin_unlock(&mutex->waiters.lock, flags);
            return;
        }
    }
    // The unlocker makes the thread it wakes the owner, so one sleep is enough and nobody overtakes.
    wait_queue_sleep(&mutex->waiters, &flags);
    ASSERT(READ_ONCE(mutex->owner) == me);
    spin_unlock(&mutex->waiters.lock, flags);
}

void mutex_lock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    context_may_sleep();
    struct thread *me = thread_current();
    if (likely(change_state(mutex, MUTEX_FREE, MUTEX_HELD))) {
        WRITE_ONCE(mutex->owner, me);
    } else {
        lock_slowly(mutex, me);
    }
    count(me, 1);
}

bool mutex_trylock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    bool taken = change_state(mutex, MUTEX_FREE, MUTEX_HELD);
    if (taken) {
        WRITE_ONCE(mutex->owner, thread_current());
        count(thread_current(), 1);
    }
    return taken;
}

static __attribute__((noinline)) void hand_over(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    // Owner first: the one woken may run before wake_one() returns.
    WRITE_ONCE(mutex->owner, list_first(&mutex->waiters.waiters, struct thread, wait_link));
    (void)wait_queue_wake_one(&mutex->waiters);
    if (list_empty(&mutex->waiters.waiters)) {
        store_release(&mutex->state, MUTEX_HELD);
    }
    spin_unlock(&mutex->waiters.lock, flags);
}

void mutex_unlock(struct mutex *mutex) NO_LOCK_ANALYSIS
{
    if (unlikely(READ_ONCE(mutex->owner) != thread_current())) {
        panic("mutex %s: unlocked by a thread that does not own it", mutex->name);
    }
    WRITE_ONCE(mutex->owner, NULL);
    count(thread_current(), -1);
    if (unlikely(!change_state(mutex, MUTEX_HELD, MUTEX_FREE))) {
        hand_over(mutex);
    }
}

const char *mutex_check(struct mutex *mutex)
{
    irqflags_t flags = spin_lock(&mutex->waiters.lock);
    bool waited_for = !list_empty(&mutex->waiters.waiters);
    bool contended = load_acquire(&mutex->state) == MUTEX_CONTENDED;
    spin_unlock(&mutex->waiters.lock, flags);
    return waited_for && !contended ? "threads wait for a mutex that nobody will hand over" : NULL;
}
