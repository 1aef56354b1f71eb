// A running kernel for tests and for targets that need threads.
#pragma once

#include "kernel/base/types.h"

#define BOOT_FRAMES 1024u

void boot_memory_once(void);           // in setup(): kernel_pages and kernel_heap
void boot_threads(unsigned cpu_count); // in each run: interrupts, scheduler, further CPUs. Interrupts are on afterwards
