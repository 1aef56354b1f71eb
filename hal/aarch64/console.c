// The earliest console: the PL011 that QEMU virt has at 0x09000000, polled, without knowing more (PrimeCell UART, DDI
// 0183). It stays the way out for reports of broken kernels: no lock, no state.
#include <hal/console.h>

#include <stdarg.h>

#include <hal/memory.h>

#include "internal.h"

#include "kernel/base/format.h"

#define UART_BASE (DEVICE_BASE + 0x09000000UL)
#define UART_DR 0x00
#define UART_FR 0x18
#define FR_TX_FULL (1u << 5)

static void put(char c)
{
    uint32_t flags;
    do {
        asm volatile("ldr %w0, [%1]" : "=r"(flags) : "r"(UART_BASE + UART_FR) : "memory");
    } while ((flags & FR_TX_FULL) != 0);
    asm volatile("str %w0, [%1]" ::"r"((uint32_t)(unsigned char)c), "r"(UART_BASE + UART_DR) : "memory");
}

void console_write_early(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put(text[i]);
    }
}

void report_text(const char *text, ...)
{
    char line[160];
    va_list args;
    va_start(args, text);
    size_t size = vformat(line, sizeof(line), text, args);
    va_end(args);
    console_write_early(line, min_u64(size, sizeof(line) - 1));
}
