// What threads fight for, each with its model: a mutex, tokens of a semaphore, tickets of a wait queue, memory, time.
// Compiled with the target that uses it, so that sanitizers watch it.
#pragma once

#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"
#include "kernel/sync/waitq.h"

#define CONTENDED_TOKENS 2u
#define CONTENDED_WAIT 4u // the operation that needs a ticket to end

struct contended {
    struct mutex mutex;
    struct semaphore semaphore;
    struct wait_queue tickets; // its lock covers tickets_free
    uint32_t tickets_free, owners, holders;
};

void contended_init(struct contended *on);
void contended_operate(struct contended *on, unsigned self, uint8_t op); // what: bits 0 to 2, how: bits 3 and 4
void contended_post_ticket(struct contended *on);
void contended_check(struct contended *on); // nobody is at it
