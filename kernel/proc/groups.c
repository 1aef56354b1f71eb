// Process groups and sessions. Source: credentials(7), setpgid(2), setsid(2).
#include "kernel/proc/process_internal.h"

// With the family's lock. pid 0: the caller. NULL: none, or nobody will wait for it. A zombie is still of its group.
static struct process *find(int32_t pid)
{
    if (pid == 0) {
        return process_current();
    }
    struct process *process = family_find(pid);
    return process != NULL && !(process->ended && process->orphan) ? process : NULL;
}

// The same, by the number of any of its tasks.
static struct process *find_by_task(int32_t tid)
{
    struct task *task = tid == 0 ? NULL : family_find_task(tid);
    return task != NULL ? task->process : find(tid);
}

static bool group_exists(int32_t group, int32_t session)
{
    list_for_each(at, &family.all)
    {
        const struct process *process = container_of(at, struct process, all);
        if (process->group == group && process->session == session) {
            return true;
        }
    }
    return false;
}

// Nobody in it has a parent in another group of its session, who could continue it when it is stopped.
bool group_is_orphaned(int32_t group, const struct process *leaving)
{
    list_for_each(at, &family.all)
    {
        const struct process *process = container_of(at, struct process, all);
        const struct process *parent = process->parent;
        if (process->group == group && process != leaving && !process->ended && parent != NULL && parent != leaving &&
            parent->group != group && parent->session == process->session) {
            return false;
        }
    }
    return true;
}

static int set_group(const struct process *me, struct process *process, int32_t group)
{
    if (process == NULL || (process != me && process->parent != me)) {
        return -ESRCH;
    }
    group = group == 0 ? process->pid : group;
    if (process->session == me->session && process != me && process->executed) {
        return -EACCES;
    }
    if (process->session != me->session || process->session == process->pid ||
        (group != process->pid && !group_exists(group, process->session))) {
        return -EPERM;
    }
    process->group = group;
    return 0;
}

int process_set_group(int32_t pid, int32_t group)
{
    if (group < 0) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&family.lock);
    bool leads = find(pid) != NULL || find_by_task(pid) == NULL;
    int error = leads ? set_group(process_current(), find(pid), group) : -EINVAL;
    spin_unlock(&family.lock, flags);
    return error;
}

int process_group_of(int32_t pid, bool session)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *process = find_by_task(pid);
    int result = process == NULL ? -ESRCH : session ? process->session : process->group;
    spin_unlock(&family.lock, flags);
    return result;
}

int process_new_session(void)
{
    struct process *me = process_current();
    int error = 0;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        if (container_of(at, struct process, all)->group == me->pid) {
            error = -EPERM; // it leads a group already
        }
    }
    if (error == 0) {
        me->group = me->session = me->pid;
    }
    spin_unlock(&family.lock, flags);
    return error != 0 ? error : me->pid;
}
