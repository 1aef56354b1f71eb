#include "kernel/sync/spinlock.h"

#include <hal/cpu.h>

#include "kernel/base/atomic.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/held.h"

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint16_t)rank, .name = name};
}

void spin_check_taking(const struct spinlock *lock)
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

void spin_check_taking_second(const struct spinlock *first, const struct spinlock *second)
{
    ASSERT(spin_held_by_me(first) && first < second && first->rank == second->rank);
    ASSERT(this_cpu()->lock_depth < ARRAY_SIZE(this_cpu()->lock_ranks));
}

void spin_note_taken(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    WRITE_ONCE(lock->owner, (uint16_t)(cpu->local.id + 1));
    cpu->lock_ranks[cpu->lock_depth++] = lock->rank;
    if (cpu->lock_depth == 1 && cpu->interrupt_depth == 0) {
        held_begin(cpu);
    }
}

void spin_note_released(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    if (irq_enabled()) {
        panic("lock %s: interrupts were on while it was held", lock->name);
    }
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
    if (cpu->lock_depth == 0 && cpu->interrupt_depth == 0) {
        held_end(cpu, lock->name, (uint64_t)__builtin_return_address(0));
    }
}

void spin_set_rank(struct spinlock *lock, enum lock_rank rank)
{
    if (FAULTLINE_CHECKS) {
        struct cpu *cpu = this_cpu();
        ASSERT(spin_held_by_me(lock) && cpu->lock_ranks[cpu->lock_depth - 1] == lock->rank);
        cpu->lock_ranks[cpu->lock_depth - 1] = rank;
    }
    lock->rank = (uint16_t)rank;
}

void spin_wait(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();
    cpu->wanted = lock;
    do {
        // On a plain load: a swap would take the line from the holder each time.
        while (READ_ONCE(lock->locked) != 0) {
            cpu_relax();
        }
    } while (atomic_swap_acquire(&lock->locked, 1) != 0);
    cpu->wanted = NULL;
}

bool spin_held_by_me(const struct spinlock *lock)
{
    return FAULTLINE_CHECKS ? READ_ONCE(lock->owner) == this_cpu()->local.id + 1 : READ_ONCE(lock->locked) != 0;
}

unsigned spin_held_count(void)
{
    irqflags_t flags = irq_save();
    unsigned count = this_cpu()->lock_depth;
    irq_restore(flags);
    return count;
}
