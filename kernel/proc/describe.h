// What others may know of a process and of its tasks: for /proc. Task context.
#pragma once

#include "kernel/proc/process.h"

struct process_description {
    int32_t pid, tid, parent, group, session;
    char name[THREAD_NAME_MAX];
    char state; // as proc(5): R S D T Z
    uint32_t task_count;
    int exit_signal, status;
    unsigned cpu;
    uint32_t thread;              // the kernel's number of the thread; 0: it has ended
    struct usage usage, children; // of the task, or of the whole process
    uint64_t born_ns, switches;
    uint64_t pending, shared, blocked, ignored, caught; // signals: a bit each
    uint64_t signals_limit;                             // RLIMIT_SIGPENDING
    const struct credentials *as;                       // with a reference: process_description_put()
    uint32_t umask;
    bool traced, no_new_privileges;
};

// tid 0: the process, by its first task. False: there is none, or it is not one of the process; there is nothing to
// put then.
bool process_describe(int32_t pid, int32_t tid, struct process_description *out);
bool process_describe_task(int32_t tid, struct process_description *out); // by its number alone
void process_description_put(struct process_description *description);
bool process_exists(int32_t pid, int32_t tid); // likewise
// The lowest number that is at least from: a process's, or with pid not 0, a task's of that process. 0: there is none.
int32_t process_next_id(int32_t pid, int32_t from);
// How many tasks there are, and how many of them run or could. *last: the last number that was given away.
void process_count(uint32_t *tasks, uint32_t *running, int32_t *last);
