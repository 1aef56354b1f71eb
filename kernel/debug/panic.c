// The end: a report for people, an event for programs, and no return.
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/power.h>
#include <hal/trace.h>
#include <hal/upcall.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/record.h"
#include "kernel/sched/sched.h"

#define FRAMES_MAX 24u

static uint32_t reporter; // id + 1 of the CPU that panicked first
static uint32_t depth;    // of panics there: more than one when the report itself is broken

static void print_frames(const uint64_t *pcs, size_t count, char *json, size_t size)
{
    size_t length = 0;
    json[0] = 0;
    for (size_t i = 0; i < count; i++) {
        // A return address may lie behind its function: after a call that does not return.
        uint64_t offset = 0, back = i > 0;
        const char *name = trace_symbol(pcs[i] - back, &offset);
        name = name != NULL ? name : "?";
        offset += back;
        console_print("  #%lu 0x%016lx %s+0x%lx\n", (uint64_t)i, pcs[i], name, offset);
        char frame[96];
        format(frame, sizeof(frame), "%s\"%s+0x%lx\"", i > 0 ? "," : "", name, offset);
        length += format(length < size ? json + length : NULL, length < size ? size - length : 0, "%s", frame);
    }
}

// The CPU that panics first reports; another stops here. A panic in the report is told in one line, a third not at all.
static void enter(const char *text, va_list args)
{
    (void)irq_save();
    uint32_t me = cpu_self() + 1, seen = 0;
    if (!atomic_cas(&reporter, &seen, me) && seen != me) {
        power_halt_on_bug();
    }
    depth++;
    if (depth == 1) {
        console_enter_panic(); // first: who has its interrupts off stops when it wants to print
        cpu_stop_others();
        return;
    }
    if (depth == 2) {
        char what[160], quoted[200];
        vformat(what, sizeof(what), text, args);
        console_print("\nPANIC in the report of a panic: %s\nEND PANIC\n", what);
        json_quote(quoted, sizeof(quoted), what);
        debug_event("{\"event\":\"panic\",\"what\":%s,\"nested\":true,\"frames\":[]}", quoted);
    }
    power_halt_on_bug();
}

// Where the CPU was. Very early it has not even data of its own.
static void print_context(void)
{
    const struct thread *thread = NULL;
    bool interrupt = false;
    if (cpu_local() == &cpus[cpu_self()].local) {
        thread = this_cpu()->queue.current;
        interrupt = this_cpu()->interrupt_depth > 0;
    }
    console_print("  CPU %u, thread %s%s\n", cpu_self(), thread != NULL ? thread->name : "none",
                  interrupt ? ", in an interrupt" : "");
}

static _Noreturn void report(const uint64_t *pcs, size_t count, void (*details)(const void *), const void *subject,
                             const char *text, va_list args)
{
    static char what[240], frames[640], quoted[280];
    vformat(what, sizeof(what), text, args);
    console_print("\nPANIC: %s\n", what);
    print_context();
    if (details != NULL) {
        details(subject);
    }
    print_frames(pcs, count, frames, sizeof(frames));
    console_print("END PANIC\n");
    json_quote(quoted, sizeof(quoted), what);
    debug_event("{\"event\":\"panic\",\"what\":%s,\"frames\":[%s]}", quoted, frames);
    power_halt_on_bug();
}

void panic_at(const uint64_t *pcs, size_t count, void (*details)(const void *), const void *subject, const char *text,
              ...)
{
    va_list args;
    va_start(args, text);
    enter(text, args);
    report(pcs, count, details, subject, text, args);
}

void panic(const char *text, ...)
{
    uint64_t pcs[FRAMES_MAX];
    size_t count = trace_capture(pcs, FRAMES_MAX);
    va_list args;
    va_start(args, text);
    enter(text, args);
    report(pcs, count, NULL, NULL, text, args);
}
