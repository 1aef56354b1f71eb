#include "kernel/debug/console.h"

#include <hal/console.h>

#include "kernel/base/format.h"
#include "kernel/sync/spinlock.h"

static struct spinlock console_lock = SPINLOCK_INIT("console", RANK_CONSOLE);
static console_output *output; // covered by console_lock
static bool panicking;

void console_set_output(console_output *driver)
{
    irqflags_t flags = spin_lock(&console_lock);
    output = driver;
    spin_unlock(&console_lock, flags);
}

void console_write(const char *text, size_t size)
{
    if (panicking) {
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
    panicking = true;
}
