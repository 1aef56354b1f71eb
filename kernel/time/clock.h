// The clocks of clock_gettime(2). Time of day is the machine's time since power-on plus an offset, which the real-time
// clock gives at boot and clock_settime(2) changes. Any context unless said otherwise.
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"

#define NS_PER_SECOND 1000000000ull
#define CLOCK_COARSE_NS 4000000ull // what the coarse clocks count in

enum clock_id { // as user space names them
    CLOCK_REALTIME = 0,
    CLOCK_MONOTONIC = 1,
    CLOCK_PROCESS_CPUTIME_ID = 2,
    CLOCK_THREAD_CPUTIME_ID = 3,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5,
    CLOCK_MONOTONIC_COARSE = 6,
    CLOCK_BOOTTIME = 7,
    CLOCK_TAI = 11,
};

uint64_t clock_realtime_offset(void); // ns to add to timer_now()
// A clock that is everybody's. Those of processes: kernel/time/cputime.h. Others give 0.
uint64_t clock_now(int clockid);
bool clock_is_wall(int clockid); // one of those that clock_settime(2) moves
// An expiry that comes every interval (not 0) goes to the first time after now, or as far as times go. How many times
// it has passed.
uint64_t clock_wind_on(uint64_t *expiry_ns, uint64_t interval_ns, uint64_t now);

// Time of day is realtime_ns now; what waits for a time of day waits anew. -EINVAL: before power-on, or from the year
// 2232 on.
[[nodiscard]] int clock_set(uint64_t realtime_ns);
void clock_set_at_boot(uint64_t realtime_ns);

// Who wants to know when the time of day has jumped.
struct clock_watch {
    struct list link;                           // these two: the clock's lock
    uint64_t heard;                             // of so many jumps
    void (*changed)(struct clock_watch *watch); // with the clock's lock (RANK_CLOCK), interrupts off
};
void clock_watch_add(struct clock_watch *watch, void (*changed)(struct clock_watch *watch));
void clock_watch_remove(struct clock_watch *watch); // changed does not run any more
// Sleeps until that clock (not one of a process) shows until_ns. Task context. -EINTR: a signal.
[[nodiscard]] int clock_sleep(int clockid, uint64_t until_ns);
