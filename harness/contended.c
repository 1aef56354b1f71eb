#include "harness/contended.h"

#include <hal/timer.h>

#include "harness/fuzz.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"

void contended_init(struct contended *on)
{
    mutex_init(&on->mutex, "fuzz");
    semaphore_init(&on->semaphore, CONTENDED_TOKENS);
    wait_queue_init(&on->tickets, "tickets");
}

static void critical(struct contended *on, uint8_t how)
{
    EXPECT_MODEL(++on->owners == 1, "%u threads own the mutex", on->owners);
    if ((how & 1) != 0) {
        thread_yield();
    }
    on->owners--;
}

static void with_token(struct contended *on, uint8_t how)
{
    EXPECT_MODEL(atomic_add(&on->holders, 1) < CONTENDED_TOKENS, "%u threads hold %u tokens", on->holders,
                 CONTENDED_TOKENS);
    if ((how & 1) != 0) {
        thread_sleep_until(timer_now() + 100000);
    }
    atomic_add(&on->holders, -1u);
    semaphore_up(&on->semaphore);
}

void contended_post_ticket(struct contended *on)
{
    irqflags_t flags = spin_lock(&on->tickets.lock);
    on->tickets_free++;
    (void)wait_queue_wake_one(&on->tickets);
    spin_unlock(&on->tickets.lock, flags);
}

static void take_ticket(struct contended *on, bool timed)
{
    int error = 0;
    irqflags_t flags = spin_lock(&on->tickets.lock);
    while (on->tickets_free == 0 && error == 0) {
        error = wait_queue_sleep_until(&on->tickets, &flags, timed ? timer_now() + 300000 : UINT64_MAX);
    }
    EXPECT_MODEL(error == 0 || timed, "a wait without a deadline gave %d", error);
    bool taken = on->tickets_free > 0;
    on->tickets_free -= taken;
    spin_unlock(&on->tickets.lock, flags);
    if (!taken && !timed) {
        machine_finding("model", "a wait ended without a ticket");
    }
}

static void memory(uint8_t how)
{
    void *object;
    uint64_t size = 16ull << (how & 7);
    if (kmalloc(size, &object) == 0) {
        ((uint8_t *)object)[size - 1] = how;
        thread_yield();
        EXPECT_MODEL(((uint8_t *)object)[size - 1] == how, "memory changed under its owner");
        kfree(object);
    }
}

void contended_operate(struct contended *on, unsigned self, uint8_t op)
{
    uint8_t how = op >> 3 & 3;
    OP("thread %u: %s", self,
       (const char *const[]){"lock", "try", "down", "down timed", "wait", "post", "sleep", "memory"}[op & 7]);
    switch (op & 7) {
    case 0:
        mutex_lock(&on->mutex);
        critical(on, how);
        mutex_unlock(&on->mutex);
        break;
    case 1:
        if (mutex_trylock(&on->mutex)) {
            critical(on, how);
            mutex_unlock(&on->mutex);
        }
        break;
    case 2:
        semaphore_down(&on->semaphore);
        with_token(on, how);
        break;
    case 3:
        if (semaphore_down_timeout(&on->semaphore, timer_now() + how * 50000) == 0) {
            with_token(on, how);
        }
        break;
    case 4:
        take_ticket(on, how == 3);
        break;
    case 5:
        contended_post_ticket(on);
        break;
    case 6:
        thread_sleep_until(timer_now() + (how + 1) * 1000000ull);
        break;
    case 7:
        memory(how + 1);
        break;
    }
}

void contended_check(struct contended *on)
{
    EXPECT_MODEL(on->owners == 0 && on->holders == 0, "%u own the mutex, %u hold tokens", on->owners, on->holders);
    EXPECT_MODEL(on->semaphore.count == CONTENDED_TOKENS, "the semaphore counts %u", on->semaphore.count);
    EXPECT_CHECK(mutex_check(&on->mutex));
}
