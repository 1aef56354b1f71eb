// One input, one run.
#include "harness/harness.h"
#include "harness/waits.h"

#include "kernel/base/format.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/sched/thread.h"

#include <stdarg.h>
#include <stdio.h>

bool harness_tracing;
unsigned harness_operations;
bool harness_observing, harness_lazy;
void (*harness_on_finding)(void);
static bool ready, finishing;

void harness_trace(const char *text, ...)
{
    va_list args;
    va_start(args, text);
    fputs(finishing ? "end: " : "op: ", stdout);
    vprintf(text, args);
    putchar('\n');
    fflush(stdout); // the next operation may be the last
    va_end(args);
}

// Reports always say which faults were armed, which fired, and where.
void harness_say_faults(void)
{
    FILE *to = harness_tracing ? stdout : stderr;
    struct fault_status status = fault_status();
    if (!status.armed && status.arrivals == 0) {
        fprintf(to, "fault: none armed\n");
        return;
    }
    char plan[256];
    fault_plan_format(&status.plan, plan, sizeof(plan));
    fprintf(to, "fault: armed %s\nfault: fired %llu of %llu arrivals", plan, (unsigned long long)status.fired,
            (unsigned long long)status.arrivals);
    if (status.last_site != NULL) {
        fprintf(to, ", last in %s %s:%d", status.last_site->function, status.last_site->file, status.last_site->line);
    }
    fputc('\n', to);
}

static void on_finding(void)
{
    harness_say_faults();
    if (harness_on_finding != NULL) {
        harness_on_finding();
    }
}

struct fault_plan harness_plan(const uint8_t *data, size_t size, bool *armed)
{
    uint8_t raw[HARNESS_PLAN_SIZE] = {};
    for (size_t i = 0; i < size && i < sizeof(raw); i++) {
        raw[i] = data[i];
    }
    uint32_t kinds = raw[0] & ((1u << FAULT_KINDS) - 1);
    *armed = kinds != 0;
    return (struct fault_plan){.kinds = kinds,
                               .nth = raw[1] | (uint64_t)raw[7] << 8,
                               .interval = raw[2],
                               .times = raw[3],
                               .probability = raw[4] % 101u,
                               .seed = raw[5] | (uint64_t)raw[6] << 8};
}

bool harness_plan_bytes(const struct fault_plan *plan, uint8_t out[HARNESS_PLAN_SIZE])
{
    uint32_t kinds = plan->kinds != 0 ? plan->kinds : (1u << FAULT_KINDS) - 1; // all
    const uint8_t raw[HARNESS_PLAN_SIZE] = {
        (uint8_t)kinds,
        (uint8_t)plan->nth,
        (uint8_t)plan->interval,
        (uint8_t)plan->times,
        (uint8_t)plan->probability,
        (uint8_t)plan->seed,
        (uint8_t)(plan->seed >> 8),
        (uint8_t)(plan->nth >> 8),
    };
    __builtin_memcpy(out, raw, sizeof(raw));
    return plan->nth <= UINT16_MAX && plan->interval <= UINT8_MAX && plan->times <= UINT8_MAX &&
           plan->seed <= UINT16_MAX && plan->task == 0;
}

bool harness_faulted(void)
{
    return fault_status().fired > 0;
}

void harness_pool(struct page_pool *pool, struct page *pages, uint32_t frames)
{
    int error = page_pool_init(pool, paddr(HARNESS_POOL_BASE), frames, pages);
    if (error == 0) {
        error = page_pool_add(pool, paddr(HARNESS_POOL_BASE), frames);
    }
    if (error != 0) {
        machine_finding("check", "a pool of %u pages cannot be made: %d", frames, error);
    }
}

static void boot_cpu(void)
{
    cpus[0].local.id = 0;
    cpu_set_local(&cpus[0].local);
    machine_irq_depth = 0;
}

void harness_setup(void)
{
    if (ready) {
        return;
    }
    ready = true;
    machine_start();
    machine_on_finding(on_finding);
    machine_on_standstill(waits_print);
    machine_lazy_reset(harness_lazy);
    boot_cpu();
    if (fuzz_target.setup != NULL) {
        fuzz_target.setup();
    }
    machine_snapshot();
}

static void body(void *argument)
{
    fuzz_target.run(argument);
}

static void finish(void *argument)
{
    fuzz_target.finish();
}

void harness_run(const uint8_t *data, size_t size, const struct fault_plan *plan)
{
    size_t used = size < HARNESS_INPUT_MAX ? size : HARNESS_INPUT_MAX;
    size_t start = used < HARNESS_PLAN_SIZE ? used : HARNESS_PLAN_SIZE;
    machine_reset(data + start, used - start);
    harness_operations = 0;
    finishing = false;
    if (!fuzz_target.boots) {
        boot_cpu();
    }
    if (harness_observing) {
        fault_observe(true);
    }
    bool armed;
    struct fault_plan own = harness_plan(data, used, &armed);
    if (plan != NULL || armed) {
        fault_arm(plan != NULL ? plan : &own);
    }
    struct input input = {.data = data, .size = used, .at = start};
    if (fuzz_target.boots) {
        fuzz_target.run(&input);
    } else {
        machine_run(body, &input);
    }
    fault_disarm();
    unsigned operations = harness_operations;
    finishing = true;
    if (fuzz_target.finish != NULL) {
        machine_run(finish, NULL);
    }
    harness_operations = operations; // the input's own
    if (machine_irq_depth != 0 && !fuzz_target.boots) {
        machine_finding("irq", "the run ended with interrupts masked %u deep", machine_irq_depth);
    }
}
