// Bugs that the kernel must not survive: each is done in a process of its own, which must end in a panic that names it.
#include "harness/waits.h"

#include "hal/host/machine.h"

#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/mm/bump.h"
#include "kernel/mm/idalloc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/context.h"
#include "kernel/sync/held.h"
#include "kernel/sync/lfstack.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEAD 97

int __llvm_profile_write_file(void) __attribute__((weak));

static void at_end(void)
{
    if (__llvm_profile_write_file != NULL) {
        __llvm_profile_write_file();
    }
    _exit(DEAD);
}

// False: it lived, or died without a finding that has these words in it.
static bool ends(void (*bug)(void), const char *finding, const char *words)
{
    int ends[2];
    static char said[8192];
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        machine_on_finding(at_end);
        bug();
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; (got = read(ends[0], said + used, sizeof(said) - 1 - used)) > 0;) {
        used += (size_t)got;
    }
    close(ends[0]);
    said[used] = 0;
    int status = 0;
    waitpid(pid, &status, 0);
    const char *report = strstr(said, finding);
    return WIFEXITED(status) && WEXITSTATUS(status) == DEAD && report != NULL && strstr(report, words) != NULL;
}

static bool dies(void (*bug)(void), const char *words)
{
    return ends(bug, "FAULTLINE: panic: ", words);
}

static void *memory(size_t size)
{
    void *out;
    return kmalloc(size, &out) == 0 ? out : NULL;
}

// --- pages ---------------------------------------------------------------------------------------------------------

static struct page frames[16];
static struct buddy buddy;

static void make_buddy(void)
{
    (void)!buddy_init(&buddy, paddr(MIB(64)), ARRAY_SIZE(frames), frames);
    (void)!buddy_add(&buddy, paddr(MIB(64)), 8);
}

static void buddy_free_outside(void)
{
    make_buddy();
    buddy_free(&buddy, paddr(MIB(64) + 16 * PAGE_SIZE), 0);
}

static void buddy_free_inside(void)
{
    make_buddy();
    buddy_free(&buddy, paddr(MIB(64) + 1), 0);
}

static void buddy_free_reserved(void)
{
    make_buddy();
    buddy_free(&buddy, paddr(MIB(64) + 9 * PAGE_SIZE), 0);
}

static void buddy_free_twice(void)
{
    paddr_t block;
    make_buddy();
    (void)!buddy_alloc(&buddy, 1, &block);
    buddy_free(&buddy, block, 1);
    buddy_free(&buddy, block, 1);
}

static void buddy_free_other_order(void)
{
    paddr_t block;
    make_buddy();
    (void)!buddy_alloc(&buddy, 1, &block);
    buddy_free(&buddy, block, 0);
}

static void page_free_twice(void)
{
    paddr_t page;
    (void)!page_alloc(&kernel_pages, 0, &page);
    page_free(&kernel_pages, page, 0);
    page_free(&kernel_pages, page, 0);
}

static void page_free_outside(void)
{
    page_free(&kernel_pages, paddr(GIB(200)), 0);
}

static void page_free_other_order(void)
{
    paddr_t page;
    (void)!page_alloc(&kernel_pages, 2, &page);
    page_free(&kernel_pages, page, 1);
}

TEST(deaths, pages)
{
    EXPECT(dies(buddy_free_outside, "not a page of this allocator"));
    EXPECT(dies(buddy_free_inside, "not a page of this allocator"));
    EXPECT(dies(buddy_free_reserved, "reserved page"));
    EXPECT(dies(buddy_free_twice, "double free?"));
    EXPECT(dies(buddy_free_other_order, "another order"));
    EXPECT(dies(page_free_twice, "double free?"));
    EXPECT(dies(page_free_outside, "not a block in use"));
    EXPECT(dies(page_free_other_order, "not a block in use"));
}

// --- slabs and the heap --------------------------------------------------------------------------------------------

static void free_twice(void)
{
    void *other = memory(40), *object = memory(40);
    kfree(object);
    kfree(object); // NOLINT(clang-analyzer-unix.Malloc): the bug itself
    kfree(other);
}

static void free_inside(void)
{
    kfree((char *)memory(100) + 16);
}

static void free_large_inside(void)
{
    kfree((char *)memory(20000) + 64);
}

static void free_foreign(void)
{
    paddr_t page;
    (void)!page_alloc(&kernel_pages, 0, &page);
    kfree(phys_to_virt(page));
}

