#include "kernel/proc/usage.h"

#include "kernel/base/atomic.h"
#include "kernel/proc/process_internal.h"

// The clock says how long, the ticks say where. Without a tick: in user space, as Linux has it.
static void split(uint64_t ns, uint64_t user_ticks, uint64_t kernel_ticks, uint64_t *user_ns, uint64_t *system_ns)
{
    uint64_t ticks = user_ticks + kernel_ticks;
    *system_ns = ticks != 0 ? ns / ticks * kernel_ticks + ns % ticks * kernel_ticks / ticks : 0;
    *user_ns = ns - *system_ns;
}

struct usage thread_usage(const struct thread *thread)
{
    struct usage usage = {.preemptions = READ_ONCE(thread->preemptions)};
    usage.waits = READ_ONCE(thread->switches) - min_u64(usage.preemptions, READ_ONCE(thread->switches));
    split(thread_runtime(thread), READ_ONCE(thread->user_ticks), READ_ONCE(thread->kernel_ticks), &usage.user_ns,
          &usage.system_ns);
    return usage;
}

struct usage usage_locked(struct process *process)
{
    struct usage_past *past = &process->past;
    uint64_t ns = past->runtime_ns, user = past->user_ticks, kernel = past->kernel_ticks, switches = past->switches;
    struct usage usage = {
        .resident_most = past->resident_most, .faults = past->faults, .preemptions = past->preemptions};
    list_for_each(at, &process->tasks)
    {
        const struct thread *thread = container_of(at, struct task, sibling)->thread;
        if (thread == NULL) {
            continue;
        }
        ns += thread_runtime(thread);
        user += READ_ONCE(thread->user_ticks);
        kernel += READ_ONCE(thread->kernel_ticks);
        switches += READ_ONCE(thread->switches);
        usage.preemptions += READ_ONCE(thread->preemptions);
    }
    if (process->space != NULL) {
        usage.resident_most = max_u64(usage.resident_most, READ_ONCE(process->space->resident_most));
        usage.faults += READ_ONCE(process->space->faults);
    }
    usage.waits = switches - min_u64(usage.preemptions, switches);
    split(ns, user, kernel, &usage.user_ns, &usage.system_ns);
    if (usage.system_ns < past->system_shown_ns) { // later ticks have changed the shares
        usage.system_ns = past->system_shown_ns;
        usage.user_ns = ns - min_u64(usage.system_ns, ns);
    }
    if (usage.user_ns < past->user_shown_ns) {
        usage.user_ns = past->user_shown_ns;
        usage.system_ns = ns - min_u64(usage.user_ns, ns);
    }
    past->user_shown_ns = usage.user_ns;
    past->system_shown_ns = usage.system_ns;
    return usage;
}

struct usage process_usage(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct usage usage = usage_locked(process);
    spin_unlock(&family.lock, flags);
    return usage;
}

struct usage process_children_usage(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct usage usage = process->past.children;
    spin_unlock(&family.lock, flags);
    return usage;
}

void usage_add(struct usage *to, const struct usage *more)
{
    to->user_ns += more->user_ns;
    to->system_ns += more->system_ns;
    to->resident_most = max_u64(to->resident_most, more->resident_most);
    to->faults += more->faults;
    to->waits += more->waits;
    to->preemptions += more->preemptions;
}

void usage_task_ends(struct process *process, const struct thread *thread)
{
    struct usage_past *past = &process->past;
    past->runtime_ns += thread_runtime(thread);
    past->user_ticks += thread->user_ticks;
    past->kernel_ticks += thread->kernel_ticks;
    past->switches += thread->switches;
    past->preemptions += thread->preemptions;
}

void usage_space_ends(struct process *process, const struct space *space)
{
    if (space != NULL) {
        process->past.faults += READ_ONCE(space->faults);
        process->past.resident_most = max_u64(process->past.resident_most, READ_ONCE(space->resident_most));
    }
}
