// PL011 serial port. Source: PrimeCell UART (PL011) Technical Reference Manual, DDI 0183.
// Output goes straight into the device while it has room and through a ring and the transmit interrupt when it has not.
// Input comes by interrupt and goes to a receiver.
#pragma once

#include <hal/mmio.h>

#include "kernel/sync/spinlock.h"

#define UART_RING_SIZE 1024u // power of two

typedef void uart_receiver(char byte); // interrupt context

struct uart {
    struct spinlock lock; // covers the ring and the interrupt mask
    mmio_t registers;
    uint32_t intid;
    bool interrupts; // the transmit interrupt drains the ring; before that we wait for the device
    uint32_t mask;
    uint32_t head, tail; // written, sent; modulo 2^32
    char ring[UART_RING_SIZE];
    uart_receiver *receiver;
    uint64_t received, sent, overruns, line_errors;
};

// Maps and sets up the device; output works from here on, polled. -EINVAL, -ENOMEM, -ENODEV: not a PL011.
[[nodiscard]] int uart_init(struct uart *uart, paddr_t base, uint64_t size, uint32_t intid);
// Interrupts on; input goes to receiver. Task context. -EINVAL, -EBUSY: polled output still works.
[[nodiscard]] int uart_start(struct uart *uart, uart_receiver *receiver);
// Any context. Waits for the device only when the ring is full.
void uart_write(struct uart *uart, const char *text, size_t size);
// Everything written is on the wire. Any context, polls.
void uart_drain(struct uart *uart);
// Without interrupts: a byte that has arrived, or -EAGAIN. Any context.
[[nodiscard]] int uart_read_byte(struct uart *uart, char *out);
[[nodiscard]] const char *uart_check(struct uart *uart);

extern struct uart console_uart;
