// Futexes under interleavings that the input chooses: locks as C libraries build them, locks with owners, tickets whose
// waiters are moved from word to word, waits with deadlines, signals, owners that end. Every program here can end: one
// that does not has met a lost wake-up.
#include "harness/fuzz.h"

#include <fault/fault.h>
#include <hal/irq.h>
#include <hal/timer.h>

#include "harness/boot.h"
#include "kernel/base/atomic.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/futex_internal.h"
#include "kernel/proc/make.h"
#include "kernel/sched/sched.h"

#define THREADS 4u
#define OPS 12u
#define BASE 0x100000ull
#define TID 0x3fffffffu

enum { WORD_LOCK, WORD_SHARED_LOCK, WORD_OWNED, WORD_TICKETS, WORD_MOVED, WORD_TIMED, WORDS };

static struct worker {
    uint8_t ops[OPS], count;
    struct task *task;
    struct thread *thread;
} workers[THREADS];
static struct process *process;
static uint32_t holders[WORDS], done, deaths, tickets_wanted;

// --- what user space does ------------------------------------------------------------------------------------------

// The shared word lies on a page that is shared memory.
static struct futex word(unsigned index)
{
    bool shared = index == WORD_SHARED_LOCK;
    return (struct futex){process->space, BASE + (shared ? 4 * PAGE_SIZE : 0) + 64 * index, shared};
}

static void touch(uint64_t address)
{
    fault_disarm(); // a program that is killed for want of memory is not what this is about
    int error = space_touch(process->space, address, SPACE_WRITE);
    EXPECT_MODEL(error == 0, "touching a futex gave %d", error);
}

static uint32_t exchange(unsigned index, uint32_t expected, uint32_t desired)
{
    struct futex futex = word(index);
    uint32_t seen;
    for (;;) {
        irqflags_t flags = irq_save();
        int error = user_word_exchange(uaddr(futex.address), expected, desired, &seen);
        irq_restore(flags);
        if (error == 0) {
            return seen;
        }
        touch(futex.address);
    }
}

static uint32_t load(unsigned index)
{
    return exchange(index, 0, 0);
}

static uint32_t add(unsigned index, uint32_t value)
{
    uint32_t seen = load(index), before;
    do {
        before = seen;
        seen = exchange(index, before, before + value);
    } while (seen != before);
    return before;
}

// A call that an injected failure ended did nothing, and is made again, when nothing fails any more.
static bool failed(int error, uint64_t fired)
{
    bool injected = error == -EFAULT && fault_status().fired > fired;
    EXPECT_MODEL(injected || error != -EFAULT, "a futex that is there gave -EFAULT");
    if (injected) {
        fault_disarm();
    }
    return injected;
}

static int wait(unsigned index, uint32_t expected, uint64_t deadline)
{
    struct futex futex = word(index);
    for (;;) {
        uint64_t fired = fault_status().fired;
        int error = futex_wait(&futex, expected, FUTEX_ANY, deadline);
        if (!failed(error, fired)) {
            return error;
        }
    }
}

static int wake(unsigned index, uint32_t count)
{
    struct futex futex = word(index);
    for (;;) {
        uint64_t fired = fault_status().fired;
        int woken = futex_wake(&futex, count, FUTEX_ANY);
        if (!failed(woken, fired)) {
            EXPECT_MODEL(woken >= 0 && (uint32_t)woken <= count, "%u were to be woken, %d were", count, woken);
            return woken;
        }
    }
}

static void forget_signal(void)
{
    WRITE_ONCE(thread_current()->interrupted, false);
}

static void hold(unsigned index, uint8_t how)
{
    EXPECT_MODEL(++holders[index] == 1, "%u threads hold the lock of word %u", holders[index], index);
    if ((how & 0x10) != 0) {
        thread_yield();
    }
    holders[index]--;
}

// 0 free, 1 held, 2 held and waited for (Drepper, Futexes Are Tricky, 2011).
static void use_lock(unsigned index, uint8_t how)
{
    uint32_t seen = exchange(index, 0, 1);
    while (seen != 0) {
        if (seen == 2 || exchange(index, 1, 2) != 0) {
            int error = wait(index, 2, UINT64_MAX);
            EXPECT_MODEL(error == 0 || error == -EAGAIN || error == -EINTR, "waiting for a lock gave %d", error);
            forget_signal();
        }
        seen = exchange(index, 0, 2);
    }
    hold(index, how);
    if (add(index, -1u) != 1) {
        seen = 1;
        for (uint32_t before = 0; before != seen;) {
            before = seen;
            seen = exchange(index, before, 0);
        }
        (void)wake(index, 1);
    }
}

