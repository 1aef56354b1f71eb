// Who there is: every process and task by number, and who is whose child.
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigqueue.h"

struct family family = {.lock = SPINLOCK_INIT("family", RANK_PROCESS), .all = {&family.all, &family.all}};

// --- by number -----------------------------------------------------------------------------------------------------

static int64_t pid_of(const struct tree_node *node)
{
    return container_of(node, struct process, by_pid)->pid;
}

static int64_t tid_of(const struct tree_node *node)
{
    return container_of(node, struct task, by_tid)->tid;
}

static int64_t pair(int32_t of, int32_t pid)
{
    return (int64_t)of << 32 | (uint32_t)pid;
}

static int64_t group_of(const struct tree_node *node)
{
    const struct process *process = container_of(node, struct process, by_group);
    return pair(process->group, process->pid);
}

static int64_t session_of(const struct tree_node *node)
{
    const struct process *process = container_of(node, struct process, by_session);
    return pair(process->session, process->pid);
}

static struct tree_node *find(const struct tree *tree, int64_t (*number_of)(const struct tree_node *), int64_t number)
{
    struct tree_node *node = tree->root;
    while (node != NULL && number_of(node) != number) {
        node = node->child[number_of(node) < number];
    }
    return node;
}

static void insert(struct tree *tree, int64_t (*number_of)(const struct tree_node *), struct tree_node *node)
{
    struct tree_node *parent = NULL;
    unsigned side = 0;
    for (struct tree_node *at = tree->root; at != NULL; at = at->child[side]) {
        parent = at;
        side = number_of(at) < number_of(node);
    }
    tree_insert(tree, node, parent, side);
}

// The first node of a number that is at least from, or NULL.
static struct tree_node *find_from(const struct tree *tree, int64_t (*number_of)(const struct tree_node *),
                                   int64_t from)
{
    struct tree_node *first = NULL;
    for (struct tree_node *at = tree->root; at != NULL;) {
        bool from_here = number_of(at) >= from;
        first = from_here ? at : first;
        at = at->child[!from_here];
    }
    return first;
}

struct process *family_find(int32_t pid)
{
    struct tree_node *node = find(&family.processes, pid_of, pid);
    return node != NULL ? container_of(node, struct process, by_pid) : NULL;
}

struct process *family_next(int32_t from)
{
    struct tree_node *node = find_from(&family.processes, pid_of, from);
    return node != NULL ? container_of(node, struct process, by_pid) : NULL;
}

struct process *group_member(int32_t group, int32_t from)
{
    struct tree_node *node = find_from(&family.groups, group_of, pair(group, from));
    struct process *process = node != NULL ? container_of(node, struct process, by_group) : NULL;
    return process != NULL && process->group == group ? process : NULL;
}

struct process *session_member(int32_t session, int32_t from)
{
    struct tree_node *node = find_from(&family.sessions, session_of, pair(session, from));
    struct process *process = node != NULL ? container_of(node, struct process, by_session) : NULL;
    return process != NULL && process->session == session ? process : NULL;
}

void family_change_group(struct process *process, int32_t group, int32_t session)
{
    tree_remove(&family.groups, &process->by_group);
    tree_remove(&family.sessions, &process->by_session);
    process->group = group;
    process->session = session;
    insert(&family.groups, group_of, &process->by_group);
    insert(&family.sessions, session_of, &process->by_session);
}

struct task *family_find_task(int32_t tid)
{
    struct tree_node *node = find(&family.tasks, tid_of, tid);
    return node != NULL ? container_of(node, struct task, by_tid) : NULL;
}

struct process *family_find_any(int32_t id)
{
    struct process *process = family_find(id);
    struct task *task = process == NULL ? family_find_task(id) : NULL;
    return task != NULL ? task->process : process;
}

static bool names_a_group(int32_t id)
{
    return group_member(id, 0) != NULL || session_member(id, 0) != NULL;
}

uint64_t pid_max = PID_MAX_MOST;

// Numbers go up, and begin again only when all have been used.
static int32_t next_id(void)
{
    static bool again;
    do {
        bool last = (uint64_t)family.last_id + 1 >= READ_ONCE(pid_max);
        again |= last;
        family.last_id = last ? PID_MAX_LEAST - 1 : family.last_id + 1;
    } while (again && (family_find(family.last_id) != NULL || family_find_task(family.last_id) != NULL ||
                       names_a_group(family.last_id)));
    return family.last_id;
}

// --- in and out ----------------------------------------------------------------------------------------------------

