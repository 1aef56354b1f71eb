#include "kernel/sync/held.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sync/spinlock.h"

static struct spinlock lock = SPINLOCK_INIT("held for long", RANK_LEAF);

static void hold(uint64_t ns)
{
    irqflags_t flags = spin_lock(&lock);
    uint64_t end = timer_now() + ns;
    while (timer_now() < end) {
    }
    spin_unlock(&lock, flags);
}

static uint64_t told(void)
{
    struct held places[HELD_PLACES];
    unsigned count = held_places(places);
    uint64_t longest = 0;
    for (unsigned i = 0; i < count; i++) {
        longest = places[i].what == lock.name && places[i].ns > longest ? places[i].ns : longest;
    }
    return longest;
}

TEST(held, what_is_too_long_is_told)
{
    held_set_limit(1000000, false);
    hold(3000000);
    uint64_t longest = told();
    held_set_limit(0, false);
    EXPECT(!FAULTLINE_CHECKS || longest >= 3000000);
}

TEST(held, what_is_short_is_not)
{
    held_set_limit(2000000000, false);
    hold(100000);
    uint64_t longest = told();
    held_set_limit(0, false);
    hold(3000000); // nobody measures any more
    EXPECT_EQ(longest, 0);
    EXPECT_EQ(told(), 0);
}
