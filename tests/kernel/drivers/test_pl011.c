#include "kernel/debug/console.h"
#include "kernel/debug/ktest.h"
#include "kernel/drivers/pl011.h"

TEST(pl011, refuses_a_region_that_is_too_small)
{
    static struct uart uart;
    EXPECT_EQ(uart_init(&uart, paddr(0x9000000), PAGE_SIZE - 1, 33), -EINVAL);
    EXPECT_EQ(uart_init(&uart, paddr(0x9000000), 0, 33), -EINVAL);
    EXPECT_SOUND(uart_check(&uart));
}

TEST(pl011, the_walk_sees_a_ring_that_is_over_full)
{
    static struct uart uart;
    EXPECT_EQ(uart_init(&uart, paddr(0), 0, 33), -EINVAL);
    uart.tail = UINT32_MAX - 10; // positions wrap, the difference does not
    uart.head = uart.tail + UART_RING_SIZE;
    EXPECT_SOUND(uart_check(&uart));
    uart.head++;
    EXPECT(uart_check(&uart) != NULL);
    uart.head = uart.tail - 1;
    EXPECT(uart_check(&uart) != NULL);
}

// Where there is a device: more than the ring holds, in one go.
TEST(pl011, output_beyond_the_ring_waits_and_is_sent)
{
    if (console_uart.registers.size == 0) {
        return;
    }
    static char text[UART_RING_SIZE * 2];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = i % 64 == 63 ? '\n' : '.';
    }
    uint64_t sent = console_uart.sent;
    console_write(text, sizeof(text));
    EXPECT_SOUND(uart_check(&console_uart));
    uart_drain(&console_uart);
    EXPECT(console_uart.sent - sent >= sizeof(text));
    EXPECT_EQ(console_uart.head, console_uart.tail);
}
