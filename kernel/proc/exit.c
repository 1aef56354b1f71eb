// How tasks and processes end.
#include <hal/cpu.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/access.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/jobs.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/sigqueue.h"

#define BURY_TRIES 16u
#define BURY_NS 100000u

// Orphans that have ended, linked by sibling: the thread that buries them sleeps on the semaphore.
static struct {
    struct semaphore count;
    struct list all; // family's lock
} orphans = {.count = {.waiters = {.lock = SPINLOCK_INIT("orphans", RANK_WAIT_QUEUE),
                                   .waiters = {&orphans.count.waiters.waiters, &orphans.count.waiters.waiters}}},
             .all = {&orphans.all, &orphans.all}};

static void bury_later(struct process *process) // with the family's lock
{
    process->parent = NULL;
    process->orphan = true;
    list_remove(&process->sibling);
    list_push_back(&orphans.all, &process->sibling);
    semaphore_up(&orphans.count);
}

void process_bury(struct process *process)
{
    // The last switch of its threads may still be under way on other CPUs: what they held is free when we return.
    for (unsigned tries = 0; load_acquire(&process->threads) > 0; tries++) {
        if (tries < BURY_TRIES) {
            thread_yield();
            cpu_relax();
        } else {
            thread_sleep_until(timer_now() + BURY_NS); // those of lower priority get no turn otherwise
        }
    }
    irqflags_t flags = spin_lock(&family.lock);
    family_remove(process);
    spin_unlock(&family.lock, flags);
    task_uncharge(process->as);
    process_put(process);
}

static void reap(void *argument)
{
    for (;;) {
        semaphore_down(&orphans.count);
        irqflags_t flags = spin_lock(&family.lock);
        struct process *process = list_first(&orphans.all, struct process, sibling);
        list_remove(&process->sibling);
        spin_unlock(&family.lock, flags);
        process_bury(process);
    }
}

int process_start_reaper(void)
{
    struct thread *thread;
    int error = thread_create("reaper", reap, NULL, &thread);
    if (error == 0) {
        thread_detach(thread);
    }
    return error;
}

// --- whom it concerns; all of it with the family's lock ------------------------------------------------------------

#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_STOPPED 5
#define CLD_CONTINUED 6

void process_tell_parent(struct process *process)
{
    struct process *parent = process->parent;
    if (parent == NULL) {
        return;
    }
    int status = process->status, signal = process->ended ? process->exit_signal : SIGCHLD;
    bool killed = (status & 0x7f) != 0;
    struct signal_info info = {.signal = signal, .value = {signal_sender(process->pid, process->as->real_uid)}};
    if (!process->ended) {
        info.code = process->stopped ? CLD_STOPPED : CLD_CONTINUED;
        info.value[1] = process->stopped ? (uint64_t)process->stop_signal : SIGCONT;
    } else {
        info.code = killed ? CLD_KILLED : CLD_EXITED;
        info.value[1] = (uint64_t)(killed ? status & 0x7f : status >> 8 & 0xff);
    }
    condition_signal(&parent->changes);
    bool unwanted = !process->ended && (parent->signals.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP) != 0;
    if (signal != 0 && !unwanted) {
        signal_send_locked(parent, NULL, &info);
    }
}

// The parent has said that it will not ask.
static bool nobody_asks(const struct process *parent, int signal)
{
    const struct signal_action *action = &parent->signals.actions[SIGCHLD - 1];
    return signal == SIGCHLD && (action->handler == HANDLER_IGNORE || (action->flags & SA_NOCLDWAIT) != 0);
}

static void announce_end(struct process *process)
{
    struct process *parent = process->parent;
    process->ended = true;
    oom_ended(process);
    __builtin_memcpy(process->name, thread_current()->name, sizeof(process->name));
    if (parent != NULL) {
        bool alone = nobody_asks(parent, process->exit_signal);
        process_tell_parent(process);
        if (alone) {
            bury_later(process);
        }
    } else if (process->orphan) {
        bury_later(process);
    } else {
        semaphore_up(&process->finished);
    }
}

// Who takes in the children of one that ends: the nearest above that has said so, or that the kernel has started.
static struct process *find_new_parent(const struct process *process)
{
    struct process *at = process->parent;
    while (at != NULL && (at->ended || at->exiting || !(at->subreaper || (at->parent == NULL && !at->orphan)))) {
        at = at->parent;
    }
    return at;
}

