// Process groups and sessions. Source: credentials(7), setpgid(2), setsid(2).
#include "kernel/proc/process_internal.h"

// With the family's lock. id: of any of its tasks, or 0: the caller. NULL: none, or nobody will wait for it. A zombie
// is still of its group.
static struct process *find(int32_t id)
{
    struct process *process = id == 0 ? process_current() : family_find_any(id);
    return process != NULL && !(process->ended && process->orphan) ? process : NULL;
}

// Nobody in it has a parent in another group of its session, who could continue it when it is stopped.
bool group_is_orphaned(int32_t group, const struct process *leaving)
{
    for (const struct process *process = group_member(group, 0); process != NULL;
         process = group_member(group, process->pid + 1)) {
        const struct process *parent = process->parent;
        if (process != leaving && !process->ended && parent != NULL && parent != leaving && parent->group != group &&
            parent->session == process->session) {
            return false;
        }
    }
    return true;
}

// Who waits for a child of the group that it leaves need not wait any more.
static void change_group(struct process *process, int32_t group, int32_t session)
{
    family_change_group(process, group, session);
    if (process->parent != NULL) {
        condition_signal(&process->parent->changes);
    }
}

static int set_group(const struct process *me, int32_t pid, int32_t group)
{
    struct process *process = find(pid);
    if (process != NULL && pid != 0 && pid != process->pid) {
        return -EINVAL; // another of its tasks
    }
    if (process == NULL || (process != me && process->parent != me)) {
        return -ESRCH;
    }
    group = group == 0 ? process->pid : group;
    if (process->session == me->session && process != me && process->executed) {
        return -EACCES;
    }
    if (process->session != me->session || process->session == process->pid ||
        (group != process->pid && !group_in_session_locked(group, process->session))) {
        return -EPERM;
    }
    change_group(process, group, process->session);
    return 0;
}

int process_set_group(int32_t pid, int32_t group)
{
    if (group < 0) {
        return -EINVAL;
    }
    irqflags_t flags = spin_lock(&family.lock);
    int error = set_group(process_current(), pid, group);
    spin_unlock(&family.lock, flags);
    return error;
}

int process_group_of(int32_t pid, bool session)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *process = find(pid);
    int result = process == NULL ? -ESRCH : session ? process->session : process->group;
    spin_unlock(&family.lock, flags);
    return result;
}

int process_new_session(void)
{
    struct process *me = process_current();
    int error = 0;
    irqflags_t flags = spin_lock(&family.lock);
    if (group_member(me->pid, 0) != NULL) {
        error = -EPERM; // it leads a group already
    } else {
        change_group(me, me->pid, me->pid);
    }
    spin_unlock(&family.lock, flags);
    return error != 0 ? error : me->pid;
}
