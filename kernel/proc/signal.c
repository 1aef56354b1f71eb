// Who gets which signal, and what it does without a handler. With one: sigframe.c.
#include "kernel/proc/signal.h"

#include <hal/irq.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigframe.h"
#include "kernel/sched/sched.h"

#define HANDLER_DEFAULT 0ul
#define HANDLER_IGNORE 1ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul
#define CODE_USER 0      // SI_USER
#define CODE_KERNEL 0x80 // SI_KERNEL

#define STOPPING (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))
#define IGNORED (signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH))
#define UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))

void signals_init(struct signals *signals)
{
    *signals = (struct signals){.stack_flags = 2}; // SS_DISABLE
}

void signals_exec(struct signals *signals)
{
    for (int i = 0; i < SIGNAL_MAX; i++) {
        if (signals->actions[i].handler != HANDLER_IGNORE) {
            signals->actions[i] = (struct signal_action){0};
        }
    }
    signals->stack_flags = 2;
}

static bool ignored(const struct signals *signals, int signal)
{
    uint64_t handler = signals->actions[signal - 1].handler;
    return handler == HANDLER_IGNORE || (handler == HANDLER_DEFAULT && (signal_bit(signal) & IGNORED) != 0);
}

// With the family's lock.
void signal_send_locked(struct process *process, const struct signal_info *info)
{
    struct signals *signals = &process->signals;
    uint64_t bit = signal_bit(info->signal);
    if (process->ended) {
        return;
    }
    if (info->signal == SIGCONT || info->signal == SIGKILL) {
        signals->pending &= ~STOPPING;
        if (signals->stopped) {
            signals->stopped = false;
            process->continued = true;
            process_tell_parent(process);
        }
    } else if ((bit & STOPPING) != 0) {
        signals->pending &= ~signal_bit(SIGCONT);
    }
    bool lost = ignored(signals, info->signal) && (signals->blocked & bit) == 0;
    if (!lost && (signals->pending & bit) == 0) {
        signals->pending |= bit;
        signals->infos[info->signal - 1] = *info;
    }
    if (process->thread != NULL) {
        sched_interrupt(process->thread);
    }
}

void signal_send(struct process *process, const struct signal_info *info)
{
    irqflags_t flags = spin_lock(&family.lock);
    signal_send_locked(process, info);
    spin_unlock(&family.lock, flags);
}

void signal_force(const struct signal_info *info)
{
    struct process *process = process_current();
    struct signals *signals = &process->signals;
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t bit = signal_bit(info->signal);
    if ((signals->blocked & bit) != 0 || signals->actions[info->signal - 1].handler == HANDLER_IGNORE) {
        signals->actions[info->signal - 1].handler = HANDLER_DEFAULT;
        signals->blocked &= ~bit;
    }
    signal_send_locked(process, info);
    spin_unlock(&family.lock, flags);
}

static bool may_send(const struct process *from, const struct process *to)
{
    return from == NULL || from->as.uid == 0 || from->as.uid == to->as.uid;
}

// To those that matches() says: -ESRCH: nobody, -EPERM: nobody that we may.
static int send_matching(bool (*matches)(const struct process *process, int32_t wanted), int32_t wanted, int signal)
{
    const struct process *from = process_current();
    struct signal_info info = {.signal = signal,
                               .code = from != NULL ? CODE_USER : CODE_KERNEL,
                               .value = {from != NULL ? (uint32_t)from->pid : 0, from != NULL ? from->as.uid : 0}};
    int error = -ESRCH;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        struct process *process = container_of(at, struct process, all);
        if (!matches(process, wanted)) {
            continue;
        }
        if (!may_send(from, process)) {
            error = error == -ESRCH ? -EPERM : error;
            continue;
        }
        error = 0;
        if (signal != 0) {
            signal_send_locked(process, &info);
        }
    }
    spin_unlock(&family.lock, flags);
    return error;
}

static bool is_in_group(const struct process *process, int32_t group)
{
    return process->group == group;
}

static bool has_pid(const struct process *process, int32_t pid)
{
    return process->pid == pid;
}

static bool is_anybody_else(const struct process *process, int32_t unused)
{
    return process->pid > 1 && process != process_current();
}

int signal_send_group(int32_t group, int signal)
{
    return send_matching(is_in_group, group, signal);
}

int signal_send_pid(int32_t pid, int signal)
{
    if (pid == -1) {
        return send_matching(is_anybody_else, 0, signal);
    }
    if (pid <= 0) {
        return signal_send_group(pid == 0 ? process_current()->group : -pid, signal);
    }
    return send_matching(has_pid, pid, signal);
}

