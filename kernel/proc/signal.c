// Who gets which signal. What it does there: deliver.c.
#include "kernel/proc/signal.h"

#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/access.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/sigqueue.h"
#include "kernel/sched/sched.h"

void signals_init(struct process *process)
{
    signal_queue_init(&process->signals.shared);
}

void signals_exec(struct process *process, struct task *task)
{
    irqflags_t flags = spin_lock(&family.lock);
    for (int i = 0; i < SIGNAL_MAX; i++) {
        if (process->signals.actions[i].handler != HANDLER_IGNORE) {
            process->signals.actions[i] = (struct signal_action){0};
        }
    }
    task->signals.stack = task->signals.stack_size = 0;
    task->signals.stack_flags = SS_DISABLE;
    spin_unlock(&family.lock, flags);
}

static bool is_ignored(const struct signals *signals, int signal)
{
    uint64_t handler = signals->actions[signal - 1].handler;
    return handler == HANDLER_IGNORE || (handler == HANDLER_DEFAULT && (signal_bit(signal) & IGNORED) != 0);
}

// --- who is to look ------------------------------------------------------------------------------------------------

static uint64_t wanted_by(const struct task *task)
{
    return ~(task->signals.blocked & ~UNBLOCKABLE) | task->signals.waited;
}

static void wake(struct task *task)
{
    if (task->thread != NULL) {
        sched_interrupt(task->thread);
    }
}

static void wake_all(struct process *process)
{
    list_for_each(at, &process->tasks) // NOLINT(clang-analyzer-core.NullDereference): a list is a ring
    {
        wake(container_of(at, struct task, sibling));
    }
}

// One that would take a signal of set, or NULL: the current one, if it would; one that cannot hear only if there is no
// other.
static struct task *taker(struct process *process, uint64_t set)
{
    struct task *current = this_cpu()->interrupt_depth == 0 ? task_current() : NULL;
    bool stays = current != NULL && current->process == process && !list_empty(&current->sibling); // it does not end
    if (stays && (wanted_by(current) & set) != 0) {
        return current;
    }
    struct task *deaf = NULL;
    list_for_each(at, &process->tasks)
    {
        struct task *task = container_of(at, struct task, sibling);
        if ((wanted_by(task) & set) != 0) {
            if (!task->deaf) {
                return task;
            }
            deaf = deaf != NULL ? deaf : task;
        }
    }
    return deaf;
}

static void wake_one_of(struct process *process, uint64_t set)
{
    struct task *task = taker(process, set);
    if (task != NULL) {
        wake(task);
    }
}

void signals_retarget(struct process *process, uint64_t set)
{
    for (uint64_t left = process->signals.shared.pending & set; left != 0; left &= left - 1) {
        wake_one_of(process, left & -left);
    }
}

static uint64_t due(const struct task *task)
{
    uint64_t pending = task->signals.own.pending | task->process->signals.shared.pending;
    return pending & ~(task->signals.blocked & ~UNBLOCKABLE);
}

bool task_has_work(const struct task *task)
{
    const struct process *process = task->process;
    return due(task) != 0 || process->exiting || process->stopping ||
           (process->survivor != NULL && process->survivor != task);
}

void task_note_work(struct task *task)
{
    irqflags_t flags = spin_lock(&family.lock);
    WRITE_ONCE(task->thread->interrupted, task_has_work(task)); // whoever sets it holds the lock
    spin_unlock(&family.lock, flags);
}

// --- what befalls the whole process --------------------------------------------------------------------------------

static void kill_all(struct process *process, const struct task *but)
{
    list_for_each(at, &process->tasks) // NOLINT(clang-analyzer-core.NullDereference): a list is a ring
    {
        struct task *task = container_of(at, struct task, sibling);
        if (task != but && task->thread != NULL) {
            WRITE_ONCE(task->thread->killed, true);
            wake(task);
        }
    }
}

void process_end_tasks(struct process *process)
{
    kill_all(process, process->survivor);
}

void process_begin_exit(struct process *process, int status)
{
    if (!process->exiting) {
        WRITE_ONCE(process->exiting, true); // the lock to set, not to look
        process->status = status;
        kill_all(process, NULL);
    }
}

void process_stop(struct process *process, int signal)
{
    process->stopping = true;
    process->stop_signal = signal;
    wake_all(process);
}

