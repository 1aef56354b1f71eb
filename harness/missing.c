// Stands in for parts of the kernel that a program does not link. Each real definition wins over these.
#include "hal/host/machine.h"

#include <fault/fault.h>
#include <hal/console.h>
#include <hal/power.h>

#include "kernel/base/format.h"
#include "kernel/proc/program.h"
#include "kernel/sched/thread.h"

#include <stdarg.h>

#define FALLBACK __attribute__((weak))

FALLBACK struct cpu cpus[MAX_CPUS];

FALLBACK struct thread *thread_current(void)
{
    return NULL;
}

FALLBACK struct fault_context fault_current_context(void)
{
    return (struct fault_context){};
}

FALLBACK void panic(const char *text, ...)
{
    char line[256] = "PANIC: ";
    va_list args;
    va_start(args, text);
    size_t length = 7 + vformat(line + 7, sizeof(line) - 7, text, args);
    va_end(args);
    console_write_early(line, length < sizeof(line) ? length : sizeof(line) - 1);
    power_halt_on_bug();
}

// A program without tests still has the list of them.
struct ktest;
static const struct ktest *const no_tests[0] __attribute__((used, section("ktests")));

// User programs are built for AArch64 only.
FALLBACK bool user_program_find(const char *name, const void **data, size_t *size)
{
    return false;
}

FALLBACK const char *user_program_name(size_t index)
{
    return NULL;
}
