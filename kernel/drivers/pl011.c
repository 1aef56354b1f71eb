#include "kernel/drivers/pl011.h"

#include "kernel/debug/log.h"
#include "kernel/irq/irq.h"

#define DR 0x000 // data; the errors of a received byte in bits 11:8
#define FR 0x018 // flags
#define IBRD 0x024
#define FBRD 0x028
#define LCRH 0x02c
#define CR 0x030
#define IFLS 0x034
#define IMSC 0x038
#define MIS 0x040
#define ICR 0x044
#define PERIPH_ID0 0xfe0
#define PERIPH_ID1 0xfe4

#define DR_OVERRUN (1u << 11)
#define DR_ERRORS (7u << 8) // break, parity, framing
#define FR_BUSY (1u << 3)
#define FR_RX_EMPTY (1u << 4)
#define FR_TX_FULL (1u << 5)
#define LCRH_FIFO_8BIT (1u << 4 | 3u << 5)
#define CR_ENABLE_RX_TX (1u | 1u << 8 | 1u << 9)
#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RX_TIMEOUT (1u << 6)
#define INT_ALL 0x7ffu
// The interrupt comes when the FIFO stops being empty, so it is read until it is. A device that then always has one
// more is broken and must not hold the CPU for ever: it is not listened to any longer.
#define RX_MAX 65536u

struct uart console_uart;

int uart_init(struct uart *uart, paddr_t base, uint64_t size, uint32_t intid)
{
    *uart = (struct uart){.intid = intid};
    spin_init(&uart->lock, "uart", RANK_LEAF);
    if (size < PAGE_SIZE) {
        return -EINVAL;
    }
    int error = mmio_map(base, size, &uart->registers);
    if (error != 0) {
        return error;
    }
    mmio_t registers = uart->registers;
    if ((mmio_read32(registers, PERIPH_ID0) & 0xff) != 0x11 || (mmio_read32(registers, PERIPH_ID1) & 0xf) != 0) {
        return -ENODEV;
    }
    // The line speed is the firmware's: its clock is not ours to know.
    mmio_write32(registers, IMSC, 0);
    mmio_write32(registers, ICR, INT_ALL);
    mmio_write32(registers, LCRH, LCRH_FIFO_8BIT);
    mmio_write32(registers, CR, CR_ENABLE_RX_TX);
    return 0;
}

static bool room(const struct uart *uart)
{
    return (mmio_read32(uart->registers, FR) & FR_TX_FULL) == 0;
}

static void send(struct uart *uart, char byte)
{
    mmio_write32(uart->registers, DR, (unsigned char)byte);
    uart->sent++;
}

static void set_mask(struct uart *uart, uint32_t mask)
{
    if (uart->mask != mask) {
        uart->mask = mask;
        mmio_write32(uart->registers, IMSC, mask);
    }
}

static void send_from_ring(struct uart *uart)
{
    while (uart->head != uart->tail && room(uart)) {
        send(uart, uart->ring[uart->tail++ % UART_RING_SIZE]);
    }
    if (uart->interrupts) {
        set_mask(uart, uart->head != uart->tail ? uart->mask | INT_TX : uart->mask & ~INT_TX);
    }
}

static void put(struct uart *uart, char byte)
{
    if (uart->head == uart->tail && room(uart)) {
        send(uart, byte);
        return;
    }
    while (uart->head - uart->tail == UART_RING_SIZE) {
        send_from_ring(uart);
    }
    uart->ring[uart->head++ % UART_RING_SIZE] = byte;
}

void uart_write(struct uart *uart, const char *text, size_t size)
{
    irqflags_t flags = spin_lock(&uart->lock);
    for (size_t i = 0; i < size; i++) {
        put(uart, text[i]);
    }
    while (!uart->interrupts && uart->head != uart->tail) {
        send_from_ring(uart);
    }
    if (uart->head != uart->tail) {
        send_from_ring(uart);
    }
    spin_unlock(&uart->lock, flags);
}

void uart_drain(struct uart *uart)
{
    irqflags_t flags = spin_lock(&uart->lock);
    while (uart->head != uart->tail) {
        send_from_ring(uart);
    }
    while ((mmio_read32(uart->registers, FR) & FR_BUSY) != 0) {
    }
    spin_unlock(&uart->lock, flags);
}

// False: nothing there. A byte that arrived damaged is counted and skipped.
static bool receive(struct uart *uart, char *out, bool *good)
{
    if ((mmio_read32(uart->registers, FR) & FR_RX_EMPTY) != 0) {
        return false;
    }
    uint32_t data = mmio_read32(uart->registers, DR);
    uart->overruns += (data & DR_OVERRUN) != 0;
    *good = (data & DR_ERRORS) == 0;
    uart->line_errors += !*good;
    uart->received += *good;
    *out = (char)data;
    return true;
}

int uart_read_byte(struct uart *uart, char *out)
{
    bool good = false, any = true;
    irqflags_t flags = spin_lock(&uart->lock);
    while (any && !good) {
        any = receive(uart, out, &good);
    }
    spin_unlock(&uart->lock, flags);
    return any ? 0 : -EAGAIN;
}

static void receive_all(struct uart *uart)
{
    char byte;
    bool good;
    for (unsigned i = 0; i < RX_MAX; i++) {
        if (!receive(uart, &byte, &good)) {
            return;
        }
        if (good) {
            uart->receiver(byte); // without the lock: it takes its own
        }
    }
    irqflags_t flags = spin_lock(&uart->lock);
    set_mask(uart, 0);
    spin_unlock(&uart->lock, flags);
    log_error("uart: input without end, switched off");
}

static bool handle(uint32_t intid, void *argument)
{
    struct uart *uart = argument;
    uint32_t why = mmio_read32(uart->registers, MIS);
    if ((why & (INT_RX | INT_RX_TIMEOUT)) != 0) {
        mmio_write32(uart->registers, ICR, INT_RX | INT_RX_TIMEOUT); // before reading: a later byte raises it again
        receive_all(uart);
    }
    if ((why & INT_TX) != 0) {
        irqflags_t flags = spin_lock(&uart->lock);
        mmio_write32(uart->registers, ICR, INT_TX);
        send_from_ring(uart);
        spin_unlock(&uart->lock, flags);
    }
    return why != 0;
}

int uart_start(struct uart *uart, uart_receiver *receiver)
{
    uart->receiver = receiver;
    int error = irq_register(uart->intid, handle, uart);
    if (error != 0) {
        return error;
    }
    irqflags_t flags = spin_lock(&uart->lock);
    uart->interrupts = true;
    set_mask(uart, INT_RX | INT_RX_TIMEOUT);
    spin_unlock(&uart->lock, flags);
    return 0;
}

const char *uart_check(struct uart *uart)
{
    irqflags_t flags = spin_lock(&uart->lock);
    const char *broken = uart->head - uart->tail > UART_RING_SIZE ? "the ring holds more than it can" : NULL;
    spin_unlock(&uart->lock, flags);
    return broken;
}
