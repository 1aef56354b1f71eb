// Between the files of this folder only.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/proc/task.h"

struct family {
    struct spinlock lock; // covers the rest, and what the structures say it does
    struct list all;
    struct tree processes, tasks; // by number
    struct tree groups, sessions; // processes: by theirs, then by number
    int32_t last_id;
    uint64_t last_identity;
};
extern struct family family;

[[nodiscard]] int process_space_create(struct space **out); // with one reference. -ENOMEM
// The running thread's; NULL: none. Loads fp too.
void process_use_space(struct thread *thread, struct space *space, struct fp_state *fp);

// The rest with the family's lock.
struct process *family_find(int32_t pid); // zombies too
struct task *family_find_task(int32_t tid);
struct process *family_find_any(int32_t id); // its own number, or that of any of its tasks
// The process of the lowest number that is at least from, of that group or session; or NULL.
struct process *group_member(int32_t group, int32_t from);
struct process *session_member(int32_t session, int32_t from);
void family_change_group(struct process *process, int32_t group, int32_t session);
struct process *family_next(int32_t from); // the one of the lowest number that is at least from, or NULL
void family_add(struct process *process, struct task *first, struct process *parent); // and gives it a number
void family_add_task(struct process *process, struct task *task);
void family_remove(struct process *process);
void family_remove_task(struct task *task);
void family_rename_task(struct task *task, int32_t tid);
// Something has happened to process that its parent may want to know.
void process_tell_parent(struct process *process);
void signal_send_locked(struct process *process, struct task *only, const struct signal_info *info);
// To one of several processes: who is being made there meanwhile, and nobody sees as yet, gets it as well. walk:
// which one it is of those that give the lock up on the way, so that a child is not told twice; 0: it does not.
uint64_t signal_begin_walk(void);
void signal_send_to_many(struct process *process, const struct signal_info *info, uint64_t walk);
struct birth {
    struct list link;       // of process->births
    uint64_t signals, walk; // that have come meanwhile, and the last walk that brought one
};
bool task_has_work(const struct task *task);     // before it may go back to user space
void task_note_work(struct task *task);          // the current one's: task_has_work() may have changed
void process_end_tasks(struct process *process); // all but the survivor are to end
void process_begin_exit(struct process *process, int status);
// A stop begins; it is over.
void process_stop(struct process *process, int signal);
void process_continue(struct process *process);
void process_check_stopped(struct process *process); // the last of its tasks may just have parked
bool group_in_session_locked(int32_t group, int32_t session);
bool group_is_orphaned(int32_t group, const struct process *leaving);
void signals_retarget(struct process *process, uint64_t set); // somebody else is to look at what the process has

// Without.
void signals_init(struct process *process);
void process_release(struct process *process); // the parent of a vfork(2) may go on
// Until then, or until it has ended, or the caller is to end.
void process_wait_released(int32_t pid);
void process_bury(struct process *process); // it has ended, and nobody will ask any more
void task_free(struct task *task);          // never ran, or has ended
