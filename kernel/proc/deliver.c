// What signals do when their task comes by on its way to user space. With a handler: sigframe.c.
#include <hal/irq.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/sigframe.h"
#include "kernel/proc/sigqueue.h"
#include "kernel/sched/policy.h"

// --- masks ---------------------------------------------------------------------------------------------------------

void signals_set_mask(uint64_t mask)
{
    struct task *task = task_current();
    mask &= ~UNBLOCKABLE;
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t newly_blocked = mask & ~task->signals.blocked;
    task->signals.blocked = mask;
    if ((task->process->signals.shared.pending & newly_blocked) != 0) {
        signals_retarget(task->process, newly_blocked); // we were to look at them
    }
    WRITE_ONCE(task->thread->interrupted, task_has_work(task));
    spin_unlock(&family.lock, flags);
}

void signals_mask_for_now(uint64_t mask)
{
    struct task *task = task_current();
    task->signals.saved = task->signals.blocked;
    task->signals.restore = true;
    signals_set_mask(mask);
}

void signals_mask_back(void)
{
    struct task *task = task_current();
    task->signals.restore = false;
    signals_set_mask(task->signals.saved);
}

uint64_t signals_pending(void)
{
    struct task *task = task_current();
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t pending = task->signals.own.pending | task->process->signals.shared.pending;
    spin_unlock(&family.lock, flags);
    return pending;
}

// --- waiting -------------------------------------------------------------------------------------------------------

// With the family's lock.
static int take_locked(struct task *task, uint64_t set, struct signal_info *info)
{
    struct signals *signals = &task->process->signals;
    int signal = signal_queue_take(&task->signals.own, set, info);
    return signal != 0 ? signal : signal_queue_take(&signals->shared, set, info);
}

int signal_take(uint64_t set, struct signal_info *info)
{
    struct task *task = task_current();
    irqflags_t flags = spin_lock(&family.lock);
    int signal = take_locked(task, set & ~UNBLOCKABLE, info);
    spin_unlock(&family.lock, flags);
    if (signal > 0) {
        process_timers_taken(info);
    }
    return signal;
}

int signal_wait(uint64_t set, uint64_t deadline_ns, struct signal_info *info)
{
    struct task *task = task_current();
    struct wait_queue nobody_wakes;
    wait_queue_init(&nobody_wakes, "sigwait");
    int result = 0;
    bool late = false;
    while (result == 0) {
        irqflags_t flags = spin_lock(&family.lock);
        task->signals.waited = set & ~UNBLOCKABLE;
        result = take_locked(task, task->signals.waited, info);
        if (result == 0 && task_has_work(task)) {
            result = -EINTR;
        } else if (result == 0 && late) {
            result = -EAGAIN;
        }
        WRITE_ONCE(task->thread->interrupted, false);
        spin_unlock(&family.lock, flags);
        if (result == 0) {
            flags = spin_lock(&nobody_wakes.lock);
            late = wait_queue_sleep_interruptible(&nobody_wakes, &flags, deadline_ns) == -ETIMEDOUT;
            spin_unlock(&nobody_wakes.lock, flags);
        }
    }
    task->signals.waited = 0;
    task_note_work(task);
    if (result > 0) {
        process_timers_taken(info);
    }
    return result;
}

// All tasks of its process end, or all but one that runs another program: nothing else may hold it up. With the
// family's lock, or as a hint.
static bool is_to_end(const struct task *task)
{
    const struct process *process = task->process;
    const struct task *survivor = READ_ONCE(process->survivor);
    return READ_ONCE(process->exiting) || (survivor != NULL && survivor != task);
}

int task_wait_killable(struct condition *condition, uint32_t seen)
{
    struct task *task = task_current();
    int error;
    do {
        irqflags_t flags = spin_lock(&family.lock);
        bool killed = is_to_end(task);
        WRITE_ONCE(task->thread->interrupted, killed);
        task->deaf = true;
        spin_unlock(&family.lock, flags);
        error = killed ? -EINTR : condition_wait_after(condition, seen, UINT64_MAX);
    } while (error != 0 && !is_to_end(task));
    irqflags_t flags = spin_lock(&family.lock);
    task->deaf = false;
    spin_unlock(&family.lock, flags);
    task_note_work(task);
    return error;
}

// --- stops ---------------------------------------------------------------------------------------------------------

static bool may_go_on(const struct task *task)
{
    const struct process *process = task->process;
    return !process->stopping || is_to_end(task);
}

// With the family's lock: the last one to park tells the parent.
void process_check_stopped(struct process *process)
{
    uint32_t parked = 0;
    list_for_each(at, &process->tasks)
    {
        parked += container_of(at, struct task, sibling)->parked;
    }
    if (process->stopping && !process->stopped && parked == process->task_count) {
        process->stopped = true;
        process->stop_told = false;
        process_tell_parent(process);
    }
}

// Sleeps for as long as the process is stopped.
static void park(struct task *task)
{
    struct wait_queue nobody_wakes;
    wait_queue_init(&nobody_wakes, "stopped");
    for (;;) {
        irqflags_t flags = spin_lock(&family.lock);
        bool go = may_go_on(task);
        task->parked = !go;
        WRITE_ONCE(task->thread->interrupted, go); // whatever came waits, unless it ended the stop
        if (!go) {
            process_check_stopped(task->process);
        }
        spin_unlock(&family.lock, flags);
        if (go) {
            return;
        }
        flags = spin_lock(&nobody_wakes.lock);
        int error = wait_queue_sleep_interruptible(&nobody_wakes, &flags, UINT64_MAX);
        (void)error; // there is but one way out
        spin_unlock(&nobody_wakes.lock, flags);
    }
}

