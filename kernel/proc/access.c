// Rights of processes over each other, and how a task becomes somebody else.
#include "kernel/proc/access.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/proc/limits.h"
#include "kernel/proc/process_internal.h"

static const struct credentials *of(const struct process *process, const struct task *task)
{
    return task != NULL ? task->thread->as : process->as;
}

static bool is_wholly(const struct credentials *other, uint32_t uid, uint32_t gid)
{
    return other->real_uid == uid && other->effective_uid == uid && other->saved_uid == uid && other->real_gid == gid &&
           other->effective_gid == gid && other->saved_gid == gid;
}

int process_may_access(const struct process *process, const struct task *task, enum access_by by)
{
    const struct credentials *me = credentials_current(), *other = of(process, task);
    if (process == process_current() || capable(CAP_SYS_PTRACE)) {
        return 0;
    }
    bool files = by == ACCESS_BY_FILE_USER;
    if (!is_wholly(other, files ? me->uid : me->real_uid, files ? me->gid : me->real_gid)) {
        return -EPERM;
    }
    if (process->space != NULL && READ_ONCE(process->space->dumpable) != DUMPABLE_USER) {
        return -EPERM;
    }
    return capabilities_within(other->permitted, files ? me->effective : me->permitted) ? 0 : -EPERM;
}

int process_may_access_id(int32_t pid, int32_t tid, enum access_by by)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *process = family_find(pid);
    const struct task *task = tid != 0 ? family_find_task(tid) : process != NULL ? family_find_task(pid) : NULL;
    bool found = process != NULL && (tid == 0 || (task != NULL && task->process == process));
    int error = found ? process_may_access(process, task, by) : -ESRCH;
    spin_unlock(&family.lock, flags);
    return error;
}

int process_may_signal(const struct process *process, const struct task *task, int signal)
{
    const struct process *from = process_current();
    const struct credentials *me = credentials_current(), *to = of(process, task);
    bool may = from == NULL || from == process || me->effective_uid == to->real_uid ||
               me->effective_uid == to->saved_uid || me->real_uid == to->real_uid || me->real_uid == to->saved_uid ||
               (signal == SIGCONT && from->session == process->session) || capable(CAP_KILL);
    return may ? 0 : -EPERM;
}

static bool has_no_more_than_me(const struct task *task)
{
    return capabilities_within(task->thread->as->permitted, credentials_current()->permitted);
}

int task_may_schedule(const struct task *task)
{
    const struct credentials *me = credentials_current(), *other = task->thread->as;
    bool mine = me->effective_uid == other->effective_uid || me->effective_uid == other->real_uid;
    return (mine && has_no_more_than_me(task)) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

int task_may_renice(const struct task *task)
{
    const struct credentials *me = credentials_current(), *other = task->thread->as;
    bool mine = other->real_uid == me->effective_uid || other->effective_uid == me->effective_uid;
    return (mine && has_no_more_than_me(task)) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

int process_may_limit(const struct process *process, const struct task *task)
{
    const struct credentials *me = credentials_current();
    bool may = process == process_current() || is_wholly(of(process, task), me->real_uid, me->real_gid) ||
               capable(CAP_SYS_RESOURCE);
    return may ? 0 : -EPERM;
}

void process_node_owner(int32_t pid, bool plain_directory, uint32_t *uid, uint32_t *gid)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *process = family_find(pid);
    bool open = process != NULL &&
                (plain_directory || process->space == NULL || READ_ONCE(process->space->dumpable) == DUMPABLE_USER);
    *uid = open ? process->as->effective_uid : 0;
    *gid = open ? process->as->effective_gid : 0;
    spin_unlock(&family.lock, flags);
}

const char *process_check_all(void)
{
    const char *broken = NULL;
    uint64_t tasks = 0;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        const struct process *process = container_of(at, struct process, all);
        tasks += max_u64(process->task_count, 1);
        broken = broken != NULL ? broken : credentials_check(process->as);
        list_for_each(each, &process->tasks)
        {
            const struct task *task = container_of(each, struct task, sibling);
            broken = broken != NULL ? broken : credentials_check(task->thread->as);
            if (task->tid == process->pid && task->thread->as != process->as) {
                broken = "a process acts for somebody else than its first task";
            }
        }
    }
    spin_unlock(&family.lock, flags);
    if (broken == NULL && account_total(CHARGE_TASKS) != tasks) {
        broken = "users are charged for more or fewer tasks than there are";
    }
    return broken != NULL ? broken : account_check();
}

bool may_use_log(bool harmless)
{
    return (harmless && READ_ONCE(log_restricted) == 0) || capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN);
}

// --- becoming somebody else ----------------------------------------------------------------------------------------

static bool gains(const struct credentials *new, const struct credentials *old)
{
    return new->effective_uid != old->effective_uid || new->effective_gid != old->effective_gid ||
           new->uid != old->uid || new->gid != old->gid || !capabilities_within(new->permitted, old->permitted);
}

void task_recharge(const struct credentials *from, const struct credentials *to)
{
    bool charged = account_charge(to->account, CHARGE_TASKS, 1, UINT64_MAX);
    ASSERT(charged);
    task_uncharge(from);
}

void task_become(struct credentials *copy)
{
    struct task *task = task_current();
    struct process *process = task->process;
    const struct credentials *old = task->thread->as, *of_process = NULL;
    ASSERT(credentials_check(copy) == NULL);
    if (gains(copy, old)) {
        WRITE_ONCE(process->space->dumpable, DUMPABLE_NOT);
        process->death_signal = 0;
    }
    task_recharge(old, copy);
    irqflags_t flags = spin_lock(&family.lock);
    task->thread->as = copy;
    if (task->tid == process->pid) {
        of_process = process->as;
        process->as = credentials_get(copy);
    }
    spin_unlock(&family.lock, flags);
    credentials_put(old);
    credentials_put(of_process);
}

int task_charge(void)
{
    const struct credentials *me = credentials_current();
    bool unbounded = me->account == &account_root || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
    uint64_t limit = unbounded ? UINT64_MAX : process_limit(process_current(), RLIMIT_NPROC);
    return account_charge(me->account, CHARGE_TASKS, 1, limit) ? 0 : -EAGAIN;
}

void task_uncharge(const struct credentials *as)
{
    account_uncharge(as->account, CHARGE_TASKS, 1);
}
