// How processes begin. How they end, and are waited for: exit.c.
#include "kernel/proc/process.h"

#include <hal/irq.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/asid.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/process_internal.h"

struct family family = {
    .lock = SPINLOCK_INIT("family", RANK_PROCESS), .all = {&family.all, &family.all}, .next_pid = 1};

struct process *process_current(void)
{
    struct thread *me = thread_current();
    return me != NULL ? me->process : NULL;
}

// --- spaces --------------------------------------------------------------------------------------------------------

int process_space_create(struct space **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct space), &memory);
    if (error != 0) {
        return error;
    }
    error = space_init(memory, &kernel_pages);
    if (error != 0) {
        kfree(memory);
        return error;
    }
    *out = memory;
    return 0;
}

void process_space_destroy(struct space *space)
{
    space_destroy(space);
    kfree(space);
}

void process_use_space(struct thread *thread, struct space *space, struct fp_state *fp)
{
    irqflags_t flags = irq_save(); // the scheduler reads both fields at a switch
    thread->user_table = space != NULL ? &space->table : NULL;
    thread->fp = fp;
    if (space != NULL) {
        asid_activate(&space->table);
    } else {
        mmu_activate(paddr(0), 0);
    }
    if (fp != NULL) {
        fp_restore(fp);
    }
    irq_restore(flags);
}

// --- making --------------------------------------------------------------------------------------------------------

// With nothing but zeroes and a pid; nobody knows it yet.
static int make(struct process **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct process), &memory);
    if (error != 0) {
        return error;
    }
    struct process *process = memory;
    __builtin_memset(process, 0, sizeof(*process));
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->all);
    semaphore_init(&process->changes, 0);
    semaphore_init(&process->finished, 0);
    process->umask = 022;
    signals_init(&process->signals);
    *out = process;
    return 0;
}

// What make() and its callers have put together, when it does not come to life.
static void unmake(struct process *process)
{
    if (process->space != NULL) {
        process_space_destroy(process->space);
    }
    if (process->files != NULL) {
        fd_table_put(process->files);
    }
    vnode_put(process->root);
    vnode_put(process->directory);
    kfree(process);
}

static void join_family(struct process *process, struct process *parent)
{
    irqflags_t flags = spin_lock(&family.lock);
    process->pid = family.next_pid++;
    process->parent = parent;
    process->group = parent != NULL ? parent->group : process->pid;
    process->session = parent != NULL ? parent->session : process->pid;
    list_push_back(&family.all, &process->all);
    if (parent != NULL) {
        list_push_back(&parent->children, &process->sibling);
    }
    spin_unlock(&family.lock, flags);
}

static void leave_family(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    list_remove(&process->all);
    list_remove(&process->sibling);
    spin_unlock(&family.lock, flags);
}

static void run(void *argument)
{
    struct process *process = argument;
    struct thread *me = thread_current();
    me->process = process;
    process_use_space(me, process->space, &process->fp);
    user_tls_set(process->tls);
    if (process->tell_id != 0) {
        int error = copy_to_user(uaddr(process->tell_id), &process->pid, sizeof(process->pid));
        (void)error; // as on Linux: it is the caller's memory, and its affair
    }
    user_enter(&process->regs);
}

