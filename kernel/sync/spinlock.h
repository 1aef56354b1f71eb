// Spinlock that keeps interrupts off while it is held. Any context from BOOT_EARLY on (no-one contends then); never
// sleep while holding one. `locks-say`: every lock has a rank; a CPU takes locks in rising rank only. Checked with
// FAULTLINE_CHECKS, as are owner and recursion.
#pragma once

#include <hal/irq.h>

#include "kernel/base/annotate.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/types.h"

// From the outside in: a holder may take any lock further down.
enum lock_rank {
    RANK_PROCESS,
    RANK_CLOCK,
    RANK_FUTEX,
    RANK_CONDITION,
    RANK_EPOLL, // and those of sets of sets: kernel/events/epoll.c
    RANK_EPOLL_LAST = RANK_EPOLL + 4,
    RANK_WAIT_QUEUE,
    RANK_TIMER,
    RANK_RUN_QUEUE,
    RANK_PAGETABLE,
    RANK_HEAP,
    RANK_SLAB,
    RANK_PAGES,
    RANK_IRQ,
    RANK_CONSOLE,
    RANK_LEAF, // takes nothing further
};

struct CAPABILITY("spinlock") spinlock {
    uint32_t locked;
    uint16_t rank;
    uint16_t owner; // cpu id + 1 of the holder, 0: free; kept with FAULTLINE_CHECKS
    const char *name;
};

#define SPINLOCK_INIT(name_, rank_) {.rank = (rank_), .name = (name_)}
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank);

// With FAULTLINE_CHECKS, around the taking and the release; each panics and names the lock.
void spin_check_taking(const struct spinlock *lock);
void spin_note_taken(struct spinlock *lock);
void spin_note_released(struct spinlock *lock);
void spin_wait(struct spinlock *lock); // takes it when another CPU lets go

// For where interrupts are already off for a longer stretch, as in the scheduler.
static inline void spin_lock_raw(struct spinlock *lock) ACQUIRES(*lock) NO_LOCK_ANALYSIS
{
    if (FAULTLINE_CHECKS) {
        spin_check_taking(lock);
    }
    if (unlikely(atomic_swap_acquire(&lock->locked, 1) != 0)) {
        spin_wait(lock);
    }
    if (FAULTLINE_CHECKS) {
        spin_note_taken(lock);
    }
}

static inline void spin_unlock_raw(struct spinlock *lock) RELEASES(*lock) NO_LOCK_ANALYSIS
{
    if (FAULTLINE_CHECKS) {
        spin_note_released(lock);
    }
    store_release(&lock->locked, 0);
}

void spin_check_taking_second(const struct spinlock *first, const struct spinlock *second);
// Another one of the same rank: the caller holds first, which lies at the lower address.
static inline void spin_lock_second(struct spinlock *first, struct spinlock *second) ACQUIRES(*second) NO_LOCK_ANALYSIS
{
    if (FAULTLINE_CHECKS) {
        spin_check_taking_second(first, second);
    }
    if (unlikely(atomic_swap_acquire(&second->locked, 1) != 0)) {
        spin_wait(second);
    }
    if (FAULTLINE_CHECKS) {
        spin_note_taken(second);
    }
}

// Returns what spin_unlock() wants back.
static inline irqflags_t spin_lock(struct spinlock *lock) ACQUIRES(*lock) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    spin_lock_raw(lock);
    return flags;
}

static inline void spin_unlock(struct spinlock *lock, irqflags_t flags) RELEASES(*lock) NO_LOCK_ANALYSIS
{
    spin_unlock_raw(lock);
    irq_restore(flags);
}

// Another rank from now on; the caller holds it, and nothing that it took later.
void spin_set_rank(struct spinlock *lock, enum lock_rank rank);
bool spin_held_by_me(const struct spinlock *lock); // exact with FAULTLINE_CHECKS; else: held by anyone
unsigned spin_held_count(void);                    // locks this CPU holds; 0 without FAULTLINE_CHECKS
