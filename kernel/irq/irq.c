#include "kernel/irq/irq.h"

#include <hal/cpu.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/held.h"
#include "kernel/sync/semaphore.h"
#include "kernel/sync/spinlock.h"

#define PRIVATE_LINES 32u
// Claims in a row before the CPU gets back to its work: whatever is still pending comes again.
#define CLAIMS_MAX 64u

// Each CPU has private lines of its own under the same numbers: a slot for each, then one for each shared line.
#define PRIVATE_SLOTS (MAX_CPUS * PRIVATE_LINES)
#define SLOTS (PRIVATE_SLOTS + INTID_MAX - PRIVATE_LINES)

static struct spinlock irq_lock = SPINLOCK_INIT("irq", RANK_IRQ); // covers registration, masked, resting and storms
static struct {
    irq_handler *handler;
    void *argument;
} handlers[INTID_MAX];
// The counts belong to the CPU that the line interrupts.
static struct irq_line lines[SLOTS];
static struct irq_statistics statistics;
static struct semaphore rests = {.waiters = {.lock = SPINLOCK_INIT("irq rests", RANK_WAIT_QUEUE),
                                             .waiters = {&rests.waiters.waiters, &rests.waiters.waiters}}};

static void (*interrupt_probe)(void);

static uint32_t slot_of(uint32_t intid, unsigned cpu)
{
    return intid < PRIVATE_LINES ? cpu * PRIVATE_LINES + intid : PRIVATE_SLOTS + intid - PRIVATE_LINES;
}

static uint32_t intid_of(uint32_t slot)
{
    return slot < PRIVATE_SLOTS ? slot % PRIVATE_LINES : slot - PRIVATE_SLOTS + PRIVATE_LINES;
}

// With irq_lock. The CPU of a private line may be another one.
static bool unmask_slot(uint32_t slot)
{
    struct irq_line *line = &lines[slot];
    if (!line->masked) {
        return false;
    }
    line->masked = line->resting = false;
    line->window_count = line->unclaimed_row = 0;
    if (slot < PRIVATE_SLOTS) {
        irq_private_line_enable(slot / PRIVATE_LINES, intid_of(slot));
    } else {
        irq_line_enable(intid_of(slot));
    }
    return true;
}

// With irq_lock. On whichever CPU it is masked.
static bool unmask(uint32_t intid)
{
    bool any = false;
    for (unsigned cpu = 0; cpu < (intid < PRIVATE_LINES ? MAX_CPUS : 1); cpu++) {
        any |= unmask_slot(slot_of(intid, cpu));
    }
    return any;
}

int irq_register(uint32_t intid, irq_handler *handler, void *argument)
{
    if (intid >= irq_line_count()) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&irq_lock);
    int error = handlers[intid].handler == NULL ? 0 : -EBUSY;
    if (error == 0) {
        handlers[intid].argument = argument;
        store_release(&handlers[intid].handler, handler);
        (void)unmask(intid); // it may have come unexpected before
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
    int error = handlers[intid].handler != NULL ? 0 : -EINVAL;
    store_release(&handlers[intid].handler, NULL);
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
    if (intid >= irq_line_count()) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&irq_lock);
    bool any = unmask(intid);
    spin_unlock(&irq_lock, flags);
    return any ? 0 : -EINVAL;
}

// In the line's interrupt. One that storms will be tried again.
static void mask(uint32_t intid, struct irq_line *line, bool storm)
{
    irqflags_t flags = spin_lock(&irq_lock);
    if (intid < irq_line_count()) {
        irq_line_disable(intid);
    }
    bool news = !line->masked && line->storms == 0;
    line->masked = true;
    line->resting = storm;
    line->storms += storm;
    spin_unlock(&irq_lock, flags);
    if (news) {
        log_warning("interrupt %u %s after %lu arrivals: masked", intid, storm ? "storms" : "is nobody's", line->count);
    }
}

// Only the line's own CPU counts, but anyone may look.
#define COUNT(word) WRITE_ONCE(word, (word) + 1)

// Private lines are the kernel's own: its timer, and what CPUs tell each other. Programs can make them come often, by
// waking each other up, and a CPU without them would hear of nothing.
static bool storming(uint32_t intid, struct irq_line *line)
{
    uint64_t now = timer_now();
    if (now - line->window_start_ns > IRQ_STORM_WINDOW_NS) {
        line->window_start_ns = now;
        line->window_count = 0;
    }
    bool often = ++line->window_count > IRQ_STORM_LIMIT && intid >= PRIVATE_LINES;
    return often || line->unclaimed_row > IRQ_UNCLAIMED_LIMIT;
}

static void deliver(uint32_t intid)
{
    struct irq_line *line = &lines[slot_of(intid, cpu_self())];
    COUNT(line->count);
    irq_handler *handler = load_acquire(&handlers[intid].handler);
    if (handler == NULL) {
        COUNT(line->unhandled);
        atomic_add(&statistics.unexpected, 1);
        mask(intid, line, false);
        return;
    }
    if (handler(intid, handlers[intid].argument)) {
        line->unclaimed_row = 0;
    } else {
        COUNT(line->unhandled);
        line->unclaimed_row++;
        atomic_add(&statistics.spurious, 1);
    }
    if (storming(intid, line)) {
        atomic_add(&statistics.storms, 1);
        mask(intid, line, true);
        semaphore_up(&rests);
    }
}

// All that rest are tried again together, when the longest has had its time.
static void end_rests(void)
{
    uint64_t longest = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (READ_ONCE(lines[slot].resting)) {
            longest = max_u64(longest, IRQ_REST_NS << min_u64(lines[slot].storms - 1, IRQ_REST_DOUBLINGS));
        }
    }
    thread_sleep_until(timer_now() + longest);
    irqflags_t flags = spin_lock(&irq_lock);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (lines[slot].resting) {
            (void)unmask_slot(slot); // nobody was faster: resting goes with masked
        }
    }
    spin_unlock(&irq_lock, flags);
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

void kernel_interrupt(bool from_user)
{
    struct cpu *cpu = this_cpu();
    held_begin(cpu);
    cpu->interrupt_depth++;
    cpu->interrupted_user = from_user;
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
    held_end(cpu, "an interrupt", (uint64_t)__builtin_return_address(0));
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
    struct irq_line sum = {.handled = READ_ONCE(handlers[intid].handler) != NULL};
    for (unsigned cpu = 0; cpu < (intid < PRIVATE_LINES ? MAX_CPUS : 1); cpu++) {
        const struct irq_line *line = &lines[slot_of(intid, cpu)];
        sum.count += READ_ONCE(line->count);
        sum.unhandled += READ_ONCE(line->unhandled);
        sum.storms += READ_ONCE(line->storms);
        sum.masked |= READ_ONCE(line->masked);
        sum.resting |= READ_ONCE(line->resting);
    }
    return sum;
}

const char *irq_check(void)
{
    const char *broken = NULL;
    irqflags_t flags = spin_lock(&irq_lock);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint32_t unhandled = load_acquire(&lines[slot].unhandled); // another CPU counts it after the arrival
        if (unhandled > READ_ONCE(lines[slot].count)) {
            broken = "a line has more unhandled arrivals than arrivals";
        }
        if (lines[slot].resting && !lines[slot].masked) {
            broken = "a line rests and is not masked";
        }
    }
    spin_unlock(&irq_lock, flags);
    for (uint32_t intid = irq_line_count(); intid < INTID_MAX; intid++) {
        if (handlers[intid].handler != NULL) {
            broken = "a line that is not wired has a handler";
        }
    }
    return broken;
}