static void stop(struct process *process, int signal)
{
    irqflags_t flags = spin_lock(&family.lock);
    if (signal == SIGSTOP || !group_is_orphaned(process->group, NULL)) { // nobody would wake it up again
        process_stop(process, signal);
    }
    spin_unlock(&family.lock, flags);
}

// --- delivery ------------------------------------------------------------------------------------------------------

enum duty { DUTY_NONE, DUTY_EXIT, DUTY_PARK, DUTY_SIGNAL };

// What the task has to do now. DUTY_SIGNAL: with the signal that is due, and what to do about it.
static enum duty next_duty(struct task *task, struct signal_info *info, struct signal_action *action)
{
    struct process *process = task->process;
    enum duty duty = DUTY_NONE;
    irqflags_t flags = spin_lock(&family.lock);
    if (is_to_end(task)) {
        duty = DUTY_EXIT;
    } else if (process->stopping) {
        duty = DUTY_PARK;
    } else if (take_locked(task, ~(task->signals.blocked & ~UNBLOCKABLE), info) != 0) {
        struct signal_action *now = &process->signals.actions[info->signal - 1];
        duty = DUTY_SIGNAL;
        *action = *now;
        if ((now->flags & SA_RESETHAND) != 0 && now->handler > HANDLER_IGNORE) {
            now->handler = HANDLER_DEFAULT;
        }
    } else {
        WRITE_ONCE(task->thread->interrupted, false); // what comes from here on sets it again
    }
    spin_unlock(&family.lock, flags);
    if (duty == DUTY_SIGNAL) {
        process_timers_taken(info);
    }
    return duty;
}

static void run_default(struct process *process, int signal)
{
    if ((signal_bit(signal) & IGNORED) != 0 || process->shielded) {
        return;
    }
    if ((signal_bit(signal) & STOPPING) != 0) {
        stop(process, signal);
        return;
    }
    process_exit(signal); // there are no core files
}

// How the call that the signal came into ends: made again, or with -EINTR.
static void finish_call(struct task *task, struct user_regs *regs, const struct signal_action *action)
{
    bool again = action == NULL || task->restart == ERESTART_NOINTR ||
                 (task->restart == ERESTART && (action->flags & SA_RESTART) != 0);
    if (task->restart != 0 && again) {
        user_regs_restart(regs, task->first_argument);
        task->again = action == NULL; // a handler's calls are its own
    } else if (task->restart != 0) {
        user_regs_set_result(regs, -EINTR);
    } else if (task->again && action != NULL) { // it has come between the end of the call and its repetition
        if (task->deadline_ns != 0) {
            user_regs_skip_restart(regs, -EINTR); // nobody would know how much of its time is left
        }
        task->again = false;
    }
    task->restart = 0;
}

static void run_handler(struct task *task, struct user_regs *regs, const struct signal_info *info,
                        const struct signal_action *action)
{
    struct task_signals *signals = &task->signals;
    uint64_t mask = signals->restore ? signals->saved : signals->blocked;
    signals->restore = false;
    if (sigframe_push(task, regs, info, action, mask) != 0) {
        process_exit(SIGSEGV); // no room for the frame
    }
    uint64_t self = (action->flags & SA_NODEFER) != 0 ? 0 : signal_bit(info->signal);
    signals_set_mask(signals->blocked | action->mask | self);
}

static void deliver(struct task *task, struct user_regs *regs, const struct signal_info *info,
                    const struct signal_action *action)
{
    if (action->handler == HANDLER_IGNORE) {
        return;
    }
    if (action->handler == HANDLER_DEFAULT) {
        run_default(task->process, info->signal);
        return;
    }
    finish_call(task, regs, action);
    run_handler(task, regs, info, action);
}

static void work_off(struct task *task, struct user_regs *regs)
{
    thread_settle();
    if (task->thread->tick_due) {
        WRITE_ONCE(task->thread->tick_due, false);
        process_timers_tick();
    }
    struct signal_info info;
    struct signal_action action;
    enum duty duty;
    while ((duty = next_duty(task, &info, &action)) != DUTY_NONE) {
        if (duty == DUTY_EXIT) {
            task_exit(0);
        } else if (duty == DUTY_PARK) {
            park(task);
        } else {
            deliver(task, regs, &info, &action);
        }
    }
    finish_call(task, regs, NULL);
    if (task->signals.restore) { // sigsuspend(2) ended without a handler
        signals_mask_back();
    }
}

void kernel_user_return(struct user_regs *regs)
{
    struct thread *me = thread_current();
    while (unlikely(READ_ONCE(me->interrupted) || READ_ONCE(me->tick_due))) {
        irq_enable();
        work_off(me->task, regs);
        irq_disable();
    }
    if (FAULTLINE_CHECKS && unlikely(me->mutexes != 0 || this_cpu()->lock_depth != 0)) {
        panic("thread %u returns to user space with %u mutexes and %u spinlocks held", me->id, me->mutexes,
              this_cpu()->lock_depth);
    }
}
