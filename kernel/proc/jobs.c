#include "kernel/proc/jobs.h"

#include "kernel/proc/process_internal.h"

#define HANDLER_IGNORE 1ul

void (*session_ended)(int32_t session);

void group_signal(int32_t group, int32_t session, int signal)
{
    const struct signal_info info = {.signal = signal, .code = SI_KERNEL};
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        struct process *process = container_of(at, struct process, all);
        if (process->group == group && process->session == session && group > 0) {
            signal_send_to_many(process, &info, 0);
        }
    }
    spin_unlock(&family.lock, flags);
}

bool group_in_session(int32_t group, int32_t session)
{
    bool found = false;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        const struct process *process = container_of(at, struct process, all);
        found |= process->group == group && process->session == session;
    }
    spin_unlock(&family.lock, flags);
    return found;
}

int process_in_background(int signal)
{
    const struct task *me = task_current();
    const struct process *process = me->process;
    irqflags_t flags = spin_lock(&family.lock);
    bool refused = (me->signals.blocked & signal_bit(signal)) != 0 ||
                   process->signals.actions[signal - 1].handler == HANDLER_IGNORE;
    bool orphaned = group_is_orphaned(process->group, NULL);
    int32_t group = process->group, session = process->session;
    spin_unlock(&family.lock, flags);
    if (refused) {
        return signal == SIGTTIN ? -EIO : 0;
    }
    if (orphaned) {
        return -EIO;
    }
    group_signal(group, session, signal);
    return -ERESTART;
}
