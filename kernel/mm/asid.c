#include "kernel/mm/asid.h"

#include <hal/cpu.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"

#define ASID_MAX 65536u
#define WORD_BITS 64u

// A generation and an identifier in one word; 0: none.
static uint64_t tag_of(uint64_t generation, uint32_t asid)
{
    return generation << 16 | asid;
}

static struct {
    struct spinlock lock; // covers the rest, unless it says otherwise
    uint64_t generation;  // also read without the lock; 0 until first use
    uint32_t limit, next; // next: where to look first
    uint64_t used[ASID_MAX / WORD_BITS];
    uint64_t reserved[MAX_CPUS]; // what ran there when the generation began, with the tag it has now
    uint32_t stale;              // CPUs whose TLB may hold entries of the generations before
    // What runs there. 0: a generation has begun since. A CPU exchanges its own without the lock, if it is not 0.
    uint64_t active[MAX_CPUS];
} asids = {.lock = SPINLOCK_INIT("asids", RANK_LEAF)};

static bool test_and_set(uint32_t asid)
{
    uint64_t bit = 1ul << (asid % WORD_BITS), *word = &asids.used[asid / WORD_BITS];
    bool was = (*word & bit) != 0;
    *word |= bit;
    return was;
}

static uint32_t find_free(uint32_t from, uint32_t end)
{
    for (uint32_t at = from; at < end;) {
        uint64_t free = ~asids.used[at / WORD_BITS] >> (at % WORD_BITS);
        if (free != 0) {
            at += (uint32_t)__builtin_ctzll(free);
            return at < end ? at : 0;
        }
        at = (at / WORD_BITS + 1) * WORD_BITS;
    }
    return 0;
}

static void begin_generation(void)
{
    __builtin_memset(asids.used, 0, (asids.limit + WORD_BITS - 1) / WORD_BITS * sizeof(asids.used[0]));
    (void)test_and_set(0); // tags what runs without a user space
    store_release(&asids.generation, asids.generation + 1);
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        uint64_t tag = __atomic_exchange_n(&asids.active[cpu], 0, __ATOMIC_ACQ_REL);
        if (tag != 0) { // 0: that CPU has not switched since the last time, and its reservation holds
            asids.reserved[cpu] = tag;
        }
        (void)test_and_set((uint32_t)asids.reserved[cpu] & (ASID_MAX - 1));
    }
    asids.stale = UINT32_MAX;
    asids.next = 1;
}

// A space that runs somewhere keeps its identifier. True when it does.
static bool keep_reserved(uint64_t old, uint64_t new)
{
    bool found = false;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (asids.reserved[cpu] == old) {
            asids.reserved[cpu] = new;
            found = true;
        }
    }
    return found;
}

static uint32_t choose(const struct pagetable *table)
{
    if (table->asid_generation != 0) {
        uint64_t old = tag_of(table->asid_generation, table->asid);
        if (keep_reserved(old, tag_of(asids.generation, table->asid)) || !test_and_set(table->asid)) {
            return table->asid;
        }
    }
    uint32_t asid = find_free(asids.next, asids.limit);
    asid = asid != 0 ? asid : find_free(1, asids.limit);
    if (asid == 0) {
        begin_generation();
        asid = find_free(1, asids.limit);
        ASSERT(asid != 0); // there are more than CPUs
    }
    (void)test_and_set(asid);
    asids.next = asid + 1;
    return asid;
}

static void start(void)
{
    asids.limit = min_u64(1u << mmu_asid_bits(), ASID_MAX);
    ASSERT(asids.limit > MAX_CPUS + 1);
    begin_generation();
    asids.stale = 0;
}

static __attribute__((noinline)) void activate_slowly(struct pagetable *table, unsigned cpu)
{
    spin_lock_raw(&asids.lock);
    if (asids.generation == 0) {
        start();
    }
    if (table->asid_generation != asids.generation) {
        uint32_t asid = choose(table); // may begin a generation
        WRITE_ONCE(table->asid, (uint16_t)asid);
        store_release(&table->asid_generation, asids.generation);
        // Who changes the table from elsewhere sees the new identifier, or our walks see the change: see table_asid().
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    }
    if ((asids.stale >> cpu & 1) != 0) {
        asids.stale &= ~(1u << cpu);
        mmu_flush_all();
    }
    __atomic_store_n(&asids.active[cpu], tag_of(asids.generation, table->asid), __ATOMIC_RELEASE);
    spin_unlock_raw(&asids.lock);
}

void asid_activate(struct pagetable *table)
{
    unsigned cpu = cpu_self();
    uint64_t generation = load_acquire(&table->asid_generation), old = READ_ONCE(asids.active[cpu]);
    // When a generation begins meanwhile, it has either seen this exchange or made it fail.
    bool current = old != 0 && generation == load_acquire(&asids.generation) &&
                   atomic_cas(&asids.active[cpu], &old, tag_of(generation, table->asid));
    if (unlikely(!current)) {
        activate_slowly(table, cpu);
    }
    mmu_activate(table->root, table->asid);
}

void asid_release(struct pagetable *table)
{
    irqflags_t flags = spin_lock(&asids.lock);
    if (table->asid_generation != 0 && table->asid_generation == asids.generation) {
        asids.used[table->asid / WORD_BITS] &= ~(1ul << (table->asid % WORD_BITS));
    }
    table->asid_generation = 0;
    table->asid = 0;
    spin_unlock(&asids.lock, flags);
}

static uint32_t count_used(void)
{
    uint32_t used = 0;
    for (uint32_t word = 0; word < ASID_MAX / WORD_BITS; word++) {
        used += (uint32_t)__builtin_popcountll(asids.used[word]);
    }
    return used;
}

struct asid_statistics asid_statistics(void)
{
    irqflags_t flags = spin_lock(&asids.lock);
    struct asid_statistics statistics = {asids.generation, asids.limit, count_used()};
    spin_unlock(&asids.lock, flags);
    return statistics;
}

const char *asid_check(void)
{
    const char *broken = NULL;
    irqflags_t flags = spin_lock(&asids.lock);
    for (uint32_t asid = asids.limit; asid < ASID_MAX && broken == NULL; asid += WORD_BITS) {
        broken = (asids.used[asid / WORD_BITS] >> (asid % WORD_BITS)) != 0 ? "an identifier is used that there is not"
                                                                           : NULL;
        asid -= asid % WORD_BITS;
    }
    for (unsigned cpu = 0; cpu < MAX_CPUS && broken == NULL && asids.generation != 0; cpu++) {
        uint64_t tag = READ_ONCE(asids.active[cpu]);
        if (tag >> 16 > asids.generation) {
            broken = "a CPU runs in a generation that has not begun";
        }
    }
    spin_unlock(&asids.lock, flags);
    return broken;
}
