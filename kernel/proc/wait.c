// Who asks for the status of a process.
#include "kernel/base/atomic.h"
#include "kernel/proc/process_internal.h"

int process_wait(struct process *process)
{
    semaphore_down(&process->finished);
    int status = process->status;
    process_bury(process);
    return (status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

static bool is_meant(const struct process *child, enum wait_for kind, int32_t id)
{
    return kind == WAIT_ANY || (kind == WAIT_PID ? child->pid : child->group) == id;
}

// What may be told of a child, if anything. Without WNOWAIT it is told once.
static bool news_of(struct process *child, unsigned options, int *status)
{
    bool again = (options & WNOWAIT) != 0;
    if (child->ended) {
        *status = child->status;
        return (options & WEXITED) != 0;
    }
    if ((options & WUNTRACED) != 0 && child->stopped && !child->stop_told) {
        child->stop_told = !again;
        *status = child->stop_signal << 8 | 0x7f;
        return true;
    }
    if ((options & WCONTINUED) != 0 && child->continued) {
        child->continued = again;
        *status = 0xffff;
        return true;
    }
    return false;
}

// A child with news, or -EAGAIN: none as yet, or -ECHILD. *dead: the caller is to bury it; nobody else finds it.
static int find_news(struct process *parent, enum wait_for kind, int32_t id, unsigned options, struct wait_result *out,
                     struct process **dead)
{
    int error = -ECHILD;
    *dead = NULL;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &parent->children)
    {
        struct process *child = container_of(at, struct process, sibling);
        if (!is_meant(child, kind, id)) {
            continue;
        }
        error = -EAGAIN;
        if (news_of(child, options, &out->status)) {
            error = 0;
            out->pid = child->pid;
            out->uid = child->as->real_uid;
            out->usage = usage_locked(child);
            usage_add(&out->usage, &child->past.children);
            if (child->ended && (options & WNOWAIT) == 0) {
                list_remove(&child->sibling);
                if (parent->task_count > 1) {
                    condition_signal(&parent->changes); // for those that waited for other news of it
                }
                usage_add(&parent->past.children, &out->usage);
                *dead = child;
            }
            break;
        }
    }
    spin_unlock(&family.lock, flags);
    return error;
}

int process_wait_child(enum wait_for kind, int32_t id, unsigned options, struct wait_result *out)
{
    struct process *parent = process_current(), *dead;
    int error;
    *out = (struct wait_result){0};
    id = kind == WAIT_GROUP && id == 0 ? process_group_of(0, false) : id;
    for (;;) {
        uint32_t seen = condition_seen(&parent->changes);
        error = find_news(parent, kind, id, options, out, &dead);
        if (error != -EAGAIN || (options & WNOHANG) != 0) {
            break;
        }
        if (condition_wait_after(&parent->changes, seen, UINT64_MAX) != 0) {
            return -ERESTART;
        }
    }
    if (dead != NULL) {
        process_bury(dead);
    }
    return error == -EAGAIN ? 0 : error;
}

// --- vfork ---------------------------------------------------------------------------------------------------------

void process_release(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    process->released = true;
    if (process->parent != NULL) {
        condition_signal(&process->parent->changes);
    }
    spin_unlock(&family.lock, flags);
}

void process_wait_released(int32_t pid)
{
    struct process *parent = process_current();
    for (;;) {
        uint32_t seen = condition_seen(&parent->changes);
        irqflags_t flags = spin_lock(&family.lock);
        const struct process *child = family_find(pid);
        bool holds = child != NULL && child->parent == parent && !child->released && !child->ended;
        spin_unlock(&family.lock, flags);
        if (!holds || task_wait_killable(&parent->changes, seen) != 0) {
            return;
        }
    }
}
