// The monitor's commands. Each prints a table for people and, for a program, JSON records too.
#include <fault/fault.h>
#include <hal/power.h>
#include <hal/trace.h>

#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/crash.h"
#include "kernel/debug/irqsweep.h"
#include "kernel/debug/ktest.h"
#include "kernel/debug/log.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/debug/record.h"
#include "kernel/debug/sweep.h"
#include "kernel/debug/workloads.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/program.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/held.h"
#include "kernel/syscall/trace.h"
#include "kernel/tty/console_tty.h"

static int help(char *arguments)
{
    for (const struct command *command = monitor_commands; command->name != NULL; command++) {
        char usage[64];
        format(usage, sizeof(usage), "%s %s", command->name, command->arguments);
        output_line("%-48s %s", usage, command->summary);
    }
    return 0;
}

// --- mem, threads, irq ---------------------------------------------------------------------------------------------

static int check_memory(void)
{
    const char *broken = page_pool_check(&kernel_pages);
    broken = broken != NULL ? broken : heap_check(&kernel_heap);
    broken = broken != NULL ? broken : kernel_map_check();
    if (broken != NULL) {
        output_line("BROKEN: %s", broken);
        return -EIO;
    }
    return 0;
}

static void mem_json(const struct page_stats *stats)
{
    char text[RECORD_PAYLOAD_MAX + 1];
    size_t length =
        format(text, sizeof(text), "{\"total\":%lu,\"free\":%lu,\"cached\":%lu,\"heap_objects\":%lu,\"free_blocks\":[",
               stats->total, stats->free, stats->cached, heap_used_objects(&kernel_heap));
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        length +=
            format(text + length, sizeof(text) - length, "%s%lu", order > 0 ? "," : "", stats->free_blocks[order]);
    }
    length += format(text + length, sizeof(text) - length, "],\"slabs\":[");
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        const struct slab_cache *cache = &kernel_heap.classes[i];
        length += format(text + length, sizeof(text) - length, "%s{\"name\":\"%s\",\"used\":%lu,\"slabs\":%lu}",
                         i > 0 ? "," : "", cache->name, cache->used, cache->slabs);
    }
    format(text + length, sizeof(text) - length, "]}");
    output_json("%s", text);
}

static int mem(char *arguments)
{
    char *option = monitor_next_word(&arguments);
    if (option != NULL && text_equal(option, "trim")) {
        heap_trim(&kernel_heap);
        option = NULL;
    }
    if (option != NULL) {
        output_line("mem: '%.40s'? Only 'trim', which gives empty slabs back first", option);
        return -EINVAL;
    }
    struct page_stats stats = page_pool_stats(&kernel_pages);
    mem_json(&stats);
    output_line("pages: %lu total, %lu free, %lu in CPU caches", stats.total, stats.free, stats.cached);
    output_line("page caches: %lu refills", stats.cache_refills);
    output_line("heap: %lu objects", heap_used_objects(&kernel_heap));
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        const struct slab_cache *cache = &kernel_heap.classes[i];
        if (cache->slabs > 0) {
            output_line("  %-10s %6lu in use, %4lu slabs of %u", cache->name, cache->used, cache->slabs,
                        cache->objects);
        }
    }
    return check_memory();
}

struct thread_row {
    char name[THREAD_NAME_MAX];
    uint32_t id;
    uint8_t state, cpu;
    uint64_t runtime_ns, switches;
};

// Rows are copied under the list's lock and printed without it.
struct thread_rows {
    struct thread_row rows[64];
    size_t count;
};

static void copy_row(struct thread *thread, void *argument)
{
    struct thread_rows *out = argument;
    if (out->count < ARRAY_SIZE(out->rows)) {
        struct thread_row *row = &out->rows[out->count++];
        *row = (struct thread_row){.id = thread->id,
                                   .state = thread->state,
                                   .cpu = thread->cpu,
                                   .runtime_ns = thread->runtime_ns,
                                   .switches = thread->switches};
        __builtin_memcpy(row->name, thread->name, sizeof(row->name));
    }
}

static int threads(char *arguments)
{
    static const char *const states[] = {"ready", "running", "sleeping", "moving", "dead"};
    static struct thread_rows table; // the monitor runs one command at a time
    table.count = 0;
    thread_for_each(copy_row, &table);
    for (size_t i = 0; i < table.count; i++) {
        const struct thread_row *row = &table.rows[i];
        output_json("{\"id\":%u,\"name\":\"%s\",\"state\":\"%s\",\"cpu\":%u,\"runtime_ns\":%lu}", row->id, row->name,
                    states[row->state], row->cpu, row->runtime_ns);
        output_line("%5u %-16s %-9s cpu %u %12lu us %8lu switches", row->id, row->name, states[row->state], row->cpu,
                    row->runtime_ns / 1000, row->switches);
    }
    output_line("%u threads", thread_count());
    const char *broken = sched_check();
    if (broken != NULL) {
        output_line("BROKEN: %s", broken);
        return -EIO;
    }
    return 0;
}

