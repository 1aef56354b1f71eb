// clone(2): threads, and copies of processes.
#include <hal/irq.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/access.h"
#include "kernel/proc/make.h"
#include "kernel/sched/policy.h"

#define CLONE_VM 0x100u
#define CLONE_FS 0x200u
#define CLONE_FILES 0x400u
#define CLONE_SIGHAND 0x800u
#define CLONE_PTRACE 0x2000u
#define CLONE_VFORK 0x4000u
#define CLONE_THREAD 0x10000u
#define CLONE_SYSVSEM 0x40000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_DETACHED 0x400000u
#define CLONE_UNTRACED 0x800000u
#define CLONE_CHILD_SETTID 0x1000000u
#define CLONE_IO 0x80000000u
// These say nothing here: nobody is traced, there are no semaphores of System V, and one kind of I/O.
#define MEANINGLESS (CLONE_PTRACE | CLONE_SYSVSEM | CLONE_DETACHED | CLONE_UNTRACED | CLONE_IO)
#define OF_BOTH                                                                                                        \
    (CLONE_VM | CLONE_FILES | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)
#define OF_THREADS (OF_BOTH | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD)
#define NEEDED_BY_THREADS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)
#define OF_PROCESSES (OF_BOTH | CLONE_VFORK | CLONE_CLEAR_SIGHAND)

static bool is_possible(uint64_t flags)
{
    flags &= ~(uint64_t)MEANINGLESS;
    if ((flags & CLONE_THREAD) != 0) { // a thread shares everything
        return (flags & ~(uint64_t)OF_THREADS) == 0 && (flags & NEEDED_BY_THREADS) == NEEDED_BY_THREADS;
    }
    return (flags & ~(uint64_t)OF_PROCESSES) == 0;
}

