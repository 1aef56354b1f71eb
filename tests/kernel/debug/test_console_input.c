#include "kernel/debug/console.h"
#include "kernel/debug/ktest.h"

static char nth(uint32_t i)
{
    return (char)('a' + i % 26);
}

// What the monitor would read next is taken back in the end: the ring is the live one.
TEST(console, input_beyond_the_ring_is_dropped_and_counted)
{
    uint64_t dropped = console_input_dropped();
    uint32_t pushed = 0;
    while (console_input_dropped() == dropped && pushed < 1000000) {
        console_input(nth(pushed++));
    }
    EXPECT(pushed < 1000000);
    uint32_t kept = pushed - 1, wrong = 0;
    console_input('!');
    uint64_t dropped_after = console_input_dropped();
    for (uint32_t i = 0; i < kept; i++) {
        wrong += console_read(CONSOLE_MONITOR) != nth(i);
    }
    EXPECT_EQ(dropped_after, dropped + 2);
    EXPECT_EQ(kept, 4096);
    EXPECT_EQ(wrong, 0);
    console_input('x'); // there is room again
    EXPECT_EQ(console_read(CONSOLE_MONITOR), 'x');
    EXPECT_EQ(console_input_dropped(), dropped_after);
}
