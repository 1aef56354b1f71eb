#include "kernel/sync/spinlock.h"

#include <hal/cpu.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/thread.h"

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint16_t)rank, .name = name};
}

#if FAULTLINE_CHECKS
static void check_before(const struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    ASSERT(!irq_enabled());
    if (READ_ONCE(lock->owner) == cpu->local.id + 1) {
        panic("lock %s: taken again by its holder", lock->name);
    }
    if (cpu->lock_depth > 0 && cpu->lock_ranks[cpu->lock_depth - 1] >= lock->rank) {
        panic("lock %s: rank %u taken while holding rank %u", lock->name, lock->rank,
              cpu->lock_ranks[cpu->lock_depth - 1]);
    }
    ASSERT(cpu->lock_depth < ARRAY_SIZE(cpu->lock_ranks));
}

static void note_taken(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    WRITE_ONCE(lock->owner, (uint16_t)(cpu->local.id + 1));
    cpu->lock_ranks[cpu->lock_depth++] = lock->rank;
}

static void note_released(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    if (READ_ONCE(lock->owner) != cpu->local.id + 1) {
        panic("lock %s: released by CPU %u, which does not hold it", lock->name, cpu->local.id);
    }
    // Not always the last one taken: find it, close the gap.
    uint32_t at = cpu->lock_depth;
    while (at > 0 && cpu->lock_ranks[at - 1] != lock->rank) {
        at--;
    }
    ASSERT(at > 0);
    for (; at < cpu->lock_depth; at++) {
        cpu->lock_ranks[at - 1] = cpu->lock_ranks[at];
    }
    cpu->lock_depth--;
    WRITE_ONCE(lock->owner, 0);
}
#else
static inline void check_before(const struct spinlock *lock)
{
}
static inline void note_taken(struct spinlock *lock)
{
}
static inline void note_released(struct spinlock *lock)
{
}
#endif

void spin_lock_raw(struct spinlock *lock) NO_LOCK_ANALYSIS
{
    check_before(lock);
    while (atomic_swap_acquire(&lock->locked, 1) != 0) {
        // Spin on a plain load: a swap would take the line from the holder each time.
        while (READ_ONCE(lock->locked) != 0) {
            cpu_relax();
        }
    }
    note_taken(lock);
}

void spin_unlock_raw(struct spinlock *lock) NO_LOCK_ANALYSIS
{
    note_released(lock);
    store_release(&lock->locked, 0);
}

irqflags_t spin_lock(struct spinlock *lock) NO_LOCK_ANALYSIS
{
    irqflags_t flags = irq_save();
    spin_lock_raw(lock);
    return flags;
}

void spin_unlock(struct spinlock *lock, irqflags_t flags) NO_LOCK_ANALYSIS
{
    spin_unlock_raw(lock);
    irq_restore(flags);
}

bool spin_held_by_me(const struct spinlock *lock)
{
#if FAULTLINE_CHECKS
    return READ_ONCE(lock->owner) == this_cpu()->local.id + 1;
#else
    return READ_ONCE(lock->locked) != 0;
#endif
}

unsigned spin_held_count(void)
{
    return this_cpu()->lock_depth;
}