// What the new task has of the current one.
static int copy_task(const struct clone_request *request, struct process *process, struct task **out)
{
    const struct task *from = task_current();
    struct task *task;
    int error = task_make(process, &task);
    if (error != 0) {
        return error;
    }
    task->regs = *from->current;
    user_regs_set_result(&task->regs, 0);
    if (request->stack != 0) {
        user_regs_set_sp(&task->regs, uaddr(request->stack));
    }
    task->tls = (request->flags & CLONE_SETTLS) != 0 ? request->tls : user_tls();
    task->tell_tid = (request->flags & CLONE_CHILD_SETTID) != 0 ? request->child_tid : 0;
    task->clear_tid = (request->flags & CLONE_CHILD_CLEARTID) != 0 ? request->child_tid : 0;
    task->signals.blocked = from->signals.blocked;
    task->no_new_privileges = from->no_new_privileges;
    task->over_limit = from->over_limit;
    task->timer_slack_ns = task->timer_slack_usual_ns = from->timer_slack_ns;
    if ((request->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
        task->signals.stack = from->signals.stack;
        task->signals.stack_size = from->signals.stack_size;
        task->signals.stack_flags = from->signals.stack_flags;
    }
    irqflags_t flags = irq_save(); // what is in the registers is ours as long as nobody else runs here
    fp_save(&task->fp);
    irq_restore(flags);
    error = task_make_thread(task, from->thread->name, credentials_current());
    if (error != 0) {
        task_free(task);
        return error;
    }
    thread_inherit_policy(task->thread, from->thread);
    *out = task;
    return 0;
}

static void tell(const struct clone_request *request, int32_t tid)
{
    if ((request->flags & CLONE_PARENT_SETTID) != 0) {
        int error = copy_to_user(uaddr(request->parent_tid), &tid, sizeof(tid));
        (void)error; // as on Linux: the child is there already
    }
}

static int make_thread(const struct clone_request *request)
{
    struct process *process = process_current();
    struct task *task;
    int error = copy_task(request, process, &task);
    if (error != 0) {
        return error;
    }
    irqflags_t flags = spin_lock(&family.lock);
    if (process->exiting || process->survivor != NULL) {
        error = -EAGAIN;
    } else {
        family_add_task(process, task);
        (void)atomic_add(&process->files->references, 1); // each task has one
    }
    int32_t tid = task->tid;
    spin_unlock(&family.lock, flags);
    if (error != 0) {
        task_unmake(task);
        return error;
    }
    tell(request, tid);
    thread_start(task->thread);
    return tid;
}

static void copy_actions(struct process *child, const struct process *parent, bool clear)
{
    irqflags_t flags = spin_lock(&family.lock);
    for (int i = 0; i < SIGNAL_MAX; i++) {
        const struct signal_action *action = &parent->signals.actions[i];
        if (!clear || action->handler == 1) { // SIG_IGN
            child->signals.actions[i] = *action;
        }
    }
    spin_unlock(&family.lock, flags);
}

static int share_or_copy_space(const struct clone_request *request, struct process *child, struct process *parent)
{
    if ((request->flags & CLONE_VM) != 0) {
        child->space = process_space_get(parent);
        return 0;
    }
    int error = process_space_create(&child->space);
    if (error == 0) {
        child->space->dumpable = READ_ONCE(parent->space->dumpable);
        error = space_fork(child->space, parent->space);
    }
    return error;
}

static int copy_process(const struct clone_request *request, struct process *child, struct process *parent)
{
    struct path_start places;
    process_places_get(parent, &places); // the references go with them
    child->root = places.root;
    child->directory = places.directory;
    child->as = credentials_get(credentials_current());
    child->umask = READ_ONCE(parent->umask); // these two: another task may set them now
    child->personality = READ_ONCE(parent->personality);
    child->limits = parent->limits;
    child->oom_score_adj = parent->oom_score_adj;
    child->exit_signal = request->exit_signal;
    copy_actions(child, parent, (request->flags & CLONE_CLEAR_SIGHAND) != 0);
    int error = share_or_copy_space(request, child, parent);
    if (error != 0) {
        return error;
    }
    if ((request->flags & CLONE_FILES) != 0) {
        child->files = process_files_get(parent);
        return 0;
    }
    return fd_table_copy(parent->files, &child->files);
}

// What has come is dealt with before there is a child that would have missed it. What is sent to several processes from
// here on comes to the child, too.
static int begin_birth(struct process *parent, struct birth *birth)
{
    *birth = (struct birth){.signals = 0};
    irqflags_t flags = spin_lock(&family.lock);
    int error = task_has_work(task_current()) ? -ERESTART_NOINTR : 0;
    list_init(&birth->link);
    if (error == 0) {
        list_push_back(&parent->births, &birth->link);
    }
    spin_unlock(&family.lock, flags);
    return error;
}

// In the moment from which on others see the child. -EINTR: the parent ends, and whoever ended it meant the child as
// well.
static int end_birth(struct process *parent, struct birth *birth, struct process *child, struct task *task)
{
    int32_t pid = -EINTR;
    irqflags_t flags = spin_lock(&family.lock);
    list_remove(&birth->link);
    if (child != NULL && !parent->exiting && (parent->survivor == NULL || parent->survivor == task_current())) {
        family_add(child, task, parent);
        pid = child->pid;
        child->told_by = birth->walk;
        for (uint64_t left = birth->signals; left != 0; left &= left - 1) {
            int signal = __builtin_ctzl(left) + 1;
            signal_send_locked(child, NULL, &(struct signal_info){.signal = signal, .code = SI_USER});
        }
    }
    spin_unlock(&family.lock, flags);
    return pid;
}

static int make_process(const struct clone_request *request)
{
    struct process *parent = process_current(), *child;
    struct task *task;
    struct birth birth;
    int error = process_make(&child);
    if (error != 0) {
        return error;
    }
    error = begin_birth(parent, &birth);
    error = error != 0 ? error : copy_process(request, child, parent);
    error = error != 0 ? error : copy_task(request, child, &task);
    if (error != 0) {
        (void)end_birth(parent, &birth, NULL, NULL);
        process_unmake(child);
        return error;
    }
    int pid = end_birth(parent, &birth, child, task);
    if (pid < 0) {
        task_unmake(task);
        process_unmake(child);
        return pid;
    }
    tell(request, pid);
    thread_start(task->thread);
    if ((request->flags & CLONE_VFORK) != 0) {
        process_wait_released(pid);
    }
    return pid;
}

int process_clone(const struct clone_request *request)
{
    if (!is_possible(request->flags) || request->exit_signal < 0 || request->exit_signal > SIGNAL_MAX) {
        return -EINVAL;
    }
    int error = limits_check_clone();
    error = error != 0 ? error : task_charge();
    if (error != 0) {
        return error;
    }
    int result = (request->flags & CLONE_THREAD) != 0 ? make_thread(request) : make_process(request);
    if (result < 0) {
        task_uncharge(credentials_current());
    }
    return result;
}
