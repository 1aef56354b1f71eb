#include "kernel/proc/jobs.h"

#include "kernel/proc/process_internal.h"

#define HANDLER_IGNORE 1ul

void (*session_ended)(int32_t session);

#define SENDS_AT_ONCE 16u

void group_signal(int32_t group, int32_t session, int signal)
{
    const struct signal_info info = {.signal = signal, .code = SI_KERNEL};
    const uint64_t walk = signal_begin_walk();
    int32_t from = 0;
    for (bool more = group > 0; more;) {
        irqflags_t flags = spin_lock(&family.lock);
        for (unsigned sends = 0; more && sends < SENDS_AT_ONCE; sends++) {
            struct process *process = group_member(group, from);
            more = process != NULL && process->session == session;
            if (more) {
                from = process->pid + 1;
                if (process->told_by != walk) {
                    signal_send_to_many(process, &info, walk);
                }
            }
        }
        spin_unlock(&family.lock, flags);
    }
}

// All of a group are of one session.
bool group_in_session_locked(int32_t group, int32_t session)
{
    const struct process *process = group_member(group, 0);
    return process != NULL && process->session == session;
}

bool group_in_session(int32_t group, int32_t session)
{
    irqflags_t flags = spin_lock(&family.lock);
    bool found = group_in_session_locked(group, session);
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