// A lock whose owner has ended while nobody waited stays as it was: programs that mind keep a robust list.
static void break_abandoned(void)
{
    uint32_t seen = load(WORD_OWNED);
    irqflags_t flags = spin_lock(&family.lock);
    const struct task *owner = family_find_task((int32_t)(seen & TID));
    bool lives = owner != NULL && !owner->gave_up_locks;
    spin_unlock(&family.lock, flags);
    EXPECT_MODEL(deaths > 0, "an owner is said to have ended, and none has");
    (void)exchange(WORD_OWNED, seen, lives ? seen : 0); // somebody else's meanwhile
}

static void use_owned(const struct worker *me, uint8_t how, bool dies)
{
    struct futex futex = word(WORD_OWNED);
    uint32_t tid = (uint32_t)me->task->tid;
    int error = exchange(WORD_OWNED, 0, tid) == 0 ? 0 : -EBUSY;
    while (error != 0) {
        uint64_t fired = fault_status().fired, deadline = (how & 8) != 0 ? timer_now() + 500000 : UINT64_MAX;
        error = futex_lock(&futex, false, deadline);
        if (error == -ETIMEDOUT && deadline != UINT64_MAX) {
            return;
        }
        if (error == -ESRCH) {
            break_abandoned();
            continue;
        }
        EXPECT_MODEL(error == 0 || error == -EINTR || failed(error, fired), "locking gave %d", error);
        forget_signal();
    }
    EXPECT_MODEL((load(WORD_OWNED) & TID) == tid, "a lock that is mine says %x", load(WORD_OWNED));
    hold(WORD_OWNED, how);
    if (dies || exchange(WORD_OWNED, tid, 0) == tid) {
        return;
    }
    do {
        uint64_t fired = fault_status().fired;
        error = futex_unlock(&futex);
        EXPECT_MODEL(error == 0 || failed(error, fired), "unlocking gave %d", error);
    } while (error != 0);
}

static void take_ticket(void)
{
    for (;;) {
        uint32_t free = load(WORD_TICKETS);
        if (free > 0 && exchange(WORD_TICKETS, free, free - 1) == free) {
            return;
        }
        if (free == 0) {
            int error = wait(WORD_TICKETS, 0, UINT64_MAX);
            EXPECT_MODEL(error == 0 || error == -EAGAIN || error == -EINTR, "waiting for a ticket gave %d", error);
            forget_signal();
        }
    }
}

static void post_ticket(uint8_t how)
{
    (void)add(WORD_TICKETS, 1);
    if ((how & 8) == 0) {
        (void)wake(WORD_TICKETS, 1);
        return;
    }
    struct futex from = word(WORD_TICKETS), to = word(WORD_MOVED);
    uint32_t expected = load(WORD_TICKETS);
    uint64_t fired = fault_status().fired;
    int moved = futex_requeue(&from, &to, 1, 99, (how & 0x10) != 0 ? &expected : NULL);
    EXPECT_CHECK(futex_check());
    if (moved < 0) {
        EXPECT_MODEL(moved == -EAGAIN || failed(moved, fired), "moving waiters gave %d", moved);
        (void)wake(WORD_TICKETS, 99);
    }
    (void)wake(WORD_MOVED, 99);
}

static void wait_a_while(uint8_t how)
{
    int error = wait(WORD_TIMED, how & 1, timer_now() + 200000);
    EXPECT_MODEL(error == 0 || error == -EAGAIN || error == -EINTR || error == -ETIMEDOUT, "a wait gave %d", error);
    forget_signal();
}

static void operate(struct worker *me, uint8_t op)
{
    struct futex moved = word(WORD_MOVED), timed = word(WORD_TIMED);
    switch (op & 7) {
    case 0:
        use_lock(WORD_LOCK, op);
        break;
    case 1:
        use_lock(WORD_SHARED_LOCK, op);
        break;
    case 2:
        use_owned(me, op, false);
        break;
    case 3:
        take_ticket();
        break;
    case 4:
        wait_a_while(op >> 3);
        break;
    case 5: // the second word becomes 1 or 0, who waits for it is woken
        (void)futex_wake_op(&moved, &timed, 0, 9, (op & 8) != 0 ? 4u << 28 | 1 << 12 : 0u << 28 | 5 << 24);
        break;
    case 6:
        sched_interrupt(workers[(op >> 3) % THREADS].thread != NULL ? me->thread : thread_current());
        break;
    default:
        thread_yield();
    }
}

// --- threads -------------------------------------------------------------------------------------------------------

// Who holds nothing has nobody waiting: its end would wake them, and hide that nothing else did.
static void expect_nobody_waits_for(int32_t tid)
{
    for (unsigned i = 0; i < FUTEX_BUCKETS; i++) {
        irqflags_t flags = spin_lock(&futex_buckets[i].lock);
        list_for_each(at, &futex_buckets[i].waiters)
        {
            const struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
            EXPECT_MODEL(waiter->owner != tid, "task %d waits for a lock that %d has given up", waiter->tid, tid);
        }
        spin_unlock(&futex_buckets[i].lock, flags);
    }
}