static void give_child(struct process *child, struct process *parent)
{
    list_remove(&child->sibling);
    child->parent = parent;
    child->exit_signal = SIGCHLD;
    if (child->death_signal != 0) {
        struct signal_info info = {.signal = child->death_signal, .code = SI_KERNEL};
        signal_send_locked(child, NULL, &info);
    }
    if (parent != NULL) {
        list_push_back(&parent->children, &child->sibling);
        if (child->ended) {
            process_tell_parent(child);
        }
    } else if (child->ended) {
        bury_later(child);
    } else {
        child->orphan = true;
    }
}

// A stopped group that nobody is left to continue is hung up, once parent was the last who could (POSIX, _exit()):
// not one that has been alone all along.
static void hang_up_orphaned(int32_t group, int32_t session, const struct process *parent,
                             const struct process *leaving)
{
    bool stopped = false;
    if (parent == NULL || parent->group == group || parent->session != session) {
        return;
    }
    for (const struct process *at = group_member(group, 0); at != NULL && !stopped;
         at = group_member(group, at->pid + 1)) {
        stopped = at != leaving && at->stopping;
    }
    if (!stopped || !group_is_orphaned(group, leaving)) {
        return;
    }
    for (struct process *at = group_member(group, 0); at != NULL; at = group_member(group, at->pid + 1)) {
        if (at != leaving) {
            signal_send_to_many(at, &(struct signal_info){.signal = SIGHUP, .code = SI_KERNEL}, 0);
            signal_send_to_many(at, &(struct signal_info){.signal = SIGCONT, .code = SI_KERNEL}, 0);
        }
    }
}

static void leave_family_behind(struct process *process)
{
    struct process *heir = find_new_parent(process);
    hang_up_orphaned(process->group, process->session, process->parent, process);
    while (!list_empty(&process->children)) {
        struct process *child = list_first(&process->children, struct process, sibling);
        int32_t group = child->group, session = child->session;
        give_child(child, heir);
        bool more =
            !list_empty(&process->children) && list_first(&process->children, struct process, sibling)->group == group;
        if (!more) { // asked once for those that follow one another
            hang_up_orphaned(group, session, process, process);
        }
    }
}

// --- ends ----------------------------------------------------------------------------------------------------------

static void end_process(struct process *process)
{
    process_timers_end(process);
    irqflags_t flags = spin_lock(&family.lock);
    struct space *space = process->space;
    struct fd_table *files = process->files;
    usage_space_ends(process, space);
    process->space = NULL;
    process->files = NULL;
    spin_unlock(&family.lock, flags);
    process_space_put(space);
    fd_table_put(files);
    process_set_directory(NULL);
    process_set_root(NULL);
    void (*tell)(int32_t session) = READ_ONCE(session_ended);
    if (process->session == process->pid && tell != NULL) {
        tell(process->session);
    }
    flags = spin_lock(&family.lock);
    leave_family_behind(process);
    announce_end(process); // it may be gone from here on
    spin_unlock(&family.lock, flags);
}

// True when it was the last one. Otherwise the process may be gone on return.
static bool leave_process(struct task *task, int status)
{
    struct process *process = task->process;
    irqflags_t flags = spin_lock(&family.lock);
    family_remove_task(task);
    bool clean = signal_queue_forget(&task->signals.own, ~0ul);
    bool last = process->task_count == 0;
    struct fd_table *files = last ? NULL : process->files; // the last task's reference is the process's
    if (last) {
        process->status = process->exiting ? process->status : status;
    } else {
        signals_retarget(process, ~task->signals.blocked);
        process_check_stopped(process);
        condition_signal(&process->changes);
    }
    usage_task_ends(process, task->thread);
    // The last one's charge is the process's, until it is buried.
    if (last) {
        task_recharge(task->thread->as, process->as);
    }
    spin_unlock(&family.lock, flags);
    while (!clean) { // nobody finds the task any more: no more comes
        flags = spin_lock(&family.lock);
        clean = signal_queue_forget(&task->signals.own, ~0ul);
        spin_unlock(&family.lock, flags);
    }
    if (!last) {
        task_uncharge(task->thread->as);
    }
    if (files != NULL) {
        fd_table_put(files);
    }
    return last;
}

void task_exit(int status)
{
    struct task *task = task_current();
    struct thread *me = task->thread;
    futex_task_ends(task);
    process_use_space(me, NULL, NULL);
    if (leave_process(task, status)) {
        end_process(task->process);
    }
    me->task = NULL;
    me->process = NULL;
    WRITE_ONCE(me->watched, NULL);
    credentials_put(me->as);
    me->as = NULL;
    task_free(task);
    thread_detach(me);
    thread_exit(0);
}

void process_exit(int status)
{
    struct process *process = process_current();
    irqflags_t flags = spin_lock(&family.lock);
    process_begin_exit(process, status);
    spin_unlock(&family.lock, flags);
    task_exit(status);
}
