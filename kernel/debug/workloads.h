// Fixed pieces of work for failure sweeps: each does all of it or reports the error, and leaves nothing behind.
#pragma once

#include "kernel/base/types.h"

struct workload {
    const char *name, *summary;
    int (*run)(void); // task context; 0 or a negative errno
};

extern const struct workload workloads[]; // ends with a NULL name