static void work(void *argument)
{
    struct worker *me = argument;
    struct thread *self = thread_current();
    self->task = me->task;
    self->process = process;
    process_use_space(self, process->space, NULL);
    for (unsigned i = 0; i < me->count; i++) {
        OP("thread %u: op %u, how %u", (unsigned)(me - workers), me->ops[i] & 7u, me->ops[i] >> 3);
        operate(me, me->ops[i]);
    }
    expect_nobody_waits_for(me->task->tid);
    if (me->count > 0 && (me->ops[0] & 0x18) == 0x18 && (me->ops[0] & 7) != 3) {
        (void)atomic_add(&deaths, 1);
        use_owned(me, 0, true); // ends with the lock
    }
    futex_task_ends(me->task);
    irqflags_t flags = spin_lock(&family.lock);
    family_remove_task(me->task);
    spin_unlock(&family.lock, flags);
    process_use_space(self, NULL, NULL);
    self->task = NULL;
    self->process = NULL;
    (void)atomic_add(&done, 1);
}

static void map(uint64_t address, unsigned flags, struct backing *backing)
{
    uint64_t at;
    struct space_request request = {.address = address,
                                    .size = PAGE_SIZE,
                                    .flags = AREA_READ | AREA_WRITE | flags,
                                    .fixed = true,
                                    .backing = backing};
    int error = space_map(process->space, &request, &at);
    EXPECT_MODEL(error == 0, "mapping gave %d", error);
}

static void make_process(void)
{
    struct fault_status faults = fault_status();
    fault_disarm(); // the futexes' failures are looked for, not the process's
    struct backing *shared;
    struct vnode *node;
    EXPECT_MODEL(process_make(&process) == 0 && process_space_create(&process->space) == 0, "no process");
    EXPECT_MODEL(tmpfs_anonymous(&credentials_kernel, PAGE_SIZE, &node, &shared) == 0, "no shared memory");
    map(BASE, 0, NULL);
    map(BASE + 4 * PAGE_SIZE, AREA_SHARED, shared);
    vnode_put(node);
    for (unsigned i = 0; i < THREADS; i++) {
        if (workers[i].count > 0) {
            struct worker *worker = &workers[i];
            EXPECT_MODEL(task_make(process, &worker->task) == 0, "no task");
            EXPECT_MODEL(thread_make("fuzz", work, worker, &worker->thread) == 0, "no thread");
            worker->task->thread = worker->thread;
            irqflags_t flags = spin_lock(&family.lock);
            if (process->pid == 0) {
                family_add(process, worker->task, NULL);
            } else {
                family_add_task(process, worker->task);
            }
            spin_unlock(&family.lock, flags);
        }
    }
    if (faults.armed) {
        fault_arm(&faults.plan);
    }
}

static void read_program(struct input *input)
{
    size_t ops = (input->size - input->at + 1) / 2; // the rest is choices
    for (size_t i = 0; i + 1 < ops; i += 2) {
        struct worker *worker = &workers[input_u8(input) % THREADS];
        uint8_t op = input_u8(input) & 31;
        if (worker->count < OPS) {
            worker->ops[worker->count++] = op;
            tickets_wanted += (op & 7) == 3;
        }
    }
}

static void run(struct input *input)
{
    uint8_t shape = input_u8(input);
    read_program(input);
    boot_threads(1 + shape % 4);
    futex_init();
    heap_trim(&kernel_heap);
    uint64_t objects = heap_used_objects(&kernel_heap);
    make_process();
    if (process->pid == 0) {
        return;
    }
    struct thread *self = thread_current();
    self->process = process;
    process_use_space(self, process->space, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        if (workers[i].thread != NULL) {
            thread_start(workers[i].thread);
        }
    }
    if ((shape & 0x80) == 0) { // time to get in line
        thread_sleep_until(timer_now() + 50000);
    }
    for (uint32_t i = 0; i < tickets_wanted; i++) {
        post_ticket((uint8_t)(shape >> 1 ^ i << 3));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        if (workers[i].thread != NULL) {
            (void)thread_join(workers[i].thread);
        }
    }
    fault_disarm();
    EXPECT_CHECK(futex_check());
    EXPECT_MODEL(load(WORD_TICKETS) == 0 && load(WORD_LOCK) == 0 && load(WORD_SHARED_LOCK) == 0, "a lock is left");
    process_use_space(self, NULL, NULL);
    self->process = NULL;
    for (unsigned i = 0; i < THREADS; i++) {
        if (workers[i].task != NULL) {
            task_free(workers[i].task);
        }
    }
    irqflags_t flags = spin_lock(&family.lock);
    family_remove(process);
    spin_unlock(&family.lock, flags);
    process_unmake(process);
    heap_trim(&kernel_heap);
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == objects, "heap objects are left");
}

const struct fuzz_target fuzz_target = {.name = "fuzz_futex", .setup = boot_memory_once, .run = run};
