// Mutex whose waiters park. Task context from BOOT_SCHED on; may sleep. Not recursive: that panics.
#pragma once

#include "kernel/sync/waitq.h"

struct CAPABILITY("mutex") mutex {
    struct wait_queue waiters;
    struct thread *owner; // covered by waiters.lock
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
