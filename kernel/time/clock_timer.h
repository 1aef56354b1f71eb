// Timers on any clock, for a process: what setitimer(2) and timer_create(2) have in common.
#pragma once

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

struct clock_timer {
    struct timer timer;
    struct clock_watch watch; // of one made for SOURCE_WALL
    struct process *process;  // these four: constant
    enum clock_source made_for;
    int32_t tid;
    void (*expired)(struct clock_timer *timer, uint64_t times); // interrupt context, no lock held
    struct spinlock lock;                                       // covers the rest
    enum clock_source source;                                   // what it counts by now
    bool armed;
    uint64_t expiry_ns, interval_ns; // on its clock; interval 0: once
};

// Task context. process outlives it, as does the thread: a thread that has ended stands still.
void clock_timer_init(struct clock_timer *timer, struct process *process, enum clock_source source, int32_t tid,
                      void (*expired)(struct clock_timer *timer, uint64_t times));
// Nothing of it runs any more on return. Task context; not with a lock that expired takes.
void clock_timer_end(struct clock_timer *timer);
uint64_t clock_source_now(const struct clock_timer *timer, enum clock_source source); // for its process and thread
// Sets it to expiry on source (what it was made for; or SOURCE_STEADY, if that is SOURCE_WALL), or with arm false
// disarms it; left and interval: what it had. Task context.
void clock_timer_set(struct clock_timer *timer, enum clock_source source, bool arm, uint64_t expiry_ns,
                     uint64_t interval_ns, uint64_t *left_ns, uint64_t *interval_before_ns);
// What is left until it expires; 0: it is not armed. quiet: nobody calls expired, so that it is wound on here.
void clock_timer_get(struct clock_timer *timer, bool quiet, uint64_t *left_ns, uint64_t *interval_ns);
