#include "kernel/debug/workloads.h"

#include <hal/memory.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/mm/pagetable.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/process.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/semaphore.h"

static int run_kmalloc(void)
{
    static const size_t sizes[] = {1, 24, 100, 500, 1500, 5000, 20000, 100000};
    void *memory[ARRAY_SIZE(sizes)];
    size_t count = 0;
    int error = 0;
    while (count < ARRAY_SIZE(sizes) && error == 0) {
        error = kmalloc(sizes[count], &memory[count]);
        if (error == 0) {
            __builtin_memset(memory[count], 0x5a, sizes[count]);
            count++;
        }
    }
    while (count > 0) {
        kfree(memory[--count]);
    }
    return error;
}

static int run_slab(void)
{
    struct slab_cache cache;
    int error = slab_cache_init(&cache, "workload", 700, 0, &kernel_pages);
    void *objects[32];
    size_t count = 0;
    while (count < ARRAY_SIZE(objects) && error == 0) {
        error = slab_alloc(&cache, &objects[count]);
        count += error == 0;
    }
    while (count > 0) {
        slab_free(&cache, objects[--count]);
    }
    int busy = slab_cache_destroy(&cache);
    return error != 0 ? error : busy;
}

static int run_pagetable(void)
{
    struct pagetable table;
    int error = pagetable_init(&table, PAGETABLE_USER, 0, &kernel_pages);
    if (error != 0) {
        return error;
    }
    unsigned flags = MAP_USER | MAP_WRITE;
    error = pagetable_map(&table, vaddr(GIB(1) - MIB(2)), paddr(GIB(4) - MIB(2)), GIB(1) + MIB(4), flags);
    if (error == 0) {
        error = pagetable_protect(&table, vaddr(GIB(1) + MIB(3)), PAGE_SIZE, MAP_USER);
    }
    if (error == 0) {
        error = pagetable_unmap(&table, vaddr(GIB(1) + PAGE_SIZE), MIB(5));
    }
    pagetable_destroy(&table);
    return error;
}

static void up(void *semaphore)
{
    semaphore_up(semaphore);
}

static int run_threads(void)
{
    struct semaphore done;
    semaphore_init(&done, 0);
    struct thread *started[6];
    size_t count = 0;
    int error = 0;
    while (count < ARRAY_SIZE(started) && error == 0) {
        error = thread_create("workload", up, &done, &started[count]);
        count += error == 0;
    }
    for (size_t i = 0; i < count; i++) {
        semaphore_down(&done);
    }
    while (count > 0) {
        (void)thread_join(started[--count]);
    }
    return error;
}

static int run_words(const char *const argv[])
{
    struct process *process;
    int error = process_spawn(argv[0], argv, &process);
    if (error == 0) {
        // A program that was made to fail says so by its status, and that is a clean report too.
        error = process_wait(process) == 0 ? 0 : -EIO;
    }
    return error;
}

#define RUN(name_, path_)                                                                                              \
    static int run_##name_(void)                                                                                       \
    {                                                                                                                  \
        return run_words((const char *const[]){path_, NULL});                                                          \
    }

RUN(exec, "/programs/calls")
RUN(fork, "/programs/work-fork")
RUN(fork_exec, "/programs/work-exec")
RUN(pipeline, "/programs/work-pipeline")
RUN(user_thread, "/programs/work-thread")
RUN(signal, "/programs/work-signal")
RUN(terminal, "/programs/work-terminal")

static const char *program[WORKLOAD_ARGUMENTS_MAX + 1];

void workload_set_program(const char *const argv[])
{
    for (unsigned i = 0; i < WORKLOAD_ARGUMENTS_MAX; i++) {
        program[i] = argv[i];
        if (argv[i] == NULL) {
            break;
        }
    }
}

static int run_program(void)
{
    return run_words(program);
}

const struct workload workload_program = {"program", "a user program and all it starts", run_program};

const struct workload workloads[] = {
    {"kmalloc", "allocations of every size class and above", run_kmalloc},
    {"slab", "a cache made, filled, emptied, destroyed", run_slab},
    {"pagetable", "map, protect and unmap with splits", run_pagetable},
    {"threads", "six threads created and joined", run_threads},
    {"exec", "a user program with system calls", run_exec},
    {"fork", "a child with pages of its own", run_fork},
    {"fork-exec", "a child that runs another program", run_fork_exec},
    {"pipeline", "three processes and two pipes", run_pipeline},
    {"user-thread", "a thread of a process, started and waited for", run_user_thread},
    {"signal", "a signal, handled", run_signal},
    {"terminal", "both ends of a pseudo-terminal", run_terminal},
    {NULL, NULL, NULL},
};
