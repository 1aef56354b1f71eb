// Condition variable: waits, with a mutex given up meanwhile, until somebody says that things have changed. Task
// context; may sleep. Spurious returns are allowed: look again.
#pragma once

#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"

struct condition {
    struct wait_queue waiters;
    uint32_t generation;   // covered by waiters.lock
    struct list listeners; // likewise: who waits for several conditions at once
};

// While it listens, each signal of the condition raises the semaphore, or calls notify: with the condition's lock, in
// any context. It says whether somebody was woken. Of exclusive listeners those behind the first that says so hear
// nothing.
struct listener {
    struct list link;
    struct semaphore *wake; // NULL: notify
    bool (*notify)(struct listener *listener);
    bool exclusive;
};

void condition_init(struct condition *condition, const char *name);
void condition_wait(struct condition *condition, struct mutex *mutex); // mutex is held, and held again on return
[[nodiscard]] int condition_wait_interruptible(struct condition *condition, struct mutex *mutex); // -EINTR: a signal
// Without a mutex: ask which generation it is, look at the state, then wait for another.
uint32_t condition_seen(struct condition *condition);
// -EINTR: a signal; -ETIMEDOUT.
[[nodiscard]] int condition_wait_after(struct condition *condition, uint32_t seen, uint64_t deadline_ns);
void condition_signal(struct condition *condition);        // wakes everybody; any context
bool condition_signal_locked(struct condition *condition); // with waiters.lock: whether somebody was woken
// Has notify or wake set.
void condition_add_listener(struct condition *condition, struct listener *listener);
void condition_listen(struct condition *condition, struct listener *listener, struct semaphore *wake);
void condition_stop_listening(struct condition *condition, struct listener *listener);
