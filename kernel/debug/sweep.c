#include "kernel/debug/sweep.h"

#include <hal/irq.h>
#include <hal/timer.h>

#include "kernel/base/format.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/sched/sched.h"

#define RUN_AWAY 100000u // failures in one series; beyond it the kernel retries for ever
#define SETTLE_NS 1000000000ull
#define SETTLE_STEP_NS 20000ull
// The walk over all frames is left out of most rounds on large machines.
#define FRAMES_PER_ROUND 32768u

static const uint32_t series_kinds[SWEEP_SERIES] = {1u << FAULT_PAGE_ALLOC, 1u << FAULT_SLAB_ALLOC,
                                                    1u << FAULT_USER_COPY, 0};

const char *sweep_series_name(unsigned series)
{
    return series_kinds[series] == 0 ? "all" : fault_kind_name((enum fault_kind)__builtin_ctz(series_kinds[series]));
}

const struct workload *workload_find(const char *name)
{
    for (const struct workload *workload = workloads; workload->name != NULL; workload++) {
        if (text_equal(name, workload->name)) {
            return workload;
        }
    }
    return NULL;
}

struct footprint footprint_take(void)
{
    heap_trim(&kernel_heap);
    return (struct footprint){page_pool_free_pages(&kernel_pages), heap_used_objects(&kernel_heap), thread_count()};
}

bool footprint_settle(const struct footprint *before)
{
    uint64_t deadline = timer_now() + SETTLE_NS;
    for (;;) {
        struct footprint now = footprint_take();
        // A dead thread is buried by whoever runs next on its CPU, which may be after its join.
        if (now.pages >= before->pages && now.objects <= before->objects && now.threads <= before->threads) {
            return true;
        }
        if (timer_now() > deadline) {
            return false;
        }
        thread_sleep_until(timer_now() + SETTLE_STEP_NS);
    }
}

static const char *check_light(void)
{
    const char *broken = heap_check(&kernel_heap);
    broken = broken != NULL ? broken : kernel_map_check();
    broken = broken != NULL ? broken : sched_check();
    broken = broken != NULL ? broken : irq_check();
    broken = broken == NULL && spin_held_count() != 0 ? "a lock is still held" : broken;
    return broken == NULL && !irq_enabled() ? "interrupts are still off" : broken;
}

const char *kernel_check_all(void)
{
    const char *broken = check_light();
    broken = broken != NULL ? broken : process_check_all();
    return broken != NULL ? broken : page_pool_check(&kernel_pages);
}

static const char *check_round(uint64_t round)
{
    return round % (kernel_pages.buddy.frames / FRAMES_PER_ROUND + 1) == 0 ? kernel_check_all() : check_light();
}

static bool clean(int error)
{
    return error == 0 || error == -ENOMEM || error == -EAGAIN || error == -EFAULT || error == -EIO;
}

static int broken_promise(struct sweep_result *out, const struct fault_plan *plan, const char *what)
{
    char text[96];
    fault_plan_format(plan, text, sizeof(text));
    format(out->broken, sizeof(out->broken), "with fault %s: %s", text, what);
    return -EIO;
}

// One failure and what must hold after it. *fired false: the plan's number was beyond the last arrival.
static int inject(const struct workload *workload, const struct fault_plan *plan, struct footprint *before,
                  struct sweep_result *out, bool *fired)
{
    fault_arm(plan);
    int error = workload->run();
    struct fault_status status = fault_status();
    fault_disarm();
    out->runs++;
    out->fired += status.fired;
    *fired = status.fired > 0;
    if (!clean(error)) {
        char what[48];
        format(what, sizeof(what), "error %d is not a clean one", error);
        return broken_promise(out, plan, what);
    }
    if (!*fired) {
        return error == 0 ? 0 : broken_promise(out, plan, "failed although nothing was made to");
    }
    out->injections++;
    if (!footprint_settle(before)) {
        return broken_promise(out, plan, "memory or threads are left behind");
    }
    const char *broken = check_round(out->runs);
    if (broken != NULL) {
        return broken_promise(out, plan, broken);
    }
    if (workload->run() != 0) {
        return broken_promise(out, plan, "the same work then fails");
    }
    return footprint_settle(before) ? 0 : broken_promise(out, plan, "the same work then leaves something behind");
}

