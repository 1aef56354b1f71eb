// Processes, first form: one address space, one thread, loaded from a static image. Task context; may sleep.
#pragma once

#include <hal/context.h>

#include "kernel/mm/pagetable.h"
#include "kernel/proc/elf.h"
#include "kernel/sched/thread.h"

#define USER_STACK_TOP 0x0000ffffffff0000UL
#define USER_STACK_SIZE KIB(64)

struct region {
    uint64_t start, size; // whole pages, each mapped to a page of its own
};

struct process {
    int32_t pid;
    struct pagetable table;
    uint32_t asid;
    struct region regions[ELF_SEGMENTS_MAX + 1];
    unsigned region_count;
    struct user_regs regs; // to start with
    struct fp_state fp;
    struct thread *thread;
    int status;
};

// Loads image and starts it with argv = {name}. -ENOEXEC, -ENOMEM, -EAGAIN: nothing is left behind then.
[[nodiscard]] int process_create(const char *name, const void *image, size_t size, struct process **out);
// Sleeps until it has ended, frees it, returns its exit status: 0 to 255, or 128 + signal.
int process_wait(struct process *process);
_Noreturn void process_exit(int status); // the current one
struct process *process_current(void);   // in a system call; never NULL there