// Gives it a number and a thread. It may have ended, and be gone, before this returns.
static int start(struct process *process, struct process *parent, const char *name, int32_t *pid)
{
    join_family(process, parent);
    *pid = process->pid;
    int error = thread_create(name, run, process, &process->thread);
    if (error != 0) {
        leave_family(process);
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
    struct path_start from = {process->root, process->directory, &process->as};
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

static int load(struct process *process, const char *path, const char *const *argv)
{
    struct exec_strings strings;
    struct program program;
    struct file *file;
    struct path_start from = {process->root, process->directory, &process->as};
    int error = add_arguments(&strings, argv);
    if (error == 0) {
        error = program_open(&from, path, &file);
        if (error == 0) {
            error = program_load(process->space, &from, file, path, &strings, &program);
            file_put(file);
        }
    }
    exec_strings_free(&strings);
    if (error == 0) {
        user_regs_init(&process->regs, uaddr(program.entry), uaddr(program.sp));
    }
    return error;
}

int process_spawn(const char *path, const char *const *argv, struct process **out)
{
    struct process *process;
    int32_t pid;
    int error = make(&process);
    if (error != 0) {
        return error;
    }
    process->root = mount_root_node();
    process->directory = mount_root_node();
    error = process_space_create(&process->space);
    error = error != 0 ? error : fd_table_create(&process->files);
    error = error != 0 ? error : open_console(process);
    error = error != 0 ? error : load(process, path, argv);
    if (error == 0) {
        *out = process; // before it runs
        error = start(process, NULL, base_name(path), &pid);
    }
    if (error != 0) {
        unmake(process);
    }
    return error;
}

// --- fork ----------------------------------------------------------------------------------------------------------

#define CLONE_VM 0x100u
#define CLONE_VFORK 0x4000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_SETTLS 0x80000u
#define CLONE_CHILD_SETTID 0x1000000u
// A copy of the caller's memory serves vfork(2) as well, if the caller waits.
#define CLONE_KNOWN                                                                                                    \
    (0xffu | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_SETTLS | CLONE_CHILD_SETTID)

static int copy(struct process *child, struct process *parent)
{
    child->root = parent->root;
    child->directory = parent->directory;
    vnode_get(child->root);
    vnode_get(child->directory);
    child->as = parent->as;
    child->umask = parent->umask;
    child->signals = parent->signals;
    child->signals.pending = 0;
    int error = process_space_create(&child->space);
    error = error != 0 ? error : fd_table_copy(parent->files, &child->files);
    error = error != 0 ? error : space_fork(child->space, parent->space);
    child->regs = *parent->current;
    user_regs_set_result(&child->regs, 0);
    irqflags_t flags = irq_save(); // what is in the registers is the parent's as long as nobody else runs here
    fp_save(&child->fp);
    irq_restore(flags);
    child->tls = user_tls();
    return error;
}

int process_fork(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t tls, uint64_t child_tid)
{
    struct process *parent = process_current(), *child;
    if ((flags & ~(uint64_t)CLONE_KNOWN) != 0 || ((flags & CLONE_VM) != 0 && (flags & CLONE_VFORK) == 0)) {
        return -EINVAL;
    }
    int32_t pid;
    int error = make(&child);
    if (error != 0) {
        return error;
    }
    error = copy(child, parent);
    if (error == 0) {
        if (stack != 0) {
            user_regs_set_sp(&child->regs, uaddr(stack));
        }
        child->tls = (flags & CLONE_SETTLS) != 0 ? tls : child->tls;
        child->tell_id = (flags & CLONE_CHILD_SETTID) != 0 ? child_tid : 0;
        error = start(child, parent, parent->thread->name, &pid);
    }
    if (error != 0) {
        unmake(child);
        return error;
    }
    if ((flags & CLONE_PARENT_SETTID) != 0) {
        error = copy_to_user(uaddr(parent_tid), &pid, sizeof(pid));
        (void)error; // likewise
    }
    if ((flags & CLONE_VFORK) != 0) {
        process_wait_released(pid);
    }
    return pid;
}

// --- exec ----------------------------------------------------------------------------------------------------------

int process_exec(char *path, const struct exec_strings *strings)
{
    struct process *process = process_current();
    struct path_start from = {process->root, process->directory, &process->as};
    struct space *space, *old = process->space;
    struct program program;
    struct file *file;
    int error = program_open(&from, path, &file);
    if (error != 0) {
        return error;
    }
    error = process_space_create(&space);
    if (error == 0) {
        error = program_load(space, &from, file, path, strings, &program);
        if (error != 0) {
            process_space_destroy(space);
        }
    }
    file_put(file);
    if (error != 0) {
        return error;
    }
    process->space = space; // from here on nothing fails
    __builtin_memset(&process->fp, 0, sizeof(process->fp));
    process_use_space(process->thread, space, &process->fp);
    process_space_destroy(old);
    fd_close_on_exec(process->files);
    signals_exec(&process->signals);
    user_tls_set(0);
    user_regs_init(process->current, uaddr(program.entry), uaddr(program.sp));
    thread_set_name(process->thread, base_name(path));
    process_release(process);
    return 0;
}
