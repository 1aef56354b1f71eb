#include "kernel/irq/irq.h"

#include <hal/cpu.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/semaphore.h"
#include "kernel/sync/spinlock.h"

#define PRIVATE_LINES 32u
// Claims in a row before the CPU gets back to its work: whatever is still pending comes again.
#define CLAIMS_MAX 64u

static struct spinlock irq_lock = SPINLOCK_INIT("irq", RANK_IRQ); // covers registration
static struct irq_line lines[INTID_MAX];
static struct irq_statistics statistics;
static struct semaphore rests = {.waiters = {.lock = SPINLOCK_INIT("irq rests", RANK_WAIT_QUEUE),
                                             .waiters = {&rests.waiters.waiters, &rests.waiters.waiters}}};

static void (*interrupt_probe)(void);

int irq_register(uint32_t intid, irq_handler *handler, void *argument)
{
    if (intid >= irq_line_count()) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&irq_lock);
    struct irq_line *line = &lines[intid];
    int error = line->handler == NULL ? 0 : -EBUSY;
    if (error == 0) {
        line->argument = argument;
        store_release(&line->handler, handler);
        line->masked = false;
        irq_line_enable(intid);
    }
    spin_unlock(&irq_lock, flags);
    return error;
}

int irq_unregister(uint32_t intid)
{
    if (intid >= irq_line_count()) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&irq_lock);
    int error = lines[intid].handler != NULL ? 0 : -EINVAL;
    store_release(&lines[intid].handler, NULL);
    spin_unlock(&irq_lock, flags);
    return error;
}

void irq_enable_private(void)
{
    for (uint32_t intid = 0; intid < PRIVATE_LINES; intid++) {
        irq_line_enable(intid);
    }
}

void irq_watch_all(void)
{
    irq_enable_private();
    for (uint32_t intid = PRIVATE_LINES; intid < irq_line_count(); intid++) {
        irq_line_enable(intid);
    }
}

int irq_unmask(uint32_t intid)
{
    if (intid >= irq_line_count() || !lines[intid].masked) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&irq_lock);
    lines[intid].masked = lines[intid].resting = false;
    lines[intid].window_count = lines[intid].unclaimed_row = 0;
    irq_line_enable(intid);
    spin_unlock(&irq_lock, flags);
    return 0;
}

static void mask(uint32_t intid, const char *why)
{
    struct irq_line *line = &lines[intid];
    if (intid < irq_line_count()) {
        irq_line_disable(intid);
    }
    if (!line->masked) {
        line->masked = true;
        if (line->storms == 0) {
            log_warning("interrupt %u %s after %lu arrivals: masked", intid, why, line->count);
        }
    }
}

static bool storming(struct irq_line *line)
{
    uint64_t now = timer_now();
    if (now - line->window_start_ns > IRQ_STORM_WINDOW_NS) {
        line->window_start_ns = now;
        line->window_count = 0;
    }
    return ++line->window_count > IRQ_STORM_LIMIT || line->unclaimed_row > IRQ_UNCLAIMED_LIMIT;
}

static void unexpected(uint32_t intid, struct irq_line *line)
{
    line->unhandled++;
    atomic_add(&statistics.unexpected, 1);
    mask(intid, "is nobody's");
}

static void deliver(uint32_t intid)
{
    struct irq_line *line = &lines[intid];
    line->count++; // a line belongs to one CPU at a time, a private one shares its slot: close enough for a count
    irq_handler *handler = load_acquire(&line->handler);
    if (handler == NULL) {
        unexpected(intid, line);
        return;
    }
    if (handler(intid, line->argument)) {
        line->unclaimed_row = 0;
    } else {
        line->unhandled++;
        line->unclaimed_row++;
        atomic_add(&statistics.spurious, 1);
    }
    if (storming(line)) {
        atomic_add(&statistics.storms, 1);
        mask(intid, "storms");
        line->storms++;
        line->resting = true;
        semaphore_up(&rests);
    }
}

static void end_rests(void)
{
    uint64_t longest = 0;
    for (uint32_t intid = 0; intid < irq_line_count(); intid++) {
        if (READ_ONCE(lines[intid].resting)) {
            longest = max_u64(longest, IRQ_REST_NS << min_u64(lines[intid].storms - 1, IRQ_REST_DOUBLINGS));
        }
    }
    thread_sleep_until(timer_now() + longest);
    for (uint32_t intid = 0; intid < irq_line_count(); intid++) {
        if (READ_ONCE(lines[intid].resting)) {
            (void)irq_unmask(intid); // someone may have been faster
        }
    }
}

static void rest_main(void *unused)
{
    for (;;) {
        semaphore_down(&rests);
        end_rests();
    }
}

int irq_start_rests(void)
{
    struct thread *thread;
    int error = thread_create("irq rests", rest_main, NULL, &thread);
    if (error == 0) {
        thread_detach(thread);
    }
    return error;
}

void irq_set_probe(void (*probe)(void))
{
    store_release(&interrupt_probe, probe);
}

void kernel_interrupt(void)
{
    struct cpu *cpu = this_cpu();
    cpu->interrupt_depth++;
    void (*probe)(void) = READ_ONCE(interrupt_probe);
    if (unlikely(probe != NULL)) {
        probe();
    }
    for (unsigned claims = 0; claims < CLAIMS_MAX; claims++) {
        uint32_t intid = irq_claim();
        if (intid >= INTID_MAX) {
            if (claims == 0) {
                atomic_add(&statistics.spurious, 1); // the CPU was interrupted and there is nothing
            }
            break;
        }
        atomic_add(&statistics.total, 1);
        deliver(intid);
        irq_complete(intid);
    }
    cpu->interrupt_depth--;
    if (cpu->interrupt_depth == 0) {
        sched_interrupt_exit();
    }
}

struct irq_statistics irq_statistics(void)
{
    return statistics;
}

struct irq_line irq_line(uint32_t intid)
{
    return lines[intid];
}

const char *irq_check(void)
{
    for (uint32_t intid = 0; intid < INTID_MAX; intid++) {
        if (lines[intid].unhandled > lines[intid].count) {
            return "a line has more unhandled arrivals than arrivals";
        }
        if (intid >= irq_line_count() && lines[intid].handler != NULL) {
            return "a line that is not wired has a handler";
        }
    }
    return NULL;
}
