// How processes begin, and change their program. Copies of themselves: clone.c. How they end: exit.c.
#include "kernel/proc/process.h"

#include <hal/irq.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/access.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/layout.h"
#include "kernel/proc/make.h"

// --- making --------------------------------------------------------------------------------------------------------

int process_make(struct process **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct process), &memory);
    if (error != 0) {
        return error;
    }
    struct process *process = memory;
    __builtin_memset(process, 0, sizeof(*process));
    process->references = 1;
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->births);
    list_init(&process->all);
    list_init(&process->tasks);
    condition_init(&process->changes, "children");
    condition_init(&process->arrivals, "signals");
    semaphore_init(&process->finished, 0);
    spin_init(&process->places, "places", RANK_LEAF);
    process->exit_signal = SIGCHLD;
    process->umask = 022;
    limits_init(&process->limits);
    process_timers_init(&process->timers);
    signals_init(process);
    *out = process;
    return 0;
}

void process_unmake(struct process *process)
{
    process_space_put(process->space);
    if (process->files != NULL) {
        fd_table_put(process->files);
    }
    vnode_put(process->root);
    vnode_put(process->directory);
    process_put(process);
}

int task_make(struct process *process, struct task **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct task), &memory);
    if (error != 0) {
        return error;
    }
    struct task *task = memory;
    __builtin_memset(task, 0, sizeof(*task));
    task->process = process;
    list_init(&task->sibling);
    signal_queue_init(&task->signals.own);
    task->signals.stack_flags = SS_DISABLE;
    task->timer_slack_ns = task->timer_slack_usual_ns = TIMER_SLACK_NS;
    *out = task;
    return 0;
}

void task_free(struct task *task)
{
    ASSERT(task->signals.own.pending == 0);
    kfree(task);
}

void task_unmake(struct task *task)
{
    credentials_put(task->thread->as);
    thread_unmake(task->thread);
    task_free(task);
}

static void run(void *argument)
{
    struct task *task = argument;
    struct thread *me = thread_current();
    me->task = task;
    me->process = task->process;
    WRITE_ONCE(me->watched, &task->process->timers.cpu.count);
    process_use_space(me, task->process->space, &task->fp);
    user_tls_set(task->tls);
    if (task->tell_tid != 0) {
        int error = copy_to_user(uaddr(task->tell_tid), &task->tid, sizeof(task->tid));
        (void)error; // as on Linux: it is the caller's memory, and its affair
    }
    task_note_work(task);
    user_enter(&task->regs);
}

int task_make_thread(struct task *task, const char *name, const struct credentials *as)
{
    int error = thread_make(name, run, task, &task->thread);
    if (error == 0) {
        task->thread->counted = &task->process->threads;
        task->thread->as = credentials_get(as);
        (void)atomic_add(&task->process->threads, 1);
    }
    return error;
}

static const char *base_name(const char *path)
{
    const char *name = path;
    for (; *path != 0; path++) {
        name = *path == '/' ? path + 1 : name;
    }
    return name;
}

// --- from the kernel -----------------------------------------------------------------------------------------------

static int open_console(struct process *process)
{
    static const char console[] = "/dev/console";
    struct path_start from = {process->root, process->directory, &credentials_kernel};
    void *path;
    int result = kmalloc(PATH_MAX, &path);
    if (result != 0) {
        return result;
    }
    for (int i = 0; i < 3 && result >= 0; i++) {
        struct file *file;
        __builtin_memcpy(path, console, sizeof(console)); // a walk changes it
        int error = file_open(&from, path, O_RDWR, 0, &file);
        result = error != 0 ? error : fd_install(process->files, file, 0, false);
    }
    kfree(path);
    return result < 0 ? result : 0;
}

static int add_arguments(struct exec_strings *strings, const char *const *argv)
{
    int error = exec_strings_init(strings);
    for (; error == 0 && argv[strings->argc] != NULL; strings->argc++) {
        error = exec_strings_add(strings, argv[strings->argc]);
    }
    return error;
}

static int load(struct process *process, struct task *task, const char *path, const char *const *argv)
{
    struct exec_strings strings;
    struct program program;
    struct file *file;
    struct path_start from = {process->root, process->directory, &credentials_kernel};
    int error = add_arguments(&strings, argv);
    if (error == 0) {
        error = program_open(&from, path, &file);
        if (error == 0) {
            error = program_load(process->space, &from, file, path, &strings, true, &program);
            file_put(file);
        }
    }
    exec_strings_free(&strings);
    if (error == 0) {
        credentials_put(program.as); // it stays the kernel's own
        user_regs_init(&task->regs, uaddr(program.entry), uaddr(program.sp));
    }
    return error;
}

static int prepare(struct process *process, const char *path, const char *const *argv, struct task **out)
{
    process->root = mount_root_node();
    process->directory = mount_root_node();
    process->as = credentials_get(&credentials_kernel);
    int error = process_space_create(&process->space);
    error = error != 0 ? error : fd_table_create(&process->files);
    error = error != 0 ? error : open_console(process);
    error = error != 0 ? error : task_make(process, out);
    if (error != 0) {
        return error;
    }
    error = load(process, *out, path, argv);
    error = error != 0 ? error : task_make_thread(*out, base_name(path), process->as);
    if (error != 0) {
        task_free(*out);
    }
    return error;
}

