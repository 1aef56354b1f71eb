// Timers on any clock, for a process: what setitimer(2) and timer_create(2) have in common. A timer expires once; with
// an interval it then has lapsed, until whoever was to hear of it has, and starts it again. So what nobody takes costs
// nothing, however short its interval. Expiries in between are counted, not made. A clock of processor time is looked
// at by its process, in its ticks (clock_timers_tick()): when it stands still, nobody looks.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/sched/timer.h"
#include "kernel/time/clock.h"

struct process;

enum clock_source {
    SOURCE_STEADY,       // time since power-on
    SOURCE_WALL,         // time of day
    SOURCE_PROCESS,      // what the process has run,
    SOURCE_PROCESS_USER, // in user space,
    SOURCE_THREAD,       // or the thread of number tid
};

// Those of one process that are armed and run on clocks of processor time.
struct cpu_timers {
    struct spinlock lock; // covers the rest, and what clock_timer.lock would cover of them
    struct tree tree;     // by clock, then the earliest first
    uint32_t count;       // also read without the lock, in each tick
};
void cpu_timers_init(struct cpu_timers *timers);

struct clock_timer {
    struct timer timer;
    struct clock_watch watch; // of one made for SOURCE_WALL
    struct process *process;  // these five: constant
    struct cpu_timers *cpu;   // NULL: not a clock of processor time
    enum clock_source made_for;
    int32_t tid;
    // No lock held. Interrupt context, or for a clock of processor time that of its process's task. NULL: nobody hears.
    void (*expired)(struct clock_timer *timer);
    struct spinlock lock;            // covers the rest
    enum clock_source source;        // what it counts by now
    bool armed, lapsed;              // lapsed: has expired, goes on with clock_timer_go_on()
    uint64_t expiry_ns, interval_ns; // on its clock; interval 0: once
    uint64_t passed;                 // expiries since it was last told of them
    struct tree_node by_expiry;      // of cpu->tree, while armed
};

// Task context. process outlives it, as does the thread: a thread that has ended stands still. cpu: the process's; NULL
// only if source is not one of processor time.
void clock_timer_init(struct clock_timer *timer, struct process *process, struct cpu_timers *cpu,
                      enum clock_source source, int32_t tid, void (*expired)(struct clock_timer *timer));
// Nothing of it runs any more on return. Task context; not with a lock that expired takes.
void clock_timer_end(struct clock_timer *timer);
uint64_t clock_source_now(const struct clock_timer *timer, enum clock_source source); // for its process and thread
// Sets it to expiry on source (what it was made for; or SOURCE_STEADY, if that is SOURCE_WALL), or with arm false
// disarms it; left and interval: what it had, as clock_timer_get() says. Task context.
struct clock_timer_setting {
    enum clock_source source;
    bool arm;
    uint64_t expiry_ns, interval_ns;
};
void clock_timer_set(struct clock_timer *timer, const struct clock_timer_setting *set, bool counts_on,
                     uint64_t *left_ns, uint64_t *interval_ns);
// What is left until it expires; 0: it is not armed. counts_on: also of one that has lapsed or that nobody hears of, to
// its next expiry, as if it had been started again.
void clock_timer_get(struct clock_timer *timer, bool counts_on, uint64_t *left_ns, uint64_t *interval_ns);
// One that has lapsed runs again. told: the expiries that it missed are told, and forgotten: how many.
uint64_t clock_timer_go_on(struct clock_timer *timer, bool told);
// Those of the process that have expired: its own clocks, and that of its task tid. Task context; they stay meanwhile.
void clock_timers_tick(struct process *process, struct cpu_timers *timers, int32_t tid);
