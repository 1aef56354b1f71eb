// Wait queue: threads that sleep until someone wakes them, first come first served.
#pragma once

#include "kernel/base/list.h"
#include "kernel/sync/spinlock.h"

struct thread;

struct wait_queue {
    struct spinlock lock; // covers waiters and whatever condition the owner keeps under it
    struct list waiters;
};

void wait_queue_init(struct wait_queue *queue, const char *name);
// Sleeps until woken; releases queue->lock meanwhile and holds it again on return. Task context, interrupts were on
// before the lock (flags says so). The condition may have changed: check again.
void wait_queue_sleep(struct wait_queue *queue, irqflags_t *flags) REQUIRES(queue->lock);
// Likewise until deadline_ns (timer_now() time, UINT64_MAX: none). -ETIMEDOUT: not woken.
[[nodiscard]] int wait_queue_sleep_until(struct wait_queue *queue, irqflags_t *flags, uint64_t deadline_ns)
    REQUIRES(queue->lock);
// Likewise, and a signal ends it too. -EINTR: one was there, or came; else as above.
[[nodiscard]] int wait_queue_sleep_interruptible(struct wait_queue *queue, irqflags_t *flags, uint64_t deadline_ns)
    REQUIRES(queue->lock);
// Wake the first, or all. Any context. Returns the thread woken, or how many.
struct thread *wait_queue_wake_one(struct wait_queue *queue) REQUIRES(queue->lock);
unsigned wait_queue_wake_all(struct wait_queue *queue) REQUIRES(queue->lock);
