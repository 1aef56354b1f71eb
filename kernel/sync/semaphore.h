// Counting semaphore. down: task context from BOOT_SCHED on, may sleep; up and try: any context.
#pragma once

#include "kernel/sync/waitq.h"

struct semaphore {
    struct wait_queue waiters;
    uint32_t count; // covered by waiters.lock
};

void semaphore_init(struct semaphore *semaphore, uint32_t count);
void semaphore_down(struct semaphore *semaphore);
// -EINTR: a signal came first.
[[nodiscard]] int semaphore_down_interruptible(struct semaphore *semaphore);
[[nodiscard]] int semaphore_down_interruptible_until(struct semaphore *semaphore,
                                                     uint64_t deadline_ns); // and -ETIMEDOUT
[[nodiscard]] bool semaphore_try_down(struct semaphore *semaphore);
[[nodiscard]] int semaphore_down_timeout(struct semaphore *semaphore, uint64_t deadline_ns); // -ETIMEDOUT: not taken
void semaphore_up(struct semaphore *semaphore);
