#include "harness/waits.h"

#include "kernel/proc/futex_internal.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/task.h"
#include "kernel/sched/thread_internal.h"
#include "kernel/sync/condition.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/semaphore.h"
#include "kernel/syscall/syscall.h"

#include <stdio.h>
#include <string.h>

#if MACHINE_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line); // of its run-time, in no header
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

#define RAW __attribute__((no_sanitize("address", "memory", "thread", "undefined")))
#define THREADS_MAX 256u
#define SYS_CLONE 220u
#define SYS_EXECVE 221u
#define SYS_EXECVEAT 281u
#define SYS_CLONE3 435u

enum queue_kind { QUEUE_PLAIN, QUEUE_MUTEX, QUEUE_SEMAPHORE, QUEUE_CONDITION, QUEUE_FUTEX };
static const char *const kind_names[] = {"wait queue", "mutex", "semaphore", "condition", "wait queue"};

static struct thread *all[THREADS_MAX];
static unsigned count;

// --- what is there -------------------------------------------------------------------------------------------------

// TSan does not know that nothing else runs.
static void look_away(bool begin)
{
#if MACHINE_TSAN
    if (begin) {
        AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    } else {
        AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    }
#endif
}

RAW static void collect(void)
{
    count = 0;
    look_away(true);
    for (struct thread *at = thread_next(NULL); at != NULL && count < THREADS_MAX; at = thread_next(at)) {
        all[count++] = at;
    }
    look_away(false);
}

RAW static bool is_waiter(const struct list *link)
{
    for (unsigned i = 0; i < count; i++) {
        if (&all[i]->wait_link == link) {
            return true;
        }
    }
    return false;
}

// The queue in whose line thread stands, or NULL. The head of the line is what is no thread's link.
RAW static struct wait_queue *queue_of(struct thread *thread)
{
    struct list *at = thread->wait_link.next;
    for (unsigned steps = 0; at != &thread->wait_link && steps < THREADS_MAX; steps++, at = at->next) {
        if (!is_waiter(at)) {
            return container_of(at, struct wait_queue, waiters);
        }
    }
    return NULL;
}

RAW static enum queue_kind kind_of(struct wait_queue *queue)
{
    const struct mutex *mutex = container_of(queue, struct mutex, waiters);
    if (queue->lock.name == NULL) {
        return QUEUE_PLAIN;
    }
    if (queue->lock.rank >= RANK_CONDITION && queue->lock.rank <= RANK_EPOLL_LAST) {
        return QUEUE_CONDITION;
    }
    if (strcmp(queue->lock.name, "semaphore") == 0) {
        return QUEUE_SEMAPHORE;
    }
    if (strcmp(queue->lock.name, "futex waiter") == 0) {
        return QUEUE_FUTEX;
    }
    return mutex->name == queue->lock.name ? QUEUE_MUTEX : QUEUE_PLAIN; // else what is behind the queue is not its name
}

RAW static struct thread *thread_of_task(int32_t tid)
{
    for (unsigned i = 0; i < count; i++) {
        if (all[i]->task != NULL && all[i]->task->tid == tid) {
            return all[i];
        }
    }
    return NULL;
}

// Whom thread waits for, or NULL: nobody in particular.
RAW static struct thread *waited_for(struct thread *thread)
{
    struct wait_queue *queue = thread->state == THREAD_SLEEPING ? queue_of(thread) : NULL;
    if (queue == NULL) {
        return NULL;
    }
    switch (kind_of(queue)) {
    case QUEUE_MUTEX:
        return container_of(queue, struct mutex, waiters)->owner;
    case QUEUE_FUTEX: {
        int32_t owner = container_of(queue, struct futex_waiter, queue)->owner;
        return owner != 0 ? thread_of_task(owner) : NULL;
    }
    default:
        return NULL;
    }
}

// --- the report ----------------------------------------------------------------------------------------------------

RAW static void print_call(const struct thread *thread)
{
    const struct task *task = thread->task;
    if (task == NULL) {
        return;
    }
    fprintf(stderr, ", task %d", task->tid);
    if (task->current != NULL) {
        uint64_t number = user_regs_syscall_number(task->current);
        const struct syscall_description *call = number < SYSCALL_NUMBERS ? syscall_by_number[number] : NULL;
        fprintf(stderr, " in %s", call != NULL ? call->name : "an unknown call");
    }
}

