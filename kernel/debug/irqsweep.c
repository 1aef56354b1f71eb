#include "kernel/debug/irqsweep.h"

#include <hal/irq.h>
#include <hal/timer.h>
#include <hal/trace.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/debug/sweep.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"

#define PLACES_MAX 4096u
#define FULL_CHECK_EVERY 256u

static struct {
    uint64_t pcs[PLACES_MAX];
    uint32_t count;
    uint64_t interrupts; // of the function, not of what is around it
    struct thread *thread;
    bool on; // own CPU, interrupts off; until the first interrupt
} places;

// Runs the same function from beginning to end right where the interrupt came, as far as locks let it.
static struct {
    const struct workload *function;
    struct semaphore go, done;
    int error; // of its first run that failed
    bool end;
} rival;

static struct mutex mutex;
static struct semaphore semaphore;

static int run_locks(void)
{
    static struct spinlock lock = SPINLOCK_INIT("irqsweep", RANK_PROCESS);
    mutex_lock(&mutex);
    semaphore_down(&semaphore);
    irqflags_t flags = spin_lock(&lock);
    spin_unlock(&lock, flags);
    semaphore_up(&semaphore);
    mutex_unlock(&mutex);
    return mutex_check(&mutex) == NULL ? 0 : -EIO;
}

static int run_heap(void)
{
    void *first, *second;
    int error = kmalloc(100, &first);
    if (error == 0) {
        error = kmalloc(5000, &second);
        kfree(first);
        if (error == 0) {
            kfree(second);
        }
    }
    return error;
}

static const struct workload functions[] = {
    {"locks", "mutex, semaphore and spinlock", run_locks},
    {"heap", "two allocations", run_heap},
    {NULL, NULL, NULL},
};

static const struct workload *find(const char *name)
{
    for (const struct workload *function = functions; function->name != NULL; function++) {
        if (text_equal(function->name, name)) {
            return function;
        }
    }
    return workload_find(name);
}

static void rival_main(void *unused)
{
    semaphore_down(&rival.go);
    while (!rival.end) {
        int error = rival.function->run();
        rival.error = rival.error != 0 ? rival.error : error;
        semaphore_up(&rival.done);
        semaphore_down(&rival.go);
    }
}

// The frame behind kernel_interrupt()'s and the vector's is where the interrupt came.
static void note_place(void)
{
    uint64_t pcs[6], offset;
    if (!places.on || thread_current() != places.thread) {
        return;
    }
    size_t count = trace_capture(pcs, ARRAY_SIZE(pcs)), at = 0;
    const char *name = NULL;
    while (at < count && (name == NULL || !text_equal(name, "kernel_interrupt"))) {
        name = trace_symbol(pcs[at++], &offset);
        name = name != NULL ? name : "";
    }
    if (at + 1 >= count) {
        return;
    }
    uint64_t pc = pcs[at + 1];
    places.on = false;
    places.interrupts++;
    semaphore_up(&rival.go); // the timer's handler finds it ready and gives it the CPU
    for (uint32_t i = 0; i < places.count; i++) {
        if (places.pcs[i] == pc) {
            return;
        }
    }
    if (places.count < PLACES_MAX) {
        places.pcs[places.count++] = pc;
    }
}

// One run, interrupted ahead nanoseconds from here.
static int run_interrupted(const struct workload *function, uint64_t ahead)
{
    irqflags_t flags = irq_save();
    uint64_t before = places.interrupts;
    places.on = true;
    timer_arm(timer_now() + ahead);
    irq_restore(flags);
    int error = function->run();
    flags = irq_save();
    places.on = false;
    bool hit = places.interrupts != before;
    irq_restore(flags);
    if (hit) {
        semaphore_down(&rival.done);
        error = error != 0 ? error : rival.error;
    }
    return error;
}

static int sweep(const struct workload *function, uint64_t first, uint64_t last, const char **broken)
{
    int error = function->run(); // slabs are there then
    for (uint64_t ahead = first; ahead <= last && error == 0 && *broken == NULL; ahead++) {
        error = run_interrupted(function, ahead);
        if ((ahead - first) % FULL_CHECK_EVERY == 0 || ahead == last) {
            *broken = kernel_check_all();
        } else {
            *broken = heap_check(&kernel_heap);
        }
        *broken = *broken == NULL && !irq_enabled() ? "interrupts are off" : *broken;
    }
    return error;
}

static int sweep_with_rival(const struct workload *function, uint64_t first, uint64_t last, const char **broken)
{
    struct footprint before = footprint_take();
    places.count = 0;
    places.interrupts = 0;
    places.thread = thread_current();
    mutex_init(&mutex, "irqsweep");
    semaphore_init(&semaphore, 1);
    semaphore_init(&rival.go, 0);
    semaphore_init(&rival.done, 0);
    rival.function = function;
    rival.error = 0;
    rival.end = false;
    struct thread *thread;
    int error = thread_create("rival", rival_main, NULL, &thread);
    if (error != 0) {
        return error;
    }
    irq_set_probe(note_place);
    error = sweep(function, first, last, broken);
    irq_set_probe(NULL);
    rival.end = true;
    semaphore_up(&rival.go);
    (void)thread_join(thread);
    *broken = *broken == NULL && !footprint_settle(&before) ? "memory or threads are left behind" : *broken;
    return error;
}

static int usage(void)
{
    output_line(
        "irqsweep: wants FUNCTION FIRST LAST, the last two in nanoseconds; FUNCTION is a workload of 'run list' or");
    for (const struct workload *function = functions; function->name != NULL; function++) {
        output_line("  %-10s %s", function->name, function->summary);
    }
    return -EINVAL;
}

int irqsweep_command(char *arguments)
{
    char *name = monitor_next_word(&arguments), *low = monitor_next_word(&arguments);
    char *high = monitor_next_word(&arguments);
    uint64_t first, last;
    const struct workload *function = name != NULL ? find(name) : NULL;
    if (function == NULL || low == NULL || high == NULL || parse_u64(low, &first) != 0 || parse_u64(high, &last) != 0 ||
        first > last || last - first > 1000000) {
        return usage();
    }
    const char *broken = NULL;
    int error = sweep_with_rival(function, first, last, &broken);
    output_json("{\"function\":\"%s\",\"runs\":%lu,\"interrupts\":%lu,\"places\":%u,\"error\":%d}", function->name,
                last - first + 1, places.interrupts, places.count, error);
    output_line("%s: %lu runs, interrupted %lu times at %u%s places", function->name, last - first + 1,
                places.interrupts, places.count, places.count == PLACES_MAX ? " or more" : "");
    if (broken != NULL) {
        output_line("BROKEN: %s", broken);
        return -EIO;
    }
    return error;
}
