// Who lives beside the program: a process of root, with files, memory and descriptors that hold marked bytes. The
// program is another user's, so that none of it may be read or changed: what it does all the same is a finding. The
// neighbour works, too, while the program runs: what it makes must stay its own.
#pragma once

#include "harness/world.h"

struct process;
extern bool world_has_neighbour; // before world_setup(): every program is then a user's, and has a neighbour

// A kernel thread, when no program runs. Starts it, and returns when it has made all it has.
void neighbour_start(void);
_Noreturn void neighbour_live(void); // its user space
void neighbour_wake(void);           // user space of the program, while it is root's: it begins to work
// Nobody but it is left: waits until its work is done, looks at all it has, and ends it.
void neighbour_judge(void);
bool neighbour_is(const struct process *process);
// The current process, if it is the program's, gets these bytes, or a page with these in it.
void neighbour_seen(const void *bytes, size_t size);
