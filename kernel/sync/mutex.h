// Mutex whose waiters park. Task context from BOOT_SCHED on; may sleep. Not recursive: that panics. Without contention
// it is one compare-and-exchange each way.
#pragma once

#include "kernel/sync/waitq.h"

struct thread;

struct CAPABILITY("mutex") mutex {
    uint32_t state;            // atomic: enum mutex_state
    struct thread *owner;      // atomic; its own to write, or waiters.lock with state MUTEX_CONTENDED
    struct wait_queue waiters; // there are some exactly while its lock is free and the state MUTEX_CONTENDED
    const char *name;
};

#define MUTEX_INIT(self, name_)                                                                                        \
    {.waiters = {.lock = SPINLOCK_INIT(name_, RANK_WAIT_QUEUE),                                                        \
                 .waiters = {&(self).waiters.waiters, &(self).waiters.waiters}},                                       \
     .name = (name_)}
void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex);
[[nodiscard]] bool mutex_trylock(struct mutex *mutex) TRY_ACQUIRES(true, *mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(*mutex); // hands over to the first waiter
[[nodiscard]] const char *mutex_check(struct mutex *mutex);