static int run_series(const struct workload *workload, unsigned series, bool persistent, struct footprint *before,
                      struct sweep_result *out)
{
    for (uint64_t nth = 1; nth < RUN_AWAY; nth++) {
        struct fault_plan plan = {.kinds = series_kinds[series], .nth = nth, .times = persistent ? 0 : 1};
        bool fired;
        int error = inject(workload, &plan, before, out, &fired);
        if (error != 0 || !fired) {
            return error;
        }
        out->by_kind[series][persistent]++;
    }
    return broken_promise(out, &(struct fault_plan){.kinds = series_kinds[series]},
                          "the failures do not come to an end");
}

int sweep_workload(const struct workload *workload, struct sweep_result *out)
{
    *out = (struct sweep_result){0};
    fault_disarm();
    int error = workload->run(); // what is made once and kept is there then
    if (error != 0) {
        return error;
    }
    thread_sleep_until(timer_now() + SETTLE_STEP_NS * 50);
    struct footprint before = footprint_take();
    for (unsigned series = 0; series < SWEEP_SERIES * 2 && error == 0; series++) {
        error = run_series(workload, series / 2, series % 2 != 0, &before, out);
    }
    const char *broken = kernel_check_all();
    if (error == 0 && broken != NULL) {
        format(out->broken, sizeof(out->broken), "%s", broken);
        error = -EIO;
    }
    return error;
}

// --- the command ---------------------------------------------------------------------------------------------------

static void show(const struct workload *workload, int error, uint64_t ns, const struct sweep_result *result)
{
    char kinds[320];
    size_t length = 0;
    for (unsigned i = 0; i < SWEEP_SERIES; i++) {
        length += format(kinds + length, sizeof(kinds) - length, "%s\"%s\":{\"transient\":%lu,\"persistent\":%lu}",
                         i > 0 ? "," : "", sweep_series_name(i), result->by_kind[i][0], result->by_kind[i][1]);
    }
    output_json(
        "{\"workload\":\"%s\",\"error\":%d,\"runs\":%lu,\"injections\":%lu,\"fired\":%lu,\"ns\":%lu,\"kinds\":{%s},"
        "\"broken\":%s%s%s}",
        workload->name, error, result->runs, result->injections, result->fired, ns, kinds,
        result->broken[0] != 0 ? "\"" : "", result->broken[0] != 0 ? result->broken : "null",
        result->broken[0] != 0 ? "\"" : "");
    output_line("%-10s %lu injections, %lu failures, %lu ms", workload->name, result->injections, result->fired,
                ns / 1000000);
    for (unsigned i = 0; i < SWEEP_SERIES; i++) {
        output_line("  %-10s %6lu once %6lu for good", sweep_series_name(i), result->by_kind[i][0],
                    result->by_kind[i][1]);
    }
    if (result->broken[0] != 0) {
        output_line("BROKEN: %s", result->broken);
    } else if (error != 0) {
        output_line("%s: error %d without any failure", workload->name, error);
    }
}

static int sweep_and_show(const struct workload *workload)
{
    struct sweep_result result;
    uint64_t start = timer_now();
    int error = sweep_workload(workload, &result);
    show(workload, error, timer_now() - start, &result);
    return error;
}

static int sweep_program(char *arguments)
{
    const char *words[WORKLOAD_ARGUMENTS_MAX + 1] = {NULL};
    for (unsigned i = 0; i < WORKLOAD_ARGUMENTS_MAX && (words[i] = monitor_next_word(&arguments)) != NULL; i++) {
    }
    if (words[0] == NULL) {
        output_line("sweep program: wants a path and arguments");
        return -EINVAL;
    }
    workload_set_program(words);
    return sweep_and_show(&workload_program);
}

int sweep_command(char *arguments)
{
    const char *name = monitor_next_word(&arguments);
    if (name != NULL && text_equal(name, workload_program.name)) {
        return sweep_program(arguments);
    }
    bool all = name != NULL && text_equal(name, "all");
    if (name == NULL || (!all && workload_find(name) == NULL)) {
        output_line("sweep: wants 'all', 'program PATH ARGUMENT…' or one of:");
        for (const struct workload *workload = workloads; workload->name != NULL; workload++) {
            output_line("  %s", workload->name);
        }
        return name == NULL ? -EINVAL : -ENOENT;
    }
    int status = 0;
    for (const struct workload *workload = workloads; workload->name != NULL; workload++) {
        if (all || text_equal(name, workload->name)) {
            int error = sweep_and_show(workload);
            status = status != 0 ? status : error;
        }
    }
    return status;
}
