// Resource limits. Source: getrlimit(2). The family's lock covers a process's; a word is read without it.
#pragma once

#include "kernel/base/types.h"

#define RLIMIT_CPU 0u
#define RLIMIT_FSIZE 1u
#define RLIMIT_DATA 2u
#define RLIMIT_STACK 3u
#define RLIMIT_CORE 4u
#define RLIMIT_RSS 5u
#define RLIMIT_NPROC 6u
#define RLIMIT_NOFILE 7u
#define RLIMIT_MEMLOCK 8u
#define RLIMIT_AS 9u
#define RLIMIT_SIGPENDING 11u
#define RLIMIT_MSGQUEUE 12u
#define RLIMIT_NICE 13u
#define RLIMIT_RTPRIO 14u
#define RLIMITS 16u
#define RLIM_INFINITY UINT64_MAX

struct limit {
    uint64_t soft, hard;
};
struct limits {
    struct limit of[RLIMITS];
};

struct process;

void limits_init(struct limits *limits);                               // those of a first process
uint64_t process_limit(const struct process *process, unsigned which); // what it has to keep to now. Any context
// prlimit(2) of pid (0: the caller), with set given and old asked for. -ESRCH, -EPERM, -EINVAL.
[[nodiscard]] int process_prlimit(int32_t pid, unsigned which, const struct limit *set, struct limit *old);
// Before the current process makes a task: -EAGAIN: there are as many as there may be on this machine.
[[nodiscard]] int limits_check_clone(void);
