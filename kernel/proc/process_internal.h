// Between the files of this folder only.
#pragma once

#include "kernel/proc/process.h"

struct family {
    struct spinlock lock; // covers the rest, and what struct process says it does
    struct list all;
    int32_t next_pid;
};
extern struct family family;

[[nodiscard]] int process_space_create(struct space **out); // -ENOMEM, -EAGAIN
void process_space_destroy(struct space *space);            // no CPU uses it any more
// The running thread's; NULL: none. Loads fp too.
void process_use_space(struct thread *thread, struct space *space, struct fp_state *fp);
// With the family's lock: something has happened to process that its parent may want to know.
void process_tell_parent(struct process *process);
void signal_send_locked(struct process *process, const struct signal_info *info);
void process_pause(void);                      // sleeps until the thread is interrupted; returns at once if it is
void process_release(struct process *process); // the parent of a vfork(2) may go on
void process_wait_released(int32_t pid);       // until then, or until it has ended