static void add_task(struct process *process, struct task *task)
{
    task->identity = ++family.last_identity;
    list_push_back(&process->tasks, &task->sibling);
    COUNT_ADD(process->task_count, 1);
    insert(&family.tasks, tid_of, &task->by_tid);
}

void family_add(struct process *process, struct task *first, struct process *parent)
{
    process->pid = first->tid = next_id();
    process->parent = parent;
    process->born_ns = timer_now();
    process->group = parent != NULL ? parent->group : process->pid;
    process->session = parent != NULL ? parent->session : process->pid;
    list_push_back(&family.all, &process->all);
    if (parent != NULL) {
        list_push_back(&parent->children, &process->sibling);
    }
    insert(&family.processes, pid_of, &process->by_pid);
    insert(&family.groups, group_of, &process->by_group);
    insert(&family.sessions, session_of, &process->by_session);
    add_task(process, first);
    process->identity = first->identity;
}

void family_add_task(struct process *process, struct task *task)
{
    task->tid = next_id();
    add_task(process, task);
}

void family_remove(struct process *process)
{
    list_remove(&process->all);
    list_remove(&process->sibling);
    tree_remove(&family.processes, &process->by_pid);
    tree_remove(&family.groups, &process->by_group);
    tree_remove(&family.sessions, &process->by_session);
}

void family_remove_task(struct task *task)
{
    list_remove(&task->sibling);
    tree_remove(&family.tasks, &task->by_tid);
    COUNT_ADD(task->process->task_count, -1u);
}

void family_rename_task(struct task *task, int32_t tid)
{
    tree_remove(&family.tasks, &task->by_tid);
    task->tid = tid;
    task->identity = task->process->identity; // it is the first one from here on
    insert(&family.tasks, tid_of, &task->by_tid);
}

// --- for others ----------------------------------------------------------------------------------------------------

static struct process *get(struct process *process)
{
    if (process != NULL) {
        (void)__atomic_fetch_add(&process->references, 1, __ATOMIC_RELAXED);
    }
    return process;
}

uint64_t process_identity(int32_t pid, int32_t tid)
{
    irqflags_t flags = spin_lock(&family.lock);
    const struct process *process = family_find(pid);
    const struct task *task = tid != 0 ? family_find_task(tid) : NULL;
    bool found = process != NULL && (tid == 0 || (task != NULL && task->process == process));
    uint64_t identity = !found ? 0 : tid != 0 ? task->identity : process->identity;
    spin_unlock(&family.lock, flags);
    return identity;
}

struct process *process_find(int32_t pid)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct process *process = get(family_find(pid));
    spin_unlock(&family.lock, flags);
    return process;
}

struct process *process_find_any(int32_t id)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct process *process = get(family_find_any(id));
    spin_unlock(&family.lock, flags);
    return process;
}

struct process *process_find_task(int32_t tid)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct task *task = family_find_task(tid);
    struct process *process = task != NULL ? get(task->process) : NULL;
    spin_unlock(&family.lock, flags);
    return process;
}

void process_put(struct process *process)
{
    if (process != NULL && __atomic_fetch_sub(&process->references, 1, __ATOMIC_ACQ_REL) == 1) {
        while (!signal_queue_forget(&process->signals.shared, ~0ul)) {
        }
        credentials_put(process->as);
        kfree(process);
    }
}

#define VISITS_AT_ONCE 32u

void process_for_each(bool (*visit)(struct process *process, void *argument), void *argument)
{
    int32_t from = 0;
    for (bool more = true; more;) {
        irqflags_t flags = spin_lock(&family.lock);
        for (unsigned visits = 0; visits < VISITS_AT_ONCE && more; visits++) {
            struct process *process = family_next(from);
            more = process != NULL && visit(process, argument);
            from = process != NULL ? process->pid + 1 : from;
        }
        spin_unlock(&family.lock, flags);
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

uint64_t process_runtime(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t ns = process->past.runtime_ns;
    list_for_each(at, &process->tasks)
    {
        ns += thread_runtime(container_of(at, struct task, sibling)->thread);
    }
    spin_unlock(&family.lock, flags);
    return ns;
}

struct fd_table *process_files_get(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct fd_table *files = process->files;
    if (files != NULL) {
        (void)__atomic_fetch_add(&files->references, 1, __ATOMIC_RELAXED);
    }
    spin_unlock(&family.lock, flags);
    return files;
}

int task_visit(int32_t tid, int (*visit)(struct task *task, void *argument), void *argument)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct task *task = tid == 0 ? task_current() : family_find_task(tid);
    int result = task == NULL ? -ESRCH : visit(task, argument);
    spin_unlock(&family.lock, flags);
    return result;
}