int process_spawn(const char *path, const char *const *argv, struct process **out)
{
    struct process *process;
    struct task *task;
    int error = process_make(&process);
    if (error != 0) {
        return error;
    }
    error = prepare(process, path, argv, &task);
    if (error != 0) {
        process_unmake(process);
        return error;
    }
    *out = process; // before it runs
    bool charged = account_charge(process->as->account, CHARGE_TASKS, 1, UINT64_MAX);
    ASSERT(charged);
    irqflags_t flags = spin_lock(&family.lock);
    family_add(process, task, NULL);
    process->shielded = process->pid == 1;
    spin_unlock(&family.lock, flags);
    thread_start(task->thread);
    return 0;
}

// --- exec ----------------------------------------------------------------------------------------------------------

// The other tasks end. -EAGAIN: so do we, or another one has come first.
static int become_the_only_one(struct task *task)
{
    struct process *process = task->process;
    const struct credentials *of_other = NULL; // who was the first task until now
    irqflags_t flags = spin_lock(&family.lock);
    bool late = process->exiting || process->survivor != NULL;
    if (!late) {
        process->survivor = task;
        process_end_tasks(process);
    }
    bool alone = process->task_count == 1;
    spin_unlock(&family.lock, flags);
    while (!late && !alone) {
        uint32_t seen = condition_seen(&process->changes);
        flags = spin_lock(&family.lock);
        alone = process->task_count == 1;
        spin_unlock(&family.lock, flags);
        late = !alone && task_wait_killable(&process->changes, seen) != 0; // killed: it ends with the others
    }
    flags = spin_lock(&family.lock);
    if (process->survivor == task) {
        process->survivor = NULL;
        if (!late && task->tid != process->pid) {
            family_rename_task(task, process->pid);
            of_other = process->as;
            process->as = credentials_get(task->thread->as);
        }
    }
    spin_unlock(&family.lock, flags);
    credentials_put(of_other);
    return late ? -EAGAIN : 0;
}

static int load_new(struct process *process, char *path, const struct exec_strings *strings, struct space **space,
                    struct program *program)
{
    struct path_start from;
    struct file *file;
    process_places_get(process, &from);
    int error = program_open(&from, path, &file);
    if (error == 0) {
        error = process_space_create(space);
        if (error == 0) {
            (*space)->fixed_layout = (READ_ONCE(process->personality) & ADDR_NO_RANDOMIZE) != 0;
            error = program_load(*space, &from, file, path, strings, task_current()->no_new_privileges, program);
            if (error != 0) {
                process_space_put(*space);
            }
        }
        file_put(file);
    }
    process_places_put(&from);
    return error;
}

int process_unshare_files(struct process *process)
{
    struct fd_table *old = process->files, *own;
    if (load_acquire(&old->references) == 1) {
        return 0;
    }
    int error = fd_table_copy(old, &own);
    if (error == 0) {
        irqflags_t flags = spin_lock(&family.lock);
        process->files = own;
        spin_unlock(&family.lock, flags);
        fd_table_put(old);
    }
    return error;
}

// What setuid(2) did not refuse is refused here, as on Linux: few look at what setuid(2) says.
static int check_task_limit(struct task *task)
{
    bool over = task->over_limit && account_charged(credentials_current()->account, CHARGE_TASKS) >
                                        process_limit(task->process, RLIMIT_NPROC);
    if (!over) {
        task->over_limit = false;
    }
    return over ? -EAGAIN : 0;
}

int process_exec(char *path, const struct exec_strings *strings)
{
    struct task *task = task_current();
    struct process *process = task->process;
    struct program program;
    struct space *space, *old;
    int error = check_task_limit(task);
    error = error != 0 ? error : load_new(process, path, strings, &space, &program);
    if (error != 0) {
        return error;
    }
    error = become_the_only_one(task);
    error = error != 0 ? error : process_unshare_files(process);
    if (error != 0) {
        credentials_put(program.as);
        process_space_put(space);
        return error;
    }
    futex_task_ends(task); // from here on nothing fails
    irqflags_t flags = spin_lock(&family.lock);
    old = process->space;
    usage_space_ends(process, old);
    process->space = space;
    process->executed = true;
    spin_unlock(&family.lock, flags);
    __builtin_memset(&task->fp, 0, sizeof(task->fp));
    process_use_space(task->thread, space, &task->fp);
    process_space_put(old);
    fd_close_on_exec(process->files);
    process_timers_exec(process);
    signals_exec(process, task);
    WRITE_ONCE(space->dumpable, program.hidden ? DUMPABLE_NOT : DUMPABLE_USER);
    task_become(program.as);
    process->death_signal = program.wary ? 0 : process->death_signal;
    user_tls_set(0);
    user_regs_init(task->current, uaddr(program.entry), uaddr(program.sp));
    thread_set_name(task->thread, base_name(path));
    process_release(process);
    return 0;
}

// --- places --------------------------------------------------------------------------------------------------------

void process_places_get(struct process *process, struct path_start *out)
{
    irqflags_t flags = spin_lock(&process->places);
    *out = (struct path_start){process->root, process->directory, credentials_current()};
    vnode_get(out->root);
    vnode_get(out->directory);
    spin_unlock(&process->places, flags);
}

void process_places_put(struct path_start *start)
{
    vnode_put(start->root);
    vnode_put(start->directory);
}

static void set_place(struct vnode **place, struct vnode *node)
{
    struct process *process = process_current();
    irqflags_t flags = spin_lock(&process->places);
    struct vnode *before = *place;
    *place = node;
    spin_unlock(&process->places, flags);
    vnode_put(before);
}

void process_set_directory(struct vnode *node)
{
    set_place(&process_current()->directory, node);
}

void process_set_root(struct vnode *node)
{
    set_place(&process_current()->root, node);
}