static uint64_t deliverable(const struct signals *signals)
{
    return signals->pending & ~(signals->blocked & ~UNBLOCKABLE);
}

bool signals_waiting(void)
{
    return deliverable(&process_current()->signals) != 0;
}

void signals_set_mask(struct process *process, uint64_t mask)
{
    irqflags_t flags = spin_lock(&family.lock);
    process->signals.blocked = mask & ~UNBLOCKABLE;
    spin_unlock(&family.lock, flags);
    WRITE_ONCE(process->thread->interrupted, signals_waiting());
}

void signals_mask_for_now(struct process *process, uint64_t mask)
{
    process->signals.saved = process->signals.blocked;
    process->signals.restore = true;
    signals_set_mask(process, mask);
}

void signals_mask_back(struct process *process)
{
    process->signals.restore = false;
    signals_set_mask(process, process->signals.saved);
}

// --- delivery ------------------------------------------------------------------------------------------------------

// Sleeps until it may go on.
static void stop(struct process *process, int signal)
{
    irqflags_t flags = spin_lock(&family.lock);
    process->signals.stopped = true;
    process->stop_signal = signal;
    process->stop_told = false;
    process_tell_parent(process);
    spin_unlock(&family.lock, flags);
    while (READ_ONCE(process->signals.stopped)) {
        process_pause();
        WRITE_ONCE(process->thread->interrupted, false); // whatever came waits, unless it ended the stop
    }
}

// The lowest that may be delivered now, and what to do about it. 0: none.
static int take(struct process *process, struct signal_info *info, struct signal_action *action)
{
    struct signals *signals = &process->signals;
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t ready = deliverable(signals);
    int signal = 0;
    if (ready != 0) {
        signal = __builtin_ctzll((ready & signal_bit(SIGKILL)) != 0 ? signal_bit(SIGKILL) : ready) + 1;
        signals->pending &= ~signal_bit(signal);
        *info = signals->infos[signal - 1];
        *action = signals->actions[signal - 1];
        if ((action->flags & SA_RESETHAND) != 0 && action->handler > HANDLER_IGNORE) {
            signals->actions[signal - 1].handler = HANDLER_DEFAULT;
        }
    }
    spin_unlock(&family.lock, flags);
    return signal;
}

static void run_default(struct process *process, int signal)
{
    if ((signal_bit(signal) & IGNORED) != 0) {
        return;
    }
    if ((signal_bit(signal) & STOPPING) != 0) {
        stop(process, signal);
        return;
    }
    process_exit(signal); // there are no core files
}

// How the call that the signal came into ends: made again, or with -EINTR.
static void finish_call(struct process *process, struct user_regs *regs, const struct signal_action *action)
{
    if (!process->restart) {
        return;
    }
    process->restart = false;
    if (action == NULL || (action->flags & SA_RESTART) != 0) {
        user_regs_restart(regs, process->first_argument);
    } else {
        user_regs_set_result(regs, -EINTR);
    }
}

static void run_handler(struct process *process, struct user_regs *regs, const struct signal_info *info,
                        const struct signal_action *action)
{
    struct signals *signals = &process->signals;
    uint64_t mask = signals->restore ? signals->saved : signals->blocked;
    signals->restore = false;
    if (sigframe_push(process, regs, info, action, mask) != 0) {
        process_exit(SIGSEGV); // no room for the frame
    }
    irqflags_t flags = spin_lock(&family.lock);
    signals->blocked |= action->mask | ((action->flags & SA_NODEFER) != 0 ? 0 : signal_bit(info->signal));
    signals->blocked &= ~UNBLOCKABLE;
    spin_unlock(&family.lock, flags);
}

void signals_deliver(struct process *process, struct user_regs *regs)
{
    struct signal_info info;
    struct signal_action action;
    int signal;
    while ((signal = take(process, &info, &action)) != 0) {
        if (action.handler == HANDLER_IGNORE) {
            continue;
        }
        if (action.handler != HANDLER_DEFAULT && signal != SIGKILL && signal != SIGSTOP) {
            finish_call(process, regs, &action);
            run_handler(process, regs, &info, &action);
        } else {
            run_default(process, signal);
        }
    }
    finish_call(process, regs, NULL);
    if (process->signals.restore) { // sigsuspend(2) ended without a handler
        signals_mask_back(process);
    }
}

void kernel_user_return(struct user_regs *regs)
{
    struct thread *me = thread_current();
    while (unlikely(READ_ONCE(me->interrupted))) {
        WRITE_ONCE(me->interrupted, false); // what comes from here on sets it again
        irq_enable();
        signals_deliver(me->process, regs);
        irq_disable();
    }
}