RAW static void print_sleep(struct thread *thread)
{
    struct wait_queue *queue = queue_of(thread);
    if (queue == NULL) {
        fprintf(stderr, " in no line");
        return;
    }
    enum queue_kind kind = kind_of(queue);
    const struct thread *other = waited_for(thread);
    fprintf(stderr, " on %s \"%s\"", kind_names[kind], queue->lock.name);
    if (kind == QUEUE_FUTEX) {
        const struct futex_waiter *waiter = container_of(queue, struct futex_waiter, queue);
        fprintf(stderr, " at 0x%llx%s", (unsigned long long)waiter->key.offset, waiter->woken ? ", woken" : "");
    } else if (kind == QUEUE_SEMAPHORE) {
        fprintf(stderr, ", count %u", container_of(queue, struct semaphore, waiters)->count);
    }
    if (other != NULL) {
        fprintf(stderr, " of thread %u", other->id);
    }
    if (thread->timer.armed) {
        fprintf(stderr, " until %llu ns", (unsigned long long)thread->timer.deadline_ns);
    }
}

RAW static void print_circle(void)
{
    for (unsigned i = 0; i < count; i++) {
        struct thread *at = all[i];
        unsigned steps = 0;
        do {
            at = waited_for(at);
        } while (at != NULL && at != all[i] && ++steps < count);
        if (at == NULL || at != all[i]) {
            continue;
        }
        fprintf(stderr, "waits: a circle: %u", at->id);
        do {
            at = waited_for(at);
            fprintf(stderr, " -> %u", at != NULL ? at->id : 0);
        } while (at != NULL && at != all[i]);
        fprintf(stderr, "\n");
        return;
    }
}

RAW static void print_spinning(void)
{
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        const struct spinlock *lock = cpus[id].wanted;
        if (cpus[id].online && lock != NULL && lock->owner != 0) {
            fprintf(stderr, "waits: CPU %u spins for lock \"%s\" of CPU %u\n", id, lock->name, lock->owner - 1u);
        }
    }
}

RAW void waits_print(void)
{
    static const char *const states[] = {"ready", "running", "sleeping", "moving", "dead"};
    collect();
    for (unsigned i = 0; i < count; i++) {
        struct thread *thread = all[i];
        fprintf(stderr, "waits: thread %u \"%.*s\" on CPU %u", thread->id, THREAD_NAME_MAX, thread->name, thread->cpu);
        print_call(thread);
        fprintf(stderr, ": %s", thread->state < ARRAY_SIZE(states) ? states[thread->state] : "?");
        if (thread->state == THREAD_SLEEPING) {
            print_sleep(thread);
        }
        fprintf(stderr, "\n");
    }
    print_circle();
    print_spinning();
}

// --- lost wake-ups -------------------------------------------------------------------------------------------------

// Those that the kernel does not let signals interrupt: until other tasks have ended, or a child lets go.
static bool waits_for_end(const struct task *task)
{
    uint64_t number = task->current != NULL ? user_regs_syscall_number(task->current) : SYSCALL_NUMBERS;
    return number == SYS_EXECVE || number == SYS_EXECVEAT || number == SYS_CLONE || number == SYS_CLONE3;
}

// A signal of set that is for the process is another task's to take, even if that does not come to it now.
static bool another_is_told(const struct task *task, uint64_t set)
{
    list_for_each(at, &task->process->tasks)
    {
        const struct task *other = container_of(at, struct task, sibling);
        bool wants = (set & (~other->signals.blocked | other->signals.waited)) != 0;
        bool told = other->thread != NULL && other->thread->interrupted;
        if (other != task && wants && (told || waits_for_end(other) || other->parked)) {
            return true;
        }
    }
    return false;
}

static const char *lost_signal(const struct task *task)
{
    const struct process *process = task->process;
    if (task->parked) {
        bool stays = process->stopping && !process->exiting;
        return stays ? NULL : "is stopped, and its process is not";
    }
    if (process->exiting && !waits_for_end(task)) {
        return "sleeps, and its process is to end";
    }
    uint64_t shared = process->signals.shared.pending, blocked = task->signals.blocked & ~UNBLOCKABLE;
    uint64_t pending = (task->signals.own.pending | (another_is_told(task, shared) ? 0 : shared));
    if ((pending & task->signals.waited) != 0) {
        return "waits for a signal that is there";
    }
    return (pending & ~blocked) != 0 && !waits_for_end(task) ? "sleeps, and has a signal to look at" : NULL;
}