static void free_into_other_cache(void)
{
    slab_free(&kernel_heap.classes[1], memory(200));
}

static void size_of_foreign(void)
{
    paddr_t page;
    (void)!page_alloc(&kernel_pages, 0, &page);
    (void)heap_size(&kernel_heap, phys_to_virt(page));
}

// The machine's marks are lifted, so that it is the kernel's own check that speaks.
static void write_behind(void)
{
    char *object = memory(40);
    memory_allocated(object + heap_size(&kernel_heap, object), 8);
    object[heap_size(&kernel_heap, object)] = 1;
    kfree(object);
}

static void write_before(void)
{
    char *object = memory(40);
    memory_allocated(object - 8, 8);
    object[-1] = 1;
    kfree(object);
}

static void write_after_free(void)
{
    void *other = memory(40);
    char *object = memory(40);
    kfree(object);
    memory_allocated(object, 8); // NOLINT(clang-analyzer-unix.Malloc): the bug itself
    object[3] = 1;
    kfree(memory(40));
    kfree(other);
}

TEST(deaths, heap)
{
    EXPECT(dies(free_twice, "freed twice"));
    EXPECT(dies(free_inside, "not the start of an object"));
    EXPECT(dies(free_large_inside, "which it did not give out"));
    EXPECT(dies(free_foreign, "which it did not give out"));
    EXPECT(dies(free_into_other_cache, "belongs to another cache"));
    EXPECT(dies(size_of_foreign, "is_large"));
    EXPECT(dies(write_behind, "bytes around object"));
    EXPECT(dies(write_before, "bytes around object"));
    EXPECT(dies(write_after_free, "was written after it was freed"));
}

// --- locks ---------------------------------------------------------------------------------------------------------

static struct spinlock outer = SPINLOCK_INIT("outer", RANK_PROCESS), inner = SPINLOCK_INIT("inner", RANK_LEAF);
static struct mutex mutex;

static void take_twice(void) NO_LOCK_ANALYSIS
{
    (void)spin_lock(&outer);
    (void)spin_lock(&outer);
}

static void take_in_wrong_order(void) NO_LOCK_ANALYSIS
{
    (void)spin_lock(&inner);
    (void)spin_lock(&outer);
}

static void release_unheld(void) NO_LOCK_ANALYSIS
{
    (void)irq_save();
    spin_unlock_raw(&outer);
}

static void hold_for_long(void)
{
    held_set_limit(1000, true);
    irqflags_t flags = spin_lock(&outer);
    for (uint64_t end = timer_now() + 5000; timer_now() < end;) {
    }
    spin_unlock(&outer, flags);
}

static void take_with_interrupts_on(void) NO_LOCK_ANALYSIS
{
    spin_lock_raw(&outer);
}

static void hold_with_interrupts_on(void) NO_LOCK_ANALYSIS
{
    spin_init(&outer, "outer", RANK_CONDITION);
    irq_restore(spin_lock(&outer));
    spin_unlock_raw(&outer);
}

static void sleep_with_a_lock(void) NO_LOCK_ANALYSIS
{
    (void)spin_lock(&outer);
    context_may_sleep();
}

static void sleep_in_an_interrupt(void)
{
    (void)irq_save();
    this_cpu()->interrupt_depth = 1;
    context_may_sleep();
}

static void allocate_in_an_interrupt(void)
{
    (void)irq_save();
    this_cpu()->interrupt_depth = 1;
    (void)memory(8);
}

