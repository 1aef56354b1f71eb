// Threads, mutexes, semaphores, wait queues, sleeps and memory on up to four CPUs, under interleavings that the input
// chooses. Every program here can end, so that one which does not has met a lost wake-up, a deadlock or a livelock.
#include "harness/fuzz.h"

#include <fault/fault.h>
#include <hal/timer.h>

#include "harness/boot.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"

#define THREADS 5u
#define OPS 16u
#define TOKENS 2u

static struct worker {
    uint8_t ops[OPS], count;
    bool detached;
    struct thread *thread;
} workers[THREADS];
static struct mutex mutex;
static struct semaphore semaphore;
static struct wait_queue tickets;
static uint32_t tickets_free, owners, holders, ended;

static void critical(uint8_t how)
{
    EXPECT_MODEL(++owners == 1, "%u threads own the mutex", owners);
    if ((how & 1) != 0) {
        thread_yield();
    }
    owners--;
}

static void with_token(uint8_t how)
{
    EXPECT_MODEL(++holders <= TOKENS, "%u threads hold %u tokens", holders, TOKENS);
    if ((how & 1) != 0) {
        thread_sleep_until(timer_now() + 100000);
    }
    holders--;
    semaphore_up(&semaphore);
}

static void post_ticket(void)
{
    irqflags_t flags = spin_lock(&tickets.lock);
    tickets_free++;
    (void)wait_queue_wake_one(&tickets);
    spin_unlock(&tickets.lock, flags);
}

static void take_ticket(bool timed)
{
    int error = 0;
    irqflags_t flags = spin_lock(&tickets.lock);
    while (tickets_free == 0 && error == 0) {
        error = wait_queue_sleep_until(&tickets, &flags, timed ? timer_now() + 300000 : UINT64_MAX);
    }
    EXPECT_MODEL(error == 0 || timed, "a wait without a deadline gave %d", error);
    bool taken = tickets_free > 0;
    tickets_free -= taken;
    spin_unlock(&tickets.lock, flags);
    if (!taken && !timed) {
        machine_finding("model", "a wait ended without a ticket");
    }
}

static void memory(uint8_t how)
{
    void *object;
    uint64_t size = 16ull << (how & 7);
    if (kmalloc(size, &object) == 0) {
        ((uint8_t *)object)[size - 1] = how;
        thread_yield();
        EXPECT_MODEL(((uint8_t *)object)[size - 1] == how, "memory changed under its owner");
        kfree(object);
    }
}

static void operate(unsigned self, uint8_t op)
{
    uint8_t how = op >> 3 & 3;
    OP("thread %u: %s", self,
       (const char *const[]){"lock", "try", "down", "down timed", "wait", "post", "sleep", "memory"}[op & 7]);
    switch (op & 7) {
    case 0:
        mutex_lock(&mutex);
        critical(how);
        mutex_unlock(&mutex);
        break;
    case 1:
        if (mutex_trylock(&mutex)) {
            critical(how);
            mutex_unlock(&mutex);
        }
        break;
    case 2:
        semaphore_down(&semaphore);
        with_token(how);
        break;
    case 3:
        if (semaphore_down_timeout(&semaphore, timer_now() + how * 50000) == 0) {
            with_token(how);
        }
        break;
    case 4:
        take_ticket(how == 3);
        break;
    case 5:
        post_ticket();
        break;
    case 6:
        thread_sleep_until(timer_now() + (how + 1) * 1000000ull);
        break;
    case 7:
        memory(how + 1);
        break;
    }
}

static void work(void *argument)
{
    struct worker *me = argument;
    for (unsigned i = 0; i < me->count; i++) {
        operate((unsigned)(me - workers), me->ops[i]);
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
            if ((workers[i].ops[op] & 7) == 4 && error == 0) {
                post_ticket();
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
    mutex_init(&mutex, "fuzz");
    semaphore_init(&semaphore, TOKENS);
    wait_queue_init(&tickets, "tickets");
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
    EXPECT_MODEL(ended == started && owners == 0 && holders == 0, "%u of %u threads ended", ended, started);
    EXPECT_MODEL(semaphore.count == TOKENS, "the semaphore counts %u", semaphore.count);
    EXPECT_CHECK(mutex_check(&mutex));
    EXPECT_CHECK(sched_check());
    EXPECT_CHECK(kernel_map_check());
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == objects, "heap objects are left");
    EXPECT_NO_LEAK(page_pool_free_pages(&kernel_pages) == free_pages, "%lld pages are left",
                   (long long)(free_pages - page_pool_free_pages(&kernel_pages)));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_sched", .setup = boot_memory_once, .run = run};