static int irq_unmask_command(char *arguments)
{
    char *word = monitor_next_word(&arguments);
    uint64_t intid;
    if (word == NULL || parse_u64(word, &intid) != 0 || irq_unmask((uint32_t)min_u64(intid, UINT32_MAX)) != 0) {
        output_line("irq unmask: wants the INTID of a masked line");
        return -EINVAL;
    }
    return 0;
}

static int irq(char *arguments)
{
    char *option = monitor_next_word(&arguments);
    if (option != NULL) {
        if (text_equal(option, "unmask")) {
            return irq_unmask_command(arguments);
        }
        output_line("irq: '%.40s'? Only 'unmask INTID'", option);
        return -EINVAL;
    }
    struct irq_statistics statistics = irq_statistics();
    output_json("{\"total\":%lu,\"spurious\":%lu,\"unexpected_total\":%lu,\"storms\":%lu}", statistics.total,
                statistics.spurious, statistics.unexpected, statistics.storms);
    output_line("%lu interrupts, %lu spurious, %lu unexpected, %lu lines masked for storming", statistics.total,
                statistics.spurious, statistics.unexpected, statistics.storms);
    for (uint32_t intid = 0; intid < INTID_MAX; intid++) {
        struct irq_line line = irq_line(intid);
        if (line.count > 0) {
            output_json("{\"intid\":%u,\"count\":%lu,\"unhandled\":%u,\"masked\":%s,\"handled\":%s}", intid, line.count,
                        line.unhandled, line.masked ? "true" : "false", line.handled ? "true" : "false");
            output_line("%5u %10lu arrivals, %u unhandled%s", intid, line.count, line.unhandled,
                        line.masked ? ", masked" : "");
        }
    }
    const char *broken = irq_check();
    if (broken != NULL) {
        output_line("BROKEN: %s", broken);
        return -EIO;
    }
    return 0;
}

// --- faults, sites, run --------------------------------------------------------------------------------------------

static void show_faults(void)
{
    struct fault_status status = fault_status();
    char plan[128] = "none", site[128] = "null";
    if (status.armed || status.arrivals > 0) {
        fault_plan_format(&status.plan, plan, sizeof(plan));
    }
    if (status.last_site != NULL) {
        format(site, sizeof(site), "\"%s, %s:%d\"", status.last_site->function, status.last_site->file,
               status.last_site->line);
    }
    output_json("{\"armed\":%s,\"plan\":\"%s\",\"arrivals\":%lu,\"fired\":%lu,\"last_site\":%s}",
                status.armed ? "true" : "false", plan, status.arrivals, status.fired, site);
    output_line("%s, plan %s: %lu arrivals, %lu fired, last at %s", status.armed ? "armed" : "not armed", plan,
                status.arrivals, status.fired, site);
}

static int arm_faults(char *text)
{
    struct fault_plan plan;
    const char *error;
    char *word = monitor_next_word(&text);
    if (word == NULL || fault_plan_parse(word, &plan, &error) != 0) {
        output_line("not a fault plan at '%.40s': KIND[+KIND...|all][,nth=N][,interval=N][,times=N|,persistent]"
                    "[,probability=P][,seed=S][,task=T], KIND one of boot_alloc page_alloc slab_alloc user_copy",
                    word == NULL ? "" : error);
        return -EINVAL;
    }
    fault_arm(&plan);
    show_faults();
    return 0;
}

static int faults(char *arguments)
{
    char *verb = monitor_next_word(&arguments);
    if (verb == NULL) {
        show_faults();
        return 0;
    }
    if (text_equal(verb, "arm")) {
        return arm_faults(arguments);
    }
    if (text_equal(verb, "off")) {
        fault_disarm();
    } else if (text_equal(verb, "observe")) {
        fault_observe(true);
    } else if (text_equal(verb, "reset")) {
        fault_reset_counters();
    } else {
        output_line("faults: '%.40s'? One of arm PLAN, off, observe, reset", verb);
        return -EINVAL;
    }
    show_faults();
    return 0;
}

