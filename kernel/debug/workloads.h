// Fixed pieces of work for failure sweeps: each does all of it or reports the error, and leaves nothing behind.
#pragma once

#include "kernel/base/types.h"

struct workload {
    const char *name, *summary;
    int (*run)(void); // task context; 0 or a negative errno
};

extern const struct workload workloads[]; // ends with a NULL name

#define WORKLOAD_ARGUMENTS_MAX 8u
// The user program that "program" runs; the words must stay. Task context.
void workload_set_program(const char *const argv[]);
extern const struct workload workload_program; // not in the list: it needs words
