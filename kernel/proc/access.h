// What one process may do to another. Source: ptrace(2), "Ptrace access mode checking"; kill(2), setpriority(2),
// sched_setscheduler(2), prlimit(2). All with the family's lock unless said otherwise; they ask for the current task.
#pragma once

#include "kernel/proc/task.h"

#define DUMPABLE_NOT 0u // space.dumpable: only root looks into it, and its nodes in /proc are root's
#define DUMPABLE_USER 1u

enum access_by { ACCESS_BY_FILE_USER, ACCESS_BY_REAL_USER }; // which of the caller's ids count

// Memory, places, open files of a process. task: the one that is meant, or NULL: the first. -EPERM.
[[nodiscard]] int process_may_access(const struct process *process, const struct task *task, enum access_by by);
// Likewise by number (tid 0: the first task), without the lock. -ESRCH, -EPERM.
[[nodiscard]] int process_may_access_id(int32_t pid, int32_t tid, enum access_by by);
[[nodiscard]] int process_may_signal(const struct process *process, const struct task *task, int signal); // -EPERM
// Its policy and CPUs; its niceness (another's by the effective user only). -EPERM.
[[nodiscard]] int task_may_schedule(const struct task *task);
[[nodiscard]] int task_may_renice(const struct task *task);
[[nodiscard]] int process_may_limit(const struct process *process, const struct task *task); // prlimit(2). -EPERM
// Who its nodes in /proc belong to. Without the lock.
void process_node_owner(int32_t pid, bool plain_directory, uint32_t *uid, uint32_t *gid);

// The log, as kernel.dmesg_restrict has it: reading it, or (harmless false) changing how it is
// kept. Without the lock.
bool may_use_log(bool harmless);

// --- becoming somebody else ----------------------------------------------------------------------------------------

// The current task acts for copy from here on, which is taken over. Without the lock; cannot fail. What it may have had
// of the old one's secrets is nobody's to look at: the space is not dumpable any more when the users differ or rights
// were won.
void task_become(struct credentials *copy);
// Charges of RLIMIT_NPROC: one for each task, and the last one's for as long as its process is known.
[[nodiscard]] int task_charge(void); // for one more of the current user. -EAGAIN
void task_uncharge(const struct credentials *as);
void task_recharge(const struct credentials *from, const struct credentials *to); // whatever limits there are