static int sites(char *arguments)
{
    for (size_t i = 0; i < fault_site_count(); i++) {
        const struct fault_site *site = fault_site_at(i);
        output_json("{\"kind\":\"%s\",\"function\":\"%s\",\"file\":\"%s\",\"line\":%d,\"reached\":%u,"
                    "\"failed_transient\":%u,\"failed_persistent\":%u}",
                    fault_kind_name(site->kind), site->function, site->file, site->line, site->reached,
                    site->failed_transient, site->failed_persistent);
        output_line("%-10s %-22s %s:%d  reached %u, failed %u once, %u for good", fault_kind_name(site->kind),
                    site->function, site->file, site->line, site->reached, site->failed_transient,
                    site->failed_persistent);
    }
    return 0;
}

static int run_workload(const struct workload *workload)
{
    int status = workload->run();
    struct fault_status faults_seen = fault_status();
    fault_disarm(); // a plan is for one run: what follows must work again
    output_json("{\"workload\":\"%s\",\"error\":%d,\"arrivals\":%lu,\"fired\":%lu}", workload->name, status,
                faults_seen.armed ? faults_seen.arrivals : 0, faults_seen.armed ? faults_seen.fired : 0);
    output_line("%s: %s (%d)", workload->name, status == 0 ? "done" : "failed cleanly", status);
    int broken = check_memory();
    return broken != 0 ? broken : status;
}

static int run(char *arguments)
{
    char *name = monitor_next_word(&arguments);
    if (name == NULL || text_equal(name, "list")) {
        for (const struct workload *workload = workloads; workload->name != NULL; workload++) {
            output_json("{\"workload\":\"%s\"}", workload->name);
            output_line("%-10s %s", workload->name, workload->summary);
        }
        return 0;
    }
    const struct workload *workload = workload_find(name);
    if (workload != NULL) {
        return run_workload(workload);
    }
    output_line("run: no workload '%.40s'; 'run list' lists them", name);
    return -ENOENT;
}

// --- tests, programs, the rest -------------------------------------------------------------------------------------

static bool run_test(const struct ktest *test, size_t number)
{
    output_line("# %s.%s", test->suite, test->name);
    bool passed = ktest_run(test);
    output_line("%s %lu %s.%s", passed ? "ok" : "not ok", (uint64_t)number, test->suite, test->name);
    return passed;
}

static int ktest(char *arguments)
{
    char *verb = monitor_next_word(&arguments), *wanted = NULL;
    if (verb != NULL && text_equal(verb, "run")) {
        wanted = monitor_next_word(&arguments);
    }
    if (verb != NULL && !text_equal(verb, "list") && wanted == NULL) {
        output_line("ktest: list, run SUITE.NAME, or run all");
        return -EINVAL;
    }
    size_t passed = 0, ran = 0;
    for (size_t i = 0; i < ktest_count(); i++) {
        const struct ktest *test = ktest_at(i);
        char name[96];
        format(name, sizeof(name), "%s.%s", test->suite, test->name);
        if (wanted == NULL) {
            output_json("{\"suite\":\"%s\",\"name\":\"%s\"}", test->suite, test->name);
            output_line("%s", name);
        } else if (text_equal(wanted, "all") || text_equal(wanted, name)) {
            passed += run_test(test, ++ran);
        }
    }
    if (wanted == NULL) {
        return 0;
    }
    output_line("1..%lu", (uint64_t)ran);
    if (ran == 0) {
        output_line("ktest: no test '%.80s'; 'ktest list' lists them", wanted);
        return -ENOENT;
    }
    return passed == ran ? 0 : -EIO;
}

#define EXEC_ARGUMENTS_MAX 15u

static int exec(char *arguments)
{
    const char *argv[EXEC_ARGUMENTS_MAX + 1] = {NULL};
    for (unsigned i = 0; i < EXEC_ARGUMENTS_MAX && (argv[i] = monitor_next_word(&arguments)) != NULL; i++) {
    }
    if (argv[0] == NULL) {
        output_line("exec: wants a path, or one of these in /programs:");
        for (size_t i = 0; user_program_name(i) != NULL; i++) {
            output_line("  %s", user_program_name(i));
        }
        return -EINVAL;
    }
    char path[64];
    format(path, sizeof(path), "%s%s", argv[0][0] == '/' ? "" : "/programs/", argv[0]);
    struct process *process;
    debug_event("{\"event\":\"process-start\"}"); // what the console shows from here on may be the program's
    int error = process_spawn(path, argv, &process);
    if (error != 0) {
        output_line("exec: %s: error %d", argv[0], error);
        return error;
    }
    int32_t pid = process->pid;
    console_tty_give(pid);
    console_set_reader(CONSOLE_TERMINAL);
    int status = process_wait(process);
    console_set_reader(CONSOLE_MONITOR);
    debug_event("{\"event\":\"process-exit\",\"pid\":%d,\"status\":%d}", pid, status);
    output_line("%s: exit status %d", argv[0], status);
    return status;
}

