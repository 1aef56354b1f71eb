// How processes end, and who asks for their status.
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process_internal.h"

#define WNOHANG 1u
#define WUNTRACED 2u
#define WCONTINUED 8u
#define WALL 0x40000000u

// Its memory and files are gone, its thread too.
static void bury(struct process *process)
{
    (void)thread_join(process->thread);
    irqflags_t flags = spin_lock(&family.lock);
    list_remove(&process->all);
    list_remove(&process->sibling);
    spin_unlock(&family.lock, flags);
    kfree(process);
}

// --- exit ----------------------------------------------------------------------------------------------------------

// Orphans that have ended: the thread that buries them sleeps on this.
static struct semaphore orphans = {.waiters = {.lock = SPINLOCK_INIT("orphans", RANK_WAIT_QUEUE),
                                               .waiters = {&orphans.waiters.waiters, &orphans.waiters.waiters}}};

static struct process *find_dead_orphan(void)
{
    struct process *found = NULL;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &family.all)
    {
        struct process *process = container_of(at, struct process, all);
        if (process->orphan && process->ended) {
            process->orphan = false;
            found = process;
            break;
        }
    }
    spin_unlock(&family.lock, flags);
    return found;
}

static void reap(void *argument)
{
    for (;;) {
        semaphore_down(&orphans);
        struct process *process;
        while ((process = find_dead_orphan()) != NULL) {
            bury(process);
        }
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

// Nobody waits for the children of a dead process: they are buried when they end.
static void give_children_away(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    while (!list_empty(&process->children)) {
        struct process *child = list_first(&process->children, struct process, sibling);
        list_remove(&child->sibling);
        child->parent = NULL;
        child->orphan = true;
        if (child->ended) {
            semaphore_up(&orphans);
        }
    }
    spin_unlock(&family.lock, flags);
}

#define CODE_EXITED 1
#define CODE_KILLED 2
#define CODE_STOPPED 5
#define CODE_CONTINUED 6

void process_tell_parent(struct process *process)
{
    struct process *parent = process->parent;
    if (parent == NULL) {
        return;
    }
    int status = process->status;
    struct signal_info info = {.signal = SIGCHLD, .value = {(uint32_t)process->pid | (uint64_t)process->as.uid << 32}};
    if (!process->ended) {
        info.code = process->signals.stopped ? CODE_STOPPED : CODE_CONTINUED;
        info.value[1] = process->signals.stopped ? (uint64_t)process->stop_signal : SIGCONT;
    } else {
        info.code = (status & 0x7f) != 0 ? CODE_KILLED : CODE_EXITED;
        info.value[1] = (uint64_t)((status & 0x7f) != 0 ? status & 0x7f : status >> 8);
    }
    semaphore_up(&parent->changes);
    signal_send_locked(parent, &info);
}

void process_pause(void)
{
    struct wait_queue nobody_wakes;
    wait_queue_init(&nobody_wakes, "pause");
    irqflags_t flags = spin_lock(&nobody_wakes.lock);
    int error = wait_queue_sleep_interruptible(&nobody_wakes, &flags, UINT64_MAX);
    (void)error; // there is but one way out
    spin_unlock(&nobody_wakes.lock, flags);
}

void process_exit(int status)
{
    struct thread *me = thread_current();
    struct process *process = me->process;
    process_use_space(me, NULL, NULL);
    process_space_destroy(process->space);
    fd_table_put(process->files);
    vnode_put(process->root);
    vnode_put(process->directory);
    give_children_away(process);
    irqflags_t flags = spin_lock(&family.lock);
    process->status = status;
    process->ended = true;
    if (process->parent != NULL) {
        process_tell_parent(process);
    } else {
        semaphore_up(process->orphan ? &orphans : &process->finished);
    }
    spin_unlock(&family.lock, flags);
    me->process = NULL;
    thread_exit(0);
}

int process_wait(struct process *process)
{
    semaphore_down(&process->finished);
    int status = process->status;
    bury(process);
    return (status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

// --- wait ----------------------------------------------------------------------------------------------------------

static bool is_meant(const struct process *child, const struct process *parent, int32_t which)
{
    return which == -1 || (which > 0 && child->pid == which) || (which == 0 && child->group == parent->group) ||
           (which < -1 && child->group == -which);
}

// What wait4(2) may tell of a child, if anything.
static bool news_of(struct process *child, unsigned options, int *status)
{
    if (child->ended) {
        *status = child->status;
        return true;
    }
    if ((options & WUNTRACED) != 0 && child->signals.stopped && !child->stop_told) {
        child->stop_told = true;
        *status = child->stop_signal << 8 | 0x7f;
        return true;
    }
    if ((options & WCONTINUED) != 0 && child->continued) {
        child->continued = false;
        *status = 0xffff;
        return true;
    }
    return false;
}

// A child with news, or -EAGAIN: none as yet, or -ECHILD. *dead: it is to be buried.
static int find_news(struct process *parent, int32_t which, unsigned options, struct process **out, int *status,
                     bool *dead)
{
    int error = -ECHILD;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &parent->children)
    {
        struct process *child = container_of(at, struct process, sibling);
        if (is_meant(child, parent, which)) {
            error = news_of(child, options, status) ? 0 : -EAGAIN;
            *out = child;
            *dead = child->ended;
        }
        if (error == 0) {
            break;
        }
    }
    spin_unlock(&family.lock, flags);
    return error;
}

int process_wait_child(int32_t which, unsigned options, int *status)
{
    struct process *parent = process_current(), *child;
    bool dead;
    if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | WALL)) != 0) {
        return -EINVAL;
    }
    int error;
    while ((error = find_news(parent, which, options, &child, status, &dead)) == -EAGAIN) {
        if ((options & WNOHANG) != 0) {
            return 0;
        }
        if (semaphore_down_interruptible(&parent->changes) != 0) {
            return -ERESTART;
        }
    }
    if (error != 0) {
        return error;
    }
    int32_t pid = child->pid;
    if (dead) {
        bury(child);
    }
    return pid;
}

void process_release(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    process->released = true;
    if (process->parent != NULL) {
        semaphore_up(&process->parent->changes);
    }
    spin_unlock(&family.lock, flags);
}

static bool still_holds(struct process *parent, int32_t pid)
{
    bool holds = false;
    irqflags_t flags = spin_lock(&family.lock);
    list_for_each(at, &parent->children)
    {
        const struct process *child = container_of(at, struct process, sibling);
        holds |= child->pid == pid && !child->released && !child->ended;
    }
    spin_unlock(&family.lock, flags);
    return holds;
}

void process_wait_released(int32_t pid)
{
    struct process *parent = process_current();
    while (still_holds(parent, pid)) {
        semaphore_down(&parent->changes);
    }
}

int32_t process_parent_id(void)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *parent = process_current()->parent;
    int32_t pid = parent != NULL ? parent->pid : 0;
    spin_unlock(&family.lock, flags);
    return pid;
}
