// Spinlock that keeps interrupts off while it is held. Any context from BOOT_EARLY on (no-one contends then); never sleep while holding one.
// `locks-say`: every lock has a rank; a CPU takes locks in rising rank only. Checked with FAULTLINE_CHECKS, as are owner and recursion.
#pragma once

#include <hal/irq.h>

#include "kernel/base/annotate.h"
#include "kernel/base/assert.h"
#include "kernel/base/types.h"

// From the outside in: a holder may take any lock further down.
enum lock_rank {
    RANK_PROCESS,
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

// Returns what spin_unlock() wants back.
irqflags_t spin_lock(struct spinlock *lock) ACQUIRES(*lock);
void spin_unlock(struct spinlock *lock, irqflags_t flags) RELEASES(*lock);
// The same where interrupts are already off for a longer stretch, as in the scheduler.
void spin_lock_raw(struct spinlock *lock) ACQUIRES(*lock);
void spin_unlock_raw(struct spinlock *lock) RELEASES(*lock);
bool spin_held_by_me(const struct spinlock *lock); // exact with FAULTLINE_CHECKS; else: held by anyone
unsigned spin_held_count(void);                    // locks this CPU holds; 0 without FAULTLINE_CHECKS