static void print_log_line(const char *line, void *argument)
{
    output_line("%s", line);
}

static int trace(char *arguments)
{
    const char *word = monitor_next_word(&arguments);
    if (word == NULL || (!text_equal(word, "on") && !text_equal(word, "off"))) {
        output_line("trace: wants 'on' or 'off'");
        return -EINVAL;
    }
    syscall_trace_all(text_equal(word, "on"));
    return 0;
}

static int log_command(char *arguments)
{
    log_for_each(print_log_line, NULL);
    return 0;
}

struct extent {
    uint64_t va, size, leaves;
    unsigned flags;
};

static void print_extent(const struct extent *extent)
{
    if (extent->size > 0) {
        output_line("0x%016lx %8lu KiB %c%c%s", extent->va, extent->size / 1024,
                    (extent->flags & MAP_WRITE) != 0 ? 'w' : '-', (extent->flags & MAP_EXEC) != 0 ? 'x' : '-',
                    (extent->flags & MAP_DEVICE) != 0 ? " device" : "");
    }
}

// Neighbours of equal rights are one line.
static void add_leaf(uint64_t va, uint64_t size, unsigned flags, void *argument)
{
    struct extent *extent = argument;
    if (extent->size > 0 && extent->va + extent->size == va && extent->flags == flags) {
        extent->size += size;
    } else {
        print_extent(extent);
        *extent = (struct extent){.va = va, .size = size, .leaves = extent->leaves, .flags = flags};
    }
    extent->leaves++;
}

static int pagetable(char *arguments)
{
    struct extent extent = {0};
    uint64_t broken = kernel_map_walk(add_leaf, &extent);
    print_extent(&extent);
    output_json("{\"leaves\":%lu,\"writable_and_executable\":%lu}", extent.leaves, broken);
    output_line("%lu of %lu leaves are writable and executable", broken, extent.leaves);
    return broken == 0 ? 0 : -EIO;
}

// The places are those after which interrupts came on again.
static int held(char *arguments)
{
    struct held places[HELD_PLACES];
    unsigned count = held_places(places);
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = 0;
        const char *symbol = trace_symbol(places[i].where, &offset);
        output_line("%10lu ns until %s, by %s", places[i].ns, places[i].what, symbol != NULL ? symbol : "?");
    }
    const char *limit = monitor_next_word(&arguments);
    if (limit != NULL) {
        uint64_t ns;
        if (parse_u64(limit, &ns) != 0) {
            return -EINVAL;
        }
        held_set_limit(ns, monitor_next_word(&arguments) != NULL);
    }
    output_line("%u places had interrupts off for longer than allowed", count);
    return 0;
}

static int poweroff(char *arguments)
{
    debug_event("{\"event\":\"poweroff\"}");
    power_off(0);
}

static int reset(char *arguments)
{
    power_reset();
}

const struct command monitor_commands[] = {
    {"help", "", "this list", help},
    {"mem", "[trim]", "pages, heap and slabs; checks them", mem},
    {"threads", "", "every thread; checks the run queues", threads},
    {"irq", "[unmask INTID]", "interrupts by number", irq},
    {"faults", "[arm PLAN | off | observe | reset]", "injected failures", faults},
    {"sites", "", "every line that can be made to fail", sites},
    {"run", "[list | WORKLOAD]", "work for failure sweeps; disarms faults at its end", run},
    {"sweep", "[all | WORKLOAD | program PATH …]", "fails a workload at every place, once and for good", sweep_command},
    {"irqsweep", "[FUNCTION FIRST LAST]", "interrupts a function after each count of ns", irqsweep_command},
    {"ktest", "[list | run SUITE.NAME | run all]", "the tests in the image", ktest},
    {"exec", "[PATH [ARGUMENT…]]", "runs a program in user space", exec},
    {"trace", "on | off", "logs every system call", trace},
    {"log", "", "the kernel's log", log_command},
    {"pagetable", "", "the kernel's live mappings, and whether W^X holds", pagetable},
    {"held", "[NS [fatal]]", "who had interrupts off for longer; from now on: than NS", held},
    {"crash", "[KIND]", "provokes a bug, to see it reported", crash_command},
    {"poweroff", "", "ends the machine", poweroff},
    {"reset", "", "starts it again", reset},
    {NULL, NULL, NULL, NULL},
};