void process_continue(struct process *process)
{
    if (process->stopping) {
        process->stopping = false;
        if (process->stopped) {
            process->stopped = false;
            process->continued = true;
            process_tell_parent(process);
        }
        wake_all(process);
    }
}

// --- sending -------------------------------------------------------------------------------------------------------

// False: not all of it; see signal_queue_forget().
static bool forget_everywhere(struct process *process, uint64_t set)
{
    struct signals *signals = &process->signals;
    if (!signal_queue_forget(&signals->shared, set)) {
        return false;
    }
    if ((signals->directed & set) == 0) {
        return true;
    }
    list_for_each(at, &process->tasks)
    {
        struct task *task = container_of(at, struct task, sibling);
        if (!signal_queue_forget(&task->signals.own, set)) {
            return false;
        }
    }
    signals->directed &= ~set;
    return true;
}

// Of signals that stop or continue: of those only timers queue more than one.
static void forget_opposite(struct process *process, uint64_t set)
{
    while (!forget_everywhere(process, set)) {
    }
}

// Some task of those that may take it has it blocked: by the time it is not there may be a handler.
static bool is_blocked(const struct process *process, const struct task *only, int signal)
{
    list_for_each(at, &process->tasks)
    {
        const struct task *task = container_of(at, struct task, sibling);
        if ((only == NULL || task == only) && (task->signals.blocked & ~UNBLOCKABLE & signal_bit(signal)) != 0) {
            return true;
        }
    }
    return false;
}

// Signals that stop and the one that continues undo each other. False: it need not be queued.
static bool take_effect(struct process *process, const struct task *only, const struct signal_info *info)
{
    int signal = info->signal;
    if (process->ended || process->task_count == 0) {
        return false;
    }
    bool sent = info->code == SI_USER || info->code == SI_TKILL || info->code == SI_QUEUE;
    bool own = sent && this_cpu()->interrupt_depth == 0 && process == process_current();
    if (own && process->shielded && (signal_bit(signal) & IGNORED) == 0) {
        process->shielded = false; // it ends itself
    }
    bool shielded = process->shielded && process->signals.actions[signal - 1].handler == HANDLER_DEFAULT;
    if (shielded && signal != SIGCONT && !is_blocked(process, only, signal)) {
        return false;
    }
    if (signal == SIGKILL) {
        process_continue(process);
        process_begin_exit(process, SIGKILL);
        return false;
    }
    if (signal == SIGCONT) {
        forget_opposite(process, STOPPING);
        process_continue(process);
    } else if ((signal_bit(signal) & STOPPING) != 0) {
        forget_opposite(process, signal_bit(SIGCONT));
    }
    return !is_ignored(&process->signals, signal) || is_blocked(process, only, signal);
}

// Where the signal is to wait.
static struct signal_queue *queue_for(struct process *process, struct task *only, int signal)
{
    if (only == NULL) {
        return &process->signals.shared;
    }
    process->signals.directed |= signal_bit(signal);
    return &only->signals.own;
}

// One more that waits in line, on the account of who is to take it. -EAGAIN.
static int record_make(const struct process *process, const struct task *only, const struct signal_info *info,
                       struct signal_record **out)
{
    void *memory;
    const struct credentials *as = only != NULL ? only->thread->as : process->as;
    if (this_cpu()->interrupt_depth > 0 ||
        !account_charge(as->account, CHARGE_SIGNALS, 1, process_limit(process, RLIMIT_SIGPENDING))) {
        return -EAGAIN;
    }
    if (kmalloc(sizeof(struct signal_record), &memory) != 0) {
        account_uncharge(as->account, CHARGE_SIGNALS, 1);
        return -EAGAIN;
    }
    *out = memory;
    **out = (struct signal_record){.info = *info, .account = account_get(as->account)};
    return 0;
}

static int add(struct process *process, struct task *only, const struct signal_info *info)
{
    struct signal_queue *queue = queue_for(process, only, info->signal);
    struct signal_record *record;
    if (info->signal < SIGRTMIN) {
        signal_queue_add_single(queue, info);
        return 0;
    }
    int error = record_make(process, only, info, &record);
    if (error == 0) {
        signal_queue_add_record(queue, record);
    }
    return error;
}

// Whoever takes it, nobody hears of it: the process ends by it, and need not wait until somebody looks.
static bool only_ends(const struct process *process, const struct task *task, int signal)
{
    return process->signals.actions[signal - 1].handler == HANDLER_DEFAULT && !process->stopping &&
           !process->shielded &&
           (signal_bit(signal) & (IGNORED | STOPPING | task->signals.waited | task->signals.blocked)) == 0;
}

