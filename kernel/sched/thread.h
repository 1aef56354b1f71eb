// Kernel threads. Task context from BOOT_SCHED on unless said otherwise.
#pragma once

#include <hal/context.h>
#include <hal/cpu.h>

#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/base/types.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/waitq.h"

#define THREAD_NAME_MAX 16

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_MOVING, THREAD_DEAD };

// How it shares the CPU: kernel/sched/policy.h.
struct sched_policy {
    uint8_t kind;     // SCHED_OTHER, …
    uint8_t priority; // of real-time kinds 1 to 99, else 0
    int8_t nice;      // -20 to 19, of the others
    bool reset_on_fork;
};

struct task;
struct process;
struct credentials;

struct thread {
    struct context context;
    struct kernel_stack stack;
    struct list run_link;  // run queue's lock
    struct list wait_link; // wait queue's lock
    struct list all_link;  // thread list's lock
    struct timer timer;    // wakes it at its deadline
    uint8_t state;         // enum thread_state; run queue's lock
    uint8_t cpu;           // whose run queue's lock covers it
    bool on_cpu; // its registers are live on a CPU: nobody else may run it. Acquire and release order the registers
    bool interruptible;      // its sleep; run queue's lock
    bool interrupted;        // has signals to look at: run queue's lock to set, its own to clear
    bool tick_due;           // its own, interrupts off to set: a tick has come, and watched was not 0
    const uint32_t *watched; // its own: in ticks somebody is to look at what it has run, while this is not 0; or NULL
    bool killed;             // its process ends, or its program: for good. Atomic
    bool exited;             // exit_queue's lock
    struct sched_policy policy; // run queue's lock
    uint32_t allowed;           // CPUs that it may run on, bit id; atomic
    int exit_code;
    struct wait_queue exit_queue;      // who joins
    uint32_t id;                       // 1 upwards, never used again
    uint32_t references;               // atomic: the creator's and its own
    uint64_t runtime_ns, started_ns;   // written by the CPU that runs it; elsewhere for show
    uint64_t switches;                 // likewise
    uint64_t preemptions;              // likewise: of the times it stopped running it would have gone on
    uint64_t user_ticks, kernel_ticks; // likewise: timer interrupts that found it there
    void (*entry)(void *);             // these two: constant
    void *argument;
    struct task *task; // these two: its own; NULL: kernel only
    struct process *process;
    const struct credentials *as; // who it acts for: its own to read, the family's lock to change; NULL: the kernel
    uint32_t mutexes;             // its own: that it holds, with FAULTLINE_CHECKS
    uint32_t *counted; // constant once it runs: goes down when its memory is free; atomic. NULL: nobody counts
    struct pagetable *user_table; // its own, interrupts off: the lower half while it runs, or NULL
    struct fp_state *fp;          // likewise; NULL: does not use floating point
    char name[THREAD_NAME_MAX];   // its own; elsewhere for show
};

struct run_queue {
    struct spinlock lock; // covers ready, length and the state of threads whose cpu is this one
    struct list ready;
    uint32_t length;               // also read without the lock, as a hint
    struct thread *current, *idle; // current: the lock to change, a hint to others. idle: constant
    struct thread *previous;       // own CPU: being switched from
    uint64_t slice_end_ns;         // own CPU
    uint8_t runs, waits; // priority of current, and of the first that is ready; also read without the lock, as hints
    uint64_t balance_ns; // these two: own CPU: when to look whether others have more to do, two more than here,
    uint64_t rotate_ns;  // or one
};

// Per-CPU data. local is first: cpu_local() points at it.
struct cpu {
    struct cpu_local local;
    bool online;    // set once, with release: the queue is there
    uint64_t hw_id; // constant once it runs
    // Own CPU, interrupts off:
    bool need_resched;
    uint32_t interrupt_depth;
    bool interrupted_user; // by the interrupt that is being handled
    uint32_t lock_depth;   // with FAULTLINE_CHECKS
    uint16_t lock_ranks[16];
    uint64_t held_since;     // likewise: when interrupts went off for what holds now; 0: not measured
    struct spinlock *wanted; // that it spins for; elsewhere for show
    uint64_t switches;
    uint64_t barriers; // atomic: passed, for sched_barrier()
    struct run_queue queue;
    struct timer_queue timers;
} __attribute__((aligned(64)));

extern struct cpu cpus[MAX_CPUS];

static inline struct cpu *this_cpu(void) // interrupts off, or a thread that cannot move
{
    return container_of(cpu_local(), struct cpu, local);
}
static inline struct thread *thread_current(void) // NULL before BOOT_SCHED
{
    return flow_local();
}
// Whoever does as much as a user asks for looks at one of these on the way, and stops with what is done: nobody waits
// longer than a page takes for a signal to be seen, and what is killed ends.
static inline bool thread_killed(void)
{
    const struct thread *me = thread_current();
    return me != NULL && unlikely(__atomic_load_n(&me->killed, __ATOMIC_RELAXED));
}
static inline bool thread_interrupted(void) // any signal is to be looked at
{
    const struct thread *me = thread_current();
    return me != NULL && unlikely(READ_ONCE(me->interrupted));
}
// Nanoseconds, up to now. Exact for the current thread; of one that another CPU runs it may be a switch behind.
uint64_t thread_runtime(const struct thread *thread);

// The thread is ready when this returns. The caller owns one reference: thread_join() or thread_detach() ends it.
// -EAGAIN: out of stacks; -ENOMEM. Nothing changed then.
[[nodiscard]] int thread_create(const char *name, void (*entry)(void *), void *argument, struct thread **out);
// The same in steps: made, with references as above, it may be filled in before it starts; or be taken apart again.
[[nodiscard]] int thread_make(const char *name, void (*entry)(void *), void *argument, struct thread **out);
void thread_start(struct thread *thread);
void thread_unmake(struct thread *thread);
_Noreturn void thread_exit(int code);
int thread_join(struct thread *thread); // sleeps until it is dead, returns its exit code, ends the reference
void thread_detach(struct thread *thread);
void thread_set_name(struct thread *thread, const char *name); // cut to fit
void thread_yield(void);
void thread_sleep_until(uint64_t deadline_ns);

// Calls visit for each thread under the list's lock; it must not sleep.
void thread_for_each(void (*visit)(struct thread *thread, void *argument), void *argument);
uint32_t thread_count(void);
