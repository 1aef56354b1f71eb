// Exhaustive failure of a workload from inside: the 1st, 2nd, … arrival fails until a run in which nothing does, once
// and for good, per kind and for all kinds together. After each failure: a clean error, every walk sound, nothing
// leaked, and the same work succeeds. Task context; no other work may run meanwhile.
#pragma once

#include <fault/fault.h>

#include "kernel/debug/workloads.h"

#define SWEEP_SERIES 4u // page_alloc, slab_alloc, user_copy, all

struct sweep_result {
    uint64_t runs;                     // with a plan armed
    uint64_t injections;               // of them, runs in which something failed
    uint64_t fired;                    // failures: a run has many when they are for good
    uint64_t by_kind[SWEEP_SERIES][2]; // injections, once and for good
    char broken[160];                  // the promise that did not hold, and the plan; empty: all did
};

// 0; -EIO: a promise did not hold (*out says which); what the workload gave when it does not even succeed by itself.
// Disarms faults.
[[nodiscard]] int sweep_workload(const struct workload *workload, struct sweep_result *out);
const struct workload *workload_find(const char *name); // NULL: none
const char *sweep_series_name(unsigned series);

// Pages, heap objects, threads: taken when all is quiet, compared when it should be again.
struct footprint {
    uint64_t pages, objects;
    uint32_t threads;
};
// Gives empty slabs back first.
struct footprint footprint_take(void);
// True when before's memory and threads are back, for which the last dead thread gets a second.
bool footprint_settle(const struct footprint *before);
// Every foo_check() that a running kernel has: NULL or what is broken. The other CPUs must be quiet.
[[nodiscard]] const char *kernel_check_all(void);

int sweep_command(char *arguments); // the monitor's