static const char *lost_sleep(struct thread *thread)
{
    const char *lost = thread->task != NULL ? lost_signal(thread->task) : NULL;
    if (lost != NULL) {
        return lost;
    }
    struct wait_queue *queue = queue_of(thread);
    if (thread->interruptible && thread->interrupted) {
        return "was interrupted and sleeps on";
    }
    if (queue == NULL) {
        return thread->timer.armed ? NULL : "sleeps, is in no line and has no deadline";
    }
    switch (kind_of(queue)) {
    case QUEUE_MUTEX:
        return container_of(queue, struct mutex, waiters)->owner == NULL ? "waits for a mutex that nobody owns" : NULL;
    case QUEUE_SEMAPHORE:
        return container_of(queue, struct semaphore, waiters)->count > 0 ? "waits for a semaphore that is up" : NULL;
    case QUEUE_FUTEX: {
        const struct futex_waiter *waiter = container_of(queue, struct futex_waiter, queue);
        return waiter->woken               ? "sleeps on a futex after it was woken"
               : list_empty(&waiter->link) ? "sleeps on a futex and is in no line there"
                                           : NULL;
    }
    default:
        return NULL;
    }
}

const char *waits_lost(void)
{
    static char sentence[128];
    collect();
    for (unsigned i = 0; i < count; i++) {
        struct thread *thread = all[i];
        bool idle = thread == cpus[thread->cpu % MAX_CPUS].queue.idle;
        const char *what = NULL;
        if (thread->state == THREAD_SLEEPING) {
            what = lost_sleep(thread);
        } else if (!idle && thread->state != THREAD_DEAD) {
            what = "could run and nobody runs it";
        }
        if (what != NULL) {
            snprintf(sentence, sizeof(sentence), "thread %u \"%.*s\" %s", thread->id, THREAD_NAME_MAX, thread->name,
                     what);
            return sentence;
        }
    }
    return NULL;
}

static uint32_t stirred[THREADS_MAX];
static unsigned stirred_count;

// Looking again takes time, which may be what a timer of the process waits for.
static bool is_timed(const struct thread *thread)
{
    const struct process_timers *timers = thread->task != NULL ? &thread->task->process->timers : NULL;
    return timers != NULL &&
           (timers->count > 0 || timers->intervals[ITIMER_VIRTUAL].armed || timers->intervals[ITIMER_PROF].armed);
}

static bool any_is_timed(const struct wait_queue *queue)
{
    bool any = false;
    for (unsigned i = 0; i < count; i++) {
        any |= all[i]->state == THREAD_SLEEPING && queue_of(all[i]) == queue && is_timed(all[i]);
    }
    return any;
}

static bool stir(struct thread *thread)
{
    struct wait_queue *queue = thread->state == THREAD_SLEEPING ? queue_of(thread) : NULL;
    if (queue == NULL || any_is_timed(queue) || thread->task == NULL || !thread->interruptible || thread->timer.armed) {
        return false;
    }
    switch (kind_of(queue)) {
    case QUEUE_CONDITION: {
        struct condition *condition = container_of(queue, struct condition, waiters);
        irqflags_t flags = spin_lock(&queue->lock);
        condition->generation++; // its listeners hear nothing: an edge that was none would be told
        (void)wait_queue_wake_all(queue);
        spin_unlock(&queue->lock, flags);
        return true;
    }
    case QUEUE_SEMAPHORE: // poll(2) looks again
        semaphore_up(container_of(queue, struct semaphore, waiters));
        return true;
    default:
        return false;
    }
}

unsigned waits_stir(void)
{
    struct wait_queue *queues[THREADS_MAX] = {};
    collect();
    look_away(true);
    stirred_count = 0;
    for (unsigned i = 0; i < count; i++) {
        queues[i] = all[i]->state == THREAD_SLEEPING ? queue_of(all[i]) : NULL;
    }
    for (unsigned i = 0; i < count; i++) {
        if (queues[i] == NULL || !stir(all[i])) {
            continue;
        }
        for (unsigned other = 0; other < count; other++) {
            if (queues[other] == queues[i]) {
                stirred[stirred_count++ % THREADS_MAX] = all[other]->id;
            }
        }
    }
    look_away(false);
    return stirred_count;
}

bool waits_stirred(const struct thread *thread)
{
    for (unsigned i = 0; i < stirred_count && i < THREADS_MAX; i++) {
        if (stirred[i] == thread->id) {
            return true;
        }
    }
    return false;
}

void waits_forget(void)
{
    stirred_count = 0;
}
