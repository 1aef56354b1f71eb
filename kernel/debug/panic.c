// The end: a report for people, an event for programs, and no return.
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/power.h>
#include <hal/trace.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/record.h"
#include "kernel/sched/sched.h"

#define FRAMES_MAX 24u

static uint32_t panic_taken;

bool panic_under_way(void)
{
    return READ_ONCE(panic_taken) != 0;
}

static void print_frames(const uint64_t *pcs, size_t count, char *json, size_t size)
{
    size_t length = 0;
    json[0] = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = 0;
        const char *name = trace_symbol(pcs[i], &offset);
        name = name != NULL ? name : "?";
        console_print("  #%lu 0x%016lx %s+0x%lx\n", (uint64_t)i, pcs[i], name, offset);
        char frame[96];
        format(frame, sizeof(frame), "%s\"%s+0x%lx\"", i > 0 ? "," : "", name, offset);
        length += format(length < size ? json + length : NULL, length < size ? size - length : 0, "%s", frame);
    }
}

// Only the first CPU reports; the others, and a panic within the report, stop at once.
static bool first_to_panic(void)
{
    (void)irq_save();
    if (atomic_swap_acquire(&panic_taken, 1) != 0) {
        return false;
    }
    ipi_send(~(1u << cpu_self()) & ((1u << MAX_CPUS) - 1), SGI_STOP);
    console_enter_panic();
    return true;
}

static void report(const char *what, const uint64_t *pcs, size_t count)
{
    console_print("\nPANIC: %s\n", what);
    const struct thread *thread = this_cpu()->queue.current;
    console_print("  CPU %u, thread %s\n", cpu_self(), thread != NULL ? thread->name : "none");
    static char frames[640];
    print_frames(pcs, count, frames, sizeof(frames));
    console_print("END PANIC\n");
    char quoted[240];
    json_quote(quoted, sizeof(quoted), what);
    debug_event("{\"event\":\"panic\",\"what\":%s,\"frames\":[%s]}", quoted, frames);
}

void panic_at(const uint64_t *pcs, size_t count, const char *text, ...)
{
    if (!first_to_panic()) {
        cpu_stop();
    }
    char what[240];
    va_list args;
    va_start(args, text);
    vformat(what, sizeof(what), text, args);
    va_end(args);
    report(what, pcs, count);
    power_halt_on_bug();
}

void panic(const char *text, ...)
{
    if (!first_to_panic()) {
        cpu_stop();
    }
    uint64_t pcs[FRAMES_MAX];
    size_t count = trace_capture(pcs, FRAMES_MAX);
    char what[240];
    va_list args;
    va_start(args, text);
    vformat(what, sizeof(what), text, args);
    va_end(args);
    report(what, pcs, count);
    power_halt_on_bug();
}
