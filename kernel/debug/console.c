#include "kernel/debug/console.h"

#include <hal/console.h>
#include <hal/cpu.h>
#include <hal/power.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/sync/spinlock.h"

static struct spinlock console_lock = SPINLOCK_INIT("console", RANK_CONSOLE);
static console_output *output; // covered by console_lock
static uint32_t panicking;     // id + 1 of the CPU that reports, 0: none

void console_set_output(console_output *driver)
{
    irqflags_t flags = spin_lock(&console_lock);
    output = driver;
    spin_unlock(&console_lock, flags);
}

void console_write(const char *text, size_t size)
{
    uint32_t reporter = load_acquire(&panicking);
    if (unlikely(reporter != 0)) {
        if (reporter != cpu_self() + 1) {
            power_halt_on_bug(); // it had its interrupts off and was not stopped
        }
        console_write_early(text, size);
        return;
    }
    irqflags_t flags = spin_lock(&console_lock);
    if (output != NULL) {
        output(text, size);
    } else {
        console_write_early(text, size);
    }
    spin_unlock(&console_lock, flags);
}

void console_print(const char *text, ...)
{
    char line[512];
    va_list args;
    va_start(args, text);
    size_t length = vformat(line, sizeof(line), text, args);
    va_end(args);
    console_write(line, min_u64(length, sizeof(line) - 1));
}

void console_enter_panic(void)
{
    store_release(&panicking, cpu_self() + 1);
}
