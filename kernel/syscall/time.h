// Times from and to user space. Task context; may sleep.
#pragma once

#include "kernel/base/types.h"
#include "kernel/time/clock.h"

struct user_timespec {
    int64_t seconds, nanoseconds;
};
struct user_timeval {
    int64_t seconds, microseconds;
};

static inline struct user_timespec timespec_of(uint64_t ns)
{
    return (struct user_timespec){(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
}
static inline struct user_timeval timeval_of(uint64_t ns)
{
    return (struct user_timeval){(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND / 1000)};
}

// As nanoseconds; at most UINT64_MAX - 1. -EINVAL: negative, or a second and more of the smaller part.
[[nodiscard]] int timespec_ns(const struct user_timespec *time, uint64_t *ns);
[[nodiscard]] int timeval_ns(const struct user_timeval *time, uint64_t *ns);
[[nodiscard]] int time_from_user(uint64_t from, uint64_t *ns); // a struct timespec. Also -EFAULT
[[nodiscard]] int time_to_user(uint64_t to, uint64_t ns);      // likewise. -EFAULT
uint64_t time_deadline(uint64_t ns);                           // from now on; far away when that does not fit
// Likewise; the same again when the current call is made again, after a signal that nobody handled (ERESTART_NOHAND).
uint64_t time_deadline_of_call(uint64_t ns);