static void wake_for(struct process *process, struct task *only, int signal)
{
    uint64_t bit = signal_bit(signal);
    struct task *task = only == NULL ? taker(process, bit) : (wanted_by(only) & bit) != 0 ? only : NULL;
    condition_signal(&process->arrivals);
    if (task != NULL && only_ends(process, task, signal)) {
        process_begin_exit(process, signal);
    } else if (task != NULL) {
        wake(task);
    }
}

void signal_send_locked(struct process *process, struct task *only, const struct signal_info *info)
{
    if (take_effect(process, only, info)) {
        if (add(process, only, info) != 0) {
            signal_queue_add_single(queue_for(process, only, info->signal), info);
        }
        wake_for(process, only, info->signal);
    }
}

void signal_send_to_many(struct process *process, const struct signal_info *info, uint64_t walk)
{
    uint64_t bit = signal_bit(info->signal);
    uint64_t undone = info->signal == SIGCONT ? STOPPING : (bit & STOPPING) != 0 ? signal_bit(SIGCONT) : 0;
    list_for_each(at, &process->births)
    {
        struct birth *birth = container_of(at, struct birth, link);
        birth->signals = (birth->signals & ~undone) | bit;
        birth->walk = walk;
    }
    signal_send_locked(process, NULL, info);
}

void signal_send(struct process *process, const struct signal_info *info)
{
    irqflags_t flags = spin_lock(&family.lock);
    signal_send_locked(process, NULL, info);
    spin_unlock(&family.lock, flags);
}

void signal_send_task(struct task *task, const struct signal_info *info)
{
    irqflags_t flags = spin_lock(&family.lock);
    signal_send_locked(task->process, task, info);
    spin_unlock(&family.lock, flags);
}

static int find_task_of(struct process *process, int32_t tid, struct task **out)
{
    *out = tid != 0 ? family_find_task(tid) : NULL;
    return tid == 0 || (*out != NULL && (*out)->process == process) ? 0 : -ESRCH;
}

int signal_queue_send(struct process *process, int32_t tid, const struct signal_info *info)
{
    struct task *only;
    irqflags_t flags = spin_lock(&family.lock);
    int error = find_task_of(process, tid, &only);
    error = error != 0 ? error : process_may_signal(process, only, info->signal);
    if (error == 0 && info->signal != 0 && take_effect(process, only, info)) {
        error = add(process, only, info);
        if (error == 0) {
            wake_for(process, only, info->signal);
        }
    }
    spin_unlock(&family.lock, flags);
    return error;
}

void signal_send_record(struct process *process, int32_t tid, struct signal_record *record,
                        const struct signal_info *info)
{
    struct task *only;
    irqflags_t flags = spin_lock(&family.lock);
    if (record->queue == NULL && find_task_of(process, tid, &only) == 0 && take_effect(process, only, info)) {
        record->info = *info;
        signal_queue_add_record(queue_for(process, only, info->signal), record);
        wake_for(process, only, info->signal);
    }
    spin_unlock(&family.lock, flags);
}

void signal_cancel_record(struct process *process, struct signal_record *record)
{
    irqflags_t flags = spin_lock(&family.lock);
    if (record->queue != NULL) {
        signal_queue_cancel(record);
    }
    spin_unlock(&family.lock, flags);
}

bool signal_is_handled(int signal)
{
    const struct task *task = task_current();
    irqflags_t flags = spin_lock(&family.lock);
    bool handled = task->process->signals.actions[signal - 1].handler > HANDLER_IGNORE &&
                   (task->signals.blocked & signal_bit(signal)) == 0;
    spin_unlock(&family.lock, flags);
    return handled;
}

void signal_force(const struct signal_info *info)
{
    struct task *task = task_current();
    struct signal_action *action = &task->process->signals.actions[info->signal - 1];
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t bit = signal_bit(info->signal);
    if ((task->signals.blocked & bit) != 0 || action->handler == HANDLER_IGNORE) {
        action->handler = HANDLER_DEFAULT;
        task->signals.blocked &= ~bit;
    }
    if (action->handler == HANDLER_DEFAULT) {
        task->process->shielded = false; // it cannot go on
    }
    signal_send_locked(task->process, task, info);
    spin_unlock(&family.lock, flags);
}

// --- by number -----------------------------------------------------------------------------------------------------

