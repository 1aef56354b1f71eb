#include "kernel/debug/log.h"

#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/sync/spinlock.h"

static struct {
    struct spinlock lock; // covers lines, next and followers
    char lines[LOG_LINES][LOG_WIDTH];
    uint32_t next;                // lines written ever
    uint32_t followers;           // see log_follow()
    enum log_level console_level; // not covered: a word of its own
} ring = {.lock = SPINLOCK_INIT("log", RANK_IRQ), .console_level = LOG_WARNING};

uint32_t log_restricted = 1; // as Debian has it

void log_set_console_level(enum log_level level)
{
    ring.console_level = level;
}

void log_line(enum log_level level, const char *text, ...)
{
    static const char marks[] = {'E', 'W', 'I', 'D'};
    uint64_t now = timer_now();
    char line[LOG_WIDTH];
    size_t length =
        format(line, sizeof(line), "[%5lu.%06lu] %c ", now / 1000000000, now / 1000 % 1000000, marks[level]);
    va_list args;
    va_start(args, text);
    (void)vformat(line + length, sizeof(line) - length, text, args);
    va_end(args);
    irqflags_t flags = spin_lock(&ring.lock);
    __builtin_memcpy(ring.lines[ring.next % LOG_LINES], line, sizeof(line));
    WRITE_ONCE(ring.next, ring.next + 1); // log_end() looks without the lock
    if (ring.followers > 0) {
        ipi_send(1u << cpu_self(), SGI_LOG);
    }
    spin_unlock(&ring.lock, flags);
    if (level <= ring.console_level) {
        console_print("%s\n", line);
    }
}

bool log_may_say(struct log_limit *limit, uint32_t *missed)
{
    uint64_t now = timer_now(), since = READ_ONCE(limit->since_ns);
    if (now - since >= LOG_BURST_NS && atomic_cas(&limit->since_ns, &since, now)) {
        WRITE_ONCE(limit->said, 0);
    }
    if (atomic_add(&limit->said, 1) >= LOG_BURST) {
        (void)atomic_add(&limit->missed, 1);
        return false;
    }
    *missed = __atomic_exchange_n(&limit->missed, 0, __ATOMIC_RELAXED);
    return true;
}

void log_follow(int change)
{
    irqflags_t flags = spin_lock(&ring.lock);
    ring.followers += (uint32_t)change;
    spin_unlock(&ring.lock, flags);
}

bool log_read(uint32_t *number, char line[LOG_WIDTH])
{
    irqflags_t flags = spin_lock(&ring.lock);
    bool there = *number < ring.next;
    if (there) {
        *number = ring.next - *number > LOG_LINES ? ring.next - LOG_LINES : *number;
        __builtin_memcpy(line, ring.lines[*number % LOG_LINES], LOG_WIDTH);
    }
    spin_unlock(&ring.lock, flags);
    return there;
}

uint32_t log_end(void)
{
    return READ_ONCE(ring.next);
}

void log_for_each(void (*visit)(const char *line, void *argument), void *argument)
{
    char line[LOG_WIDTH];
    uint32_t end = log_end();
    for (uint32_t at = 0; at < end && log_read(&at, line); at++) {
        visit(line, argument); // without the lock: it may print, and take its time
    }
}
