#include "kernel/proc/describe.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/proc/process_internal.h"

#define HANDLER_IGNORE 1ul

static char state_of(const struct process *process, const struct task *task)
{
    if (process->ended || task == NULL || task->thread == NULL) {
        return 'Z';
    }
    if (process->stopped || task->parked) {
        return 'T';
    }
    switch (READ_ONCE(task->thread->state)) {
    case THREAD_READY:
    case THREAD_RUNNING:
        return 'R';
    case THREAD_SLEEPING:
        return READ_ONCE(task->thread->interruptible) ? 'S' : 'D';
    default:
        return 'Z';
    }
}

static void describe_signals(const struct process *process, const struct task *task, struct process_description *out)
{
    out->signals_limit = process_limit(process, RLIMIT_SIGPENDING);
    out->shared = process->signals.shared.pending;
    out->pending = task != NULL ? task->signals.own.pending : 0;
    out->blocked = task != NULL ? task->signals.blocked : 0;
    for (int signal = 1; signal <= SIGNAL_MAX; signal++) {
        uint64_t handler = process->signals.actions[signal - 1].handler;
        out->ignored |= handler == HANDLER_IGNORE ? signal_bit(signal) : 0;
        out->caught |= handler > HANDLER_IGNORE ? signal_bit(signal) : 0;
    }
}

static void describe(const struct process *process, const struct task *task, struct process_description *out)
{
    *out = (struct process_description){
        .pid = process->pid,
        .tid = task != NULL ? task->tid : process->pid,
        .parent = process->parent != NULL ? process->parent->pid : 0,
        .group = process->group,
        .session = process->session,
        .state = state_of(process, task),
        .task_count = process->task_count,
        .exit_signal = process->exit_signal,
        .status = process->status,
        .children = process->past.children,
        .born_ns = process->born_ns,
        .as = credentials_get(task != NULL ? task->thread->as : process->as),
        .umask = READ_ONCE(process->umask),
        .traced = process->traced,
        .no_new_privileges = task != NULL && READ_ONCE(task->no_new_privileges),
    };
    format(out->name, sizeof(out->name), "%s", process->name);
    if (task != NULL && task->thread != NULL) {
        format(out->name, sizeof(out->name), "%s", task->thread->name);
        out->cpu = READ_ONCE(task->thread->cpu);
        out->thread = task->thread->id;
        out->switches = READ_ONCE(task->thread->switches);
    }
    describe_signals(process, task, out);
}

static struct task *first_task(const struct process *process)
{
    return list_empty(&process->tasks) ? NULL : list_first(&process->tasks, struct task, sibling);
}

bool process_describe(int32_t pid, int32_t tid, struct process_description *out)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct process *process = family_find(pid);
    const struct task *task = process == NULL ? NULL : tid != 0 ? family_find_task(tid) : first_task(process);
    bool found = process != NULL && (tid == 0 || (task != NULL && task->process == process));
    if (found) {
        describe(process, task, out);
        out->usage = tid == 0 || task->thread == NULL ? usage_locked(process) : thread_usage(task->thread);
    }
    spin_unlock(&family.lock, flags);
    return found;
}

bool process_describe_task(int32_t tid, struct process_description *out)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct task *task = family_find_task(tid);
    if (task != NULL) {
        describe(task->process, task, out);
    }
    spin_unlock(&family.lock, flags);
    return task != NULL;
}

void process_description_put(struct process_description *description)
{
    credentials_put(description->as);
}

bool process_exists(int32_t pid, int32_t tid)
{
    struct process_description who;
    bool found = process_describe(pid, tid, &who);
    if (found) {
        process_description_put(&who);
    }
    return found;
}

int32_t process_next_id(int32_t pid, int32_t from)
{
    int32_t found = 0;
    irqflags_t flags = spin_lock(&family.lock);
    if (pid == 0) {
        for (struct tree_node *at = family.processes.root; at != NULL;) {
            int32_t id = container_of(at, struct process, by_pid)->pid;
            found = id >= from ? id : found;
            at = at->child[id < from];
        }
    } else {
        const struct process *process = family_find(pid);
        for (struct tree_node *at = process != NULL ? family.tasks.root : NULL; at != NULL;) {
            int32_t id = container_of(at, struct task, by_tid)->tid;
            found = id >= from ? id : found;
            at = at->child[id < from];
        }
        while (found != 0 && family_find_task(found)->process != process) { // another process's lies between
            struct tree_node *next = tree_step(&family_find_task(found)->by_tid, 1);
            found = next != NULL ? container_of(next, struct task, by_tid)->tid : 0;
        }
    }
    spin_unlock(&family.lock, flags);
    return found;
}

struct count {
    uint32_t tasks, running;
};

static bool count_one(struct process *process, void *argument)
{
    struct count *count = argument;
    count->tasks += process->task_count;
    list_for_each(each, &process->tasks)
    {
        count->running += state_of(process, container_of(each, struct task, sibling)) == 'R';
    }
    return true;
}

void process_count(uint32_t *tasks, uint32_t *running, int32_t *last)
{
    struct count count = {0};
    process_for_each(count_one, &count);
    *tasks = count.tasks;
    *running = count.running;
    *last = READ_ONCE(family.last_id);
}