static struct signal_info info_of_sender(int signal)
{
    const struct process *from = process_current();
    uint64_t sender = from != NULL ? signal_sender(from->pid, credentials_current()->real_uid) : 0;
    return (struct signal_info){.signal = signal, .code = from != NULL ? SI_USER : SI_KERNEL, .value = {sender}};
}

#define SENDS_AT_ONCE 16u

uint64_t signal_begin_walk(void)
{
    static uint64_t walks; // so far
    return atomic_add(&walks, 1) + 1;
}

// To those that next() names, from the lowest number on: -ESRCH: nobody, -EPERM: nobody that we may. The lock is given
// up now and then; what is born meanwhile has a higher number, and gets it, too: here, unless it was told at its birth.
static int send_each(struct process *(*next)(int32_t of, int32_t from), int32_t of, int signal)
{
    struct signal_info info = info_of_sender(signal);
    int result = -ESRCH;
    int32_t from = 0;
    const uint64_t walk = signal_begin_walk();
    for (bool more = true; more && !thread_killed();) {
        irqflags_t flags = spin_lock(&family.lock);
        for (unsigned sends = 0; more && sends < SENDS_AT_ONCE; sends++) {
            struct process *process = next(of, from);
            more = process != NULL;
            if (more) {
                from = process->pid + 1;
                if (process->told_by == walk) {
                    continue;
                }
                int error = process_may_signal(process, NULL, signal);
                if (error == 0 && signal != 0) {
                    signal_send_to_many(process, &info, walk);
                }
                result = error == 0 ? 0 : result == -ESRCH ? error : result;
            }
        }
        spin_unlock(&family.lock, flags);
    }
    return result;
}

static struct process *next_of_all(int32_t unused, int32_t from)
{
    struct process *process = family_next(from < 2 ? 2 : from);
    return process != NULL && process == process_current() ? family_next(process->pid + 1) : process;
}

// Any task's number will do, as on Linux.
static int send_to_id(int32_t id, int signal)
{
    struct signal_info info = info_of_sender(signal);
    irqflags_t flags = spin_lock(&family.lock);
    struct process *process = family_find_any(id);
    int error = process != NULL ? process_may_signal(process, NULL, signal) : -ESRCH;
    if (error == 0 && signal != 0) {
        signal_send_locked(process, NULL, &info);
    }
    spin_unlock(&family.lock, flags);
    return error;
}

int signal_send_group(int32_t group, int signal)
{
    return send_each(group_member, group, signal);
}

int signal_send_pid(int32_t pid, int signal)
{
    if (pid == -1) {
        return send_each(next_of_all, 0, signal);
    }
    if (pid == INT32_MIN) {
        return -ESRCH; // its group would have no number
    }
    if (pid <= 0) {
        return signal_send_group(pid == 0 ? process_current()->group : -pid, signal);
    }
    return send_to_id(pid, signal);
}

int signal_send_tid(int32_t pid, int32_t tid, const struct signal_info *info)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct task *task = family_find_task(tid);
    int error = task == NULL || (pid != 0 && task->process->pid != pid) ? -ESRCH : 0;
    error = error != 0 ? error : process_may_signal(task->process, task, info->signal);
    if (error == 0 && info->signal != 0) {
        signal_send_locked(task->process, task, info);
    }
    spin_unlock(&family.lock, flags);
    return error;
}

void signal_set_action(int signal, const struct signal_action *action, struct signal_action *old)
{
    struct process *process = process_current();
    struct signals *signals = &process->signals;
    irqflags_t flags = spin_lock(&family.lock);
    *old = signals->actions[signal - 1];
    bool ignored = is_ignored(signals, signal), now_ignored = ignored;
    if (action != NULL) {
        signals->actions[signal - 1] = *action;
        signals->actions[signal - 1].mask &= ~UNBLOCKABLE;
        now_ignored = is_ignored(signals, signal);
    }
    bool done = action == NULL || !now_ignored || forget_everywhere(process, signal_bit(signal));
    spin_unlock(&family.lock, flags);
    while (!done) { // a long queue goes in parts; what another thread has sent it back to is not forgotten
        flags = spin_lock(&family.lock);
        done = !is_ignored(signals, signal) || forget_everywhere(process, signal_bit(signal));
        spin_unlock(&family.lock, flags);
    }
    if (ignored && !now_ignored) {
        process_timers_heard(signal);
    }
}
