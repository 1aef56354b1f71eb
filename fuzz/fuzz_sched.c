// Threads, mutexes, semaphores, wait queues, sleeps and memory on up to four CPUs, under interleavings that the input
// chooses. Every program here can end, so that one which does not has met a lost wake-up, a deadlock or a livelock.
#include "harness/fuzz.h"

#include <fault/fault.h>
#include <hal/timer.h>

#include "harness/boot.h"
#include "harness/contended.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"

#define THREADS 5u
#define OPS 16u

static struct worker {
    uint8_t ops[OPS], count;
    bool detached;
    struct thread *thread;
} workers[THREADS];
static struct contended contended;
static uint32_t ended;

static void work(void *argument)
{
    struct worker *me = argument;
    for (unsigned i = 0; i < me->count; i++) {
        contended_operate(&contended, (unsigned)(me - workers), me->ops[i]);
    }
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
}

static uint32_t start_threads(unsigned count)
{
    uint32_t started = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t fired = fault_status().fired;
        int error = thread_create("fuzz", work, &workers[i], &workers[i].thread);
        EXPECT_MODEL(error == 0 || (error == -ENOMEM && fault_status().fired > fired), "thread_create gave %d", error);
        workers[i].thread = error == 0 ? workers[i].thread : NULL;
        started += error == 0;
        for (unsigned op = 0; op < workers[i].count; op++) { // each wait will get its ticket
            if ((workers[i].ops[op] & 7) == CONTENDED_WAIT && error == 0) {
                contended_post_ticket(&contended);
            }
        }
    }
    return started;
}

static void read_program(struct input *input, unsigned count)
{
    size_t ops = (input->size - input->at + 1) / 2; // the rest is choices
    for (size_t i = 0; i < ops; i++) {
        uint8_t op = input_u8(input);
        struct worker *worker = &workers[(op >> 5) % count];
        if (worker->count < OPS) {
            worker->ops[worker->count++] = op & 31;
        }
    }
}

static void run(struct input *input)
{
    uint8_t shape = input_u8(input);
    unsigned count = 1 + shape % THREADS;
    contended_init(&contended);
    read_program(input, count);
    boot_threads(1 + (shape >> 4) % 4);
    heap_trim(&kernel_heap);
    uint32_t threads = thread_count();
    uint64_t objects = heap_used_objects(&kernel_heap), free_pages = page_pool_free_pages(&kernel_pages);
    uint32_t started = start_threads(count);
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].thread != NULL && (shape & 8) != 0 && i == 0) {
            thread_detach(workers[i].thread);
        } else if (workers[i].thread != NULL) {
            EXPECT_MODEL(thread_join(workers[i].thread) == 0, "a thread's exit code is wrong");
        }
    }
    for (unsigned tries = 0; thread_count() > threads && tries < 100000; tries++) {
        thread_sleep_until(timer_now() + 1000000);
    }
    fault_disarm();
    EXPECT_NO_LEAK(thread_count() == threads, "%u threads are left", thread_count() - threads);
    for (unsigned tries = 0; heap_used_objects(&kernel_heap) > objects && tries < 100; tries++) {
        thread_sleep_until(timer_now() + 1000000); // the last flow may still be giving back its stack
    }
    heap_trim(&kernel_heap);
    EXPECT_MODEL(ended == started, "%u of %u threads ended", ended, started);
    contended_check(&contended);
    EXPECT_CHECK(sched_check());
    EXPECT_CHECK(kernel_map_check());
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == objects, "heap objects are left");
    EXPECT_NO_LEAK(page_pool_free_pages(&kernel_pages) == free_pages, "%lld pages are left",
                   (long long)(free_pages - page_pool_free_pages(&kernel_pages)));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_sched", .setup = boot_memory_once, .run = run};
