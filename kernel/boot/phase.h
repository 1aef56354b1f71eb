// How far the boot is. Code that needs locks, memory or threads may assert the phase.
#pragma once

#include "kernel/base/types.h"

enum boot_phase {
    BOOT_EARLY,  // bump allocator, one CPU, no locks contended, static tables
    BOOT_MEMORY, // pages, slabs; interrupt-disabling spinlocks
    BOOT_SCHED,  // threads, mutexes that park
    BOOT_SMP,    // every CPU that will run runs
};

enum boot_phase boot_phase(void);               // any context
void boot_phase_advance(enum boot_phase phase); // boot flow; phases only rise