static void mutex_twice(void) NO_LOCK_ANALYSIS
{
    mutex_init(&mutex, "once");
    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

static void return_with_a_mutex(void) NO_LOCK_ANALYSIS
{
    struct user_regs regs = {};
    mutex_init(&mutex, "kept");
    mutex_lock(&mutex);
    (void)irq_save();
    kernel_user_return(&regs);
}

static void end_with_a_mutex(void) NO_LOCK_ANALYSIS
{
    mutex_init(&mutex, "kept");
    mutex_lock(&mutex);
    thread_exit(0);
}

static void mutex_not_owned(void) NO_LOCK_ANALYSIS
{
    mutex_init(&mutex, "mine");
    mutex_unlock(&mutex);
}

TEST(deaths, locks)
{
    EXPECT(dies(take_twice, "lock outer: taken again by its holder"));
    EXPECT(dies(take_in_wrong_order, "lock outer: rank"));
    EXPECT(dies(release_unheld, "lock outer: released by CPU 0, which does not hold it"));
    EXPECT(dies(take_with_interrupts_on, "irq_enabled"));
    EXPECT(dies(hold_for_long, "until outer was let go"));
    EXPECT(dies(hold_with_interrupts_on, "lock outer: interrupts were on while it was held"));
    EXPECT(dies(sleep_with_a_lock, "with a spinlock held"));
    EXPECT(dies(sleep_in_an_interrupt, "in an interrupt handler"));
    EXPECT(dies(allocate_in_an_interrupt, "memory asked for in an interrupt handler"));
    EXPECT(dies(mutex_twice, "mutex once: locked again by its owner"));
    EXPECT(dies(return_with_a_mutex, "returns to user space with 1 mutexes and 0 spinlocks held"));
    EXPECT(dies(end_with_a_mutex, "ends with 1 mutexes held"));
    EXPECT(dies(mutex_not_owned, "mutex mine: unlocked by a thread that does not own it"));
}

// TSan does not let a process go on that was forked with several flows in it: there this test is not there at all.
#if !__has_feature(thread_sanitizer)

// --- what never goes on ---------------------------------------------------------------------------------------------

static struct mutex other;

static void take_in_other_order(void *unused) NO_LOCK_ANALYSIS
{
    mutex_lock(&other);
    thread_sleep_until(timer_now() + 1000000);
    mutex_lock(&mutex);
}

static void embrace(void) NO_LOCK_ANALYSIS
{
    struct thread *thread;
    mutex_init(&mutex, "mutex one");
    mutex_init(&other, "mutex two");
    mutex_lock(&mutex);
    (void)!thread_create("rival", take_in_other_order, NULL, &thread);
    thread_sleep_until(timer_now() + 1000000);
    machine_on_standstill(waits_print);
    mutex_lock(&other);
}

static struct semaphore never;

static void wait_for_nobody(void)
{
    semaphore_init(&never, 0);
    machine_on_standstill(waits_print);
    semaphore_down(&never);
}

static bool wake_nobody(void)
{
    return true;
}

static void wait_with_vain_rescues(void)
{
    machine_on_stuck(wake_nobody);
    wait_for_nobody();
}

static void spin_for_ever(void) NO_LOCK_ANALYSIS
{
    machine_on_standstill(waits_print);
    spin_init(&outer, "outer", RANK_CONDITION);
    outer.locked = 1;
    outer.owner = 2;
    (void)spin_lock(&outer);
}

TEST(deaths, standstill)
{
    EXPECT(ends(embrace, "FAULTLINE: deadlock: ", "waits: a circle: "));
    EXPECT(ends(embrace, "FAULTLINE: deadlock: ", "\"rival\""));
    EXPECT(ends(embrace, "FAULTLINE: deadlock: ", "sleeping on mutex \"mutex one\" of thread"));
    EXPECT(ends(wait_for_nobody, "FAULTLINE: deadlock: ", "sleeping on semaphore \"semaphore\", count 0"));
    EXPECT(ends(wait_with_vain_rescues, "FAULTLINE: deadlock: ", "every CPU is idle"));
    EXPECT(ends(spin_for_ever, "FAULTLINE: livelock: ", "CPU 0 spins for lock \"outer\" of CPU 1"));
}

#endif

// --- small things --------------------------------------------------------------------------------------------------

static void free_id(void)
{
    static struct id_allocator ids;
    (void)!id_init(&ids, 10);
    id_free(&ids, 3);
}

static void push_out_of_range(void)
{
    uint32_t next[2];
    struct lfstack stack;
    (void)!lfstack_init(&stack, next, 2);
    lfstack_push(&stack, 2);
}

static void details(const void *subject)
{
    panic("the report is broken");
}

static void report_of_the_machine(void)
{
    const uint64_t pcs[2] = {(uint64_t)free_id, (uint64_t)free_id + 4};
    panic_at(pcs, 2, NULL, NULL, "the machine found %u", 42u);
}

static void report_that_breaks(void)
{
    panic_at(NULL, 0, details, NULL, "first");
}

TEST(deaths, others)
{
    EXPECT(dies(free_id, "id 3 freed but not taken"));
    EXPECT(dies(push_out_of_range, "index < stack->capacity"));
    EXPECT(dies(report_of_the_machine, "the machine found 42"));
    EXPECT(dies(report_that_breaks, "first"));
}

static void nothing(void)
{
}

TEST(deaths, the_living_are_told_from_the_dead)
{
    EXPECT(!dies(nothing, ""));
    EXPECT(!dies(free_id, "some other words"));
}
