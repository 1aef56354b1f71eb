// /proc/<pid>: a process, and each of its tasks.
#include <fault/fault.h>

#include "kernel/base/atomic.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/task.h"
#include "kernel/procfs/procfs_internal.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/trace.h"
#include "kernel/time/clock.h"
#include "kernel/tty/tty.h"

#define TICK_NS 10000000ul // USER_HZ is 100
#define PID_OF(node_) ((node_)->tid != 0 ? (node_)->tid : (node_)->pid)

static int find(const struct proc_node *node, struct process_description *out)
{
    if (!process_describe(node->pid, node->tid, out)) {
        return -ESRCH;
    }
    if (!proc_lives(node)) {
        process_description_put(out);
        return -ESRCH;
    }
    return 0;
}

// --- stat, status --------------------------------------------------------------------------------------------------

struct sizes {
    uint64_t total, resident, limit, arguments, arguments_end, environment_end, stack, brk_start, brk;
};

static struct sizes sizes_of(const struct proc_node *node)
{
    struct sizes sizes = {0};
    struct process *process = proc_process(node);
    struct space *space = process != NULL ? process_space_get(process) : NULL;
    if (space != NULL) {
        sizes = (struct sizes){space->areas.bytes, space->resident,    process_limit(process, RLIMIT_RSS),
                               space->arguments,   space->environment, space->environment_end,
                               space->stack_start, space->brk_start,   space->brk};
        process_space_put(space);
    }
    process_put(process);
    return sizes;
}

static int show_stat(const struct proc_node *node, struct text *out)
{
    struct process_description who;
    struct tty_place tty;
    int error = find(node, &who);
    if (error != 0) {
        return error;
    }
    bool may_look = proc_may_look(node) == 0;
    struct sizes sizes = sizes_of(node);
    if (!may_look) { // sizes are everybody's to see, places are not
        sizes = (struct sizes){.total = sizes.total, .resident = sizes.resident, .limit = sizes.limit};
    }
    tty_of_session(who.session, &tty);
    text_add(out, "%d (%s) %c %d %d %d %d %d %u ", PID_OF(node), who.name, who.state, who.parent, who.group,
             who.session, (int)tty.number, tty.number != 0 ? tty.foreground : -1, 0x400000u);
    text_add(out, "%lu 0 0 0 %lu %lu %lu %lu 20 0 %u 0 %lu %lu %lu %lu 0 0 %lu 0 0 ", who.usage.faults,
             who.usage.user_ns / TICK_NS, who.usage.system_ns / TICK_NS, who.children.user_ns / TICK_NS,
             who.children.system_ns / TICK_NS, who.task_count, who.born_ns / TICK_NS, sizes.total, sizes.resident,
             sizes.limit, sizes.stack);
    text_add(out, "%lu %lu %lu %lu 0 0 0 %d %u 0 0 0 0 0 ", (who.pending | who.shared) & 0x7fffffff,
             who.blocked & 0x7fffffff, who.ignored & 0x7fffffff, who.caught & 0x7fffffff, who.exit_signal, who.cpu);
    text_add(out, "0 0 %lu %lu %lu %lu %lu %d\n", sizes.brk_start, sizes.arguments, sizes.arguments_end,
             sizes.arguments_end, sizes.environment_end, who.state == 'Z' && may_look ? who.status : 0);
    process_description_put(&who);
    return 0;
}

static const char *state_name(char state)
{
    return state == 'R'   ? "running"
           : state == 'S' ? "sleeping"
           : state == 'D' ? "disk sleep"
           : state == 'T' ? "stopped"
                          : "zombie";
}

static void add_masks(struct text *out, const struct process_description *who)
{
    const struct credentials *as = who->as;
    text_add(out, "SigQ:\t%lu/%lu\n", account_charged(as->account, CHARGE_SIGNALS), who->signals_limit);
    text_add(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", who->pending,
             who->shared, who->blocked, who->ignored, who->caught);
    text_add(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
             as->inheritable, as->permitted, as->effective, as->bounding, as->ambient);
    text_add(out, "NoNewPrivs:\t%u\nSeccomp:\t0\n", (unsigned)who->no_new_privileges);
}

static void add_cpus(struct text *out)
{
    uint64_t mask = 0;
    unsigned last = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        mask |= cpus[id].online ? 1ul << id : 0;
        last = cpus[id].online ? id : last;
    }
    text_add(out, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t0", mask);
    text_add(out, last > 0 ? "-%u\n" : "\n", last);
}

static int show_status(const struct proc_node *node, struct text *out)
{
    struct process_description who;
    int error = find(node, &who);
    if (error != 0) {
        return error;
    }
    const struct credentials *as = who.as;
    text_add(out, "Name:\t%s\nUmask:\t0%u%u%u\nState:\t%c (%s)\n", who.name, who.umask >> 6 & 7, who.umask >> 3 & 7,
             who.umask & 7, who.state, state_name(who.state));
    text_add(out, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", who.pid, PID_OF(node), who.parent);
    text_add(out, "Uid:\t%u\t%u\t%u\t%u\n", as->real_uid, as->effective_uid, as->saved_uid, as->uid);
    text_add(out, "Gid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t", as->real_gid, as->effective_gid, as->saved_gid,
             as->gid);
    for (uint32_t i = 0; i < credentials_group_count(as); i++) {
        text_add(out, "%u ", as->groups->ids[i]);
    }
    text_add(out, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", who.pid, PID_OF(node), who.group,
             who.session);
    error = who.state == 'Z' ? 0 : proc_show_memory_status(node, out);
    text_add(out, "Threads:\t%u\n", who.task_count);
    add_masks(out, &who);
    add_cpus(out);
    text_add(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t0\n", who.switches);
    process_description_put(&who);
    return error;
}

static int show_comm(const struct proc_node *node, struct text *out)
{
    struct process_description who;
    int error = find(node, &who);
    if (error == 0) {
        text_add(out, "%s\n", who.name);
        process_description_put(&who);
    }
    return error;
}

// --- links ---------------------------------------------------------------------------------------------------------

static int jump_to_place(const struct proc_node *node, bool root, struct vnode **out)
{
    int error = proc_may_look(node);
    struct process *process = error == 0 ? proc_process(node) : NULL;
    if (error == 0 && process == NULL) {
        error = -ENOENT;
    }
    if (error == 0) {
        struct path_start places;
        struct space *space = process_space_get(process); // NULL: it has ended, and has no place
        error = space == NULL ? -ENOENT : 0;
        if (error == 0) {
            process_places_get(process, &places);
            *out = root ? places.root : places.directory;
            vnode_get(*out);
            process_places_put(&places);
            error = *out == NULL ? -ENOENT : 0; // it has given them back meanwhile
        }
        process_space_put(space);
    }
    process_put(process);
    return error;
}

static int jump_to_directory(const struct proc_node *node, struct vnode **out)
{
    return jump_to_place(node, false, out);
}

static int jump_to_root(const struct proc_node *node, struct vnode **out)
{
    return jump_to_place(node, true, out);
}

// The path of what the link leads to.
static int show_target(const struct proc_node *node, struct text *out)
{
    struct vnode *target;
    int error = node->entry->jump(node, &target);
    if (error == 0) {
        proc_add_path(out, target);
        vnode_put(target);
    }
    return error;
}

static int file_of(const struct proc_node *node, struct file **out)
{
    int error = proc_may_look(node);
    struct process *process = error == 0 ? proc_process(node) : NULL;
    struct fd_table *files = process != NULL ? process_files_get(process) : NULL;
    if (error == 0) {
        error = files != NULL && fd_file_or_place(files, node->fd, out) == 0 ? 0 : -ENOENT;
    }
    if (files != NULL) {
        fd_table_put(files);
    }
    process_put(process);
    return error;
}

static int jump_to_file(const struct proc_node *node, struct vnode **out)
{
    struct file *file;
    int error = file_of(node, &file);
    if (error != 0) {
        return error;
    }
    if (file->node != NULL) {
        *out = file->node;
        vnode_get(*out);
    } else {
        error = proc_make_file_node(node, file, out);
    }
    file_put(file);
    return error;
}

static int show_file(const struct proc_node *node, struct text *out)
{
    struct file *file;
    int error = file_of(node, &file);
    if (error != 0) {
        return error;
    }
    if (file->node != NULL) {
        proc_add_path(out, file->node);
    } else if (file->ops->name != NULL) {
        text_add(out, "anon_inode:[%s]", file->ops->name);
    } else {
        text_add(out, "pipe:[%lu]", file->ops->number != NULL ? file->ops->number(file) : 0);
    }
    file_put(file);
    return 0;
}

static int show_file_info(const struct proc_node *node, struct text *out)
{
    struct file *file;
    int error = file_of(node, &file);
    if (error != 0) {
        return error;
    }
    uint32_t flags = file->flags;
    text_add(out, "pos:\t%lu\nflags:\t0%u%u%u%u%u%u%u%u\nmnt_id:\t%lu\nino:\t%lu\n", file->offset, flags >> 21 & 7,
             flags >> 18 & 7, flags >> 15 & 7, flags >> 12 & 7, flags >> 9 & 7, flags >> 6 & 7, flags >> 3 & 7,
             flags & 7, file->node != NULL ? file->node->mount->device : 0, file->node != NULL ? file->node->ino : 0);
    file_put(file);
    return 0;
}

const struct proc_entry proc_fd_entry = {
    .name = "fd", .mode = S_IFLNK | 0700, .target = show_file, .jump = jump_to_file};
const struct proc_entry proc_fd_info_entry = {
    .name = "fdinfo", .mode = S_IFREG | 0400, .secret = true, .show = show_file_info};

// --- switches ------------------------------------------------------------------------------------------------------

static int may_change(void)
{
    return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int show_trace(const struct proc_node *node, struct text *out)
{
    struct process_description who;
    int error = find(node, &who);
    if (error == 0) {
        text_add(out, "%u\n", (unsigned)who.traced);
        process_description_put(&who);
    }
    return error;
}

static int store_trace(const struct proc_node *node, char *text)
{
    uint64_t value;
    int error = may_change();
    error = error != 0 ? error : parse_u64(text, &value);
    struct process *process = error == 0 && value <= 1 ? proc_process(node) : NULL;
    if (error == 0 && process == NULL) {
        error = value > 1 ? -EINVAL : -ESRCH;
    }
    if (error == 0) {
        syscall_trace_process(process, value == 1);
    }
    process_put(process);
    return error;
}

static int store_comm(const struct proc_node *node, char *text)
{
    struct process *me = process_current();
    if (!proc_lives(node) || node->pid != me->pid || (node->tid != 0 && node->tid != task_current()->tid)) {
        return -EINVAL; // a thread's name is its own to change
    }
    thread_set_name(thread_current(), text);
    return 0;
}

static int show_oom_score(const struct proc_node *node, struct text *out)
{
    struct process *process = proc_process(node);
    if (process != NULL) {
        text_add(out, "%u\n", oom_score(process));
    }
    process_put(process);
    return process != NULL ? 0 : -ESRCH;
}

static int show_oom_adjustment(const struct proc_node *node, struct text *out)
{
    struct process *process = proc_process(node);
    if (process != NULL) {
        text_add(out, "%d\n", READ_ONCE(process->oom_score_adj));
    }
    process_put(process);
    return process != NULL ? 0 : -ESRCH;
}

// Only root makes a process less likely to be killed.
static int store_oom_adjustment(const struct proc_node *node, char *text)
{
    uint64_t value;
    bool negative = text[0] == '-';
    int error = parse_u64(text + negative, &value);
    if (error != 0 || value > 1000) {
        return -EINVAL;
    }
    int32_t wanted = negative ? -(int32_t)value : (int32_t)value;
    struct process *process = proc_process(node);
    if (process == NULL) {
        return -ESRCH;
    }
    if (wanted < READ_ONCE(process->oom_score_adj) && !capable(CAP_SYS_RESOURCE)) {
        error = -EACCES;
    } else {
        WRITE_ONCE(process->oom_score_adj, wanted);
    }
    process_put(process);
    return error;
}

#define FILE(name_, mode_, show_) {.name = (name_), .mode = S_IFREG | (mode_), .show = (show_)}
#define SECRET(name_, mode_, show_) {.name = (name_), .mode = S_IFREG | (mode_), .secret = true, .show = (show_)}
#define LINK(name_, jump_) {.name = (name_), .mode = S_IFLNK | 0777, .target = show_target, .jump = (jump_)}
#define DIRECTORY(name_, mode_, numbers_) {.name = (name_), .mode = S_IFDIR | (mode_), .numbers = (numbers_)}

#define COMMON_ENTRIES                                                                                                 \
    FILE("cmdline", 0444, proc_show_arguments), LINK("cwd", jump_to_directory),                                        \
        SECRET("environ", 0400, proc_show_environment), LINK("exe", proc_jump_to_program),                             \
        {.name = "fail-nth", .mode = S_IFREG | 0644, .ops = &proc_fail_nth_ops}, DIRECTORY("fd", 0500, PROC_FDS),      \
        DIRECTORY("fdinfo", 0500, PROC_FD_INFOS), SECRET("maps", 0444, proc_show_maps),                                \
        FILE("mountinfo", 0444, proc_show_mount_info), FILE("mounts", 0444, proc_show_mounts),                         \
        LINK("root", jump_to_root), FILE("stat", 0444, show_stat), FILE("statm", 0444, proc_show_statm),               \
        FILE("status", 0444, show_status),                                                                             \
    {                                                                                                                  \
        .name = "comm", .mode = S_IFREG | 0644, .show = show_comm, .store = store_comm                                 \
    }

static const struct proc_entry task_entries[] = {COMMON_ENTRIES, {.name = NULL}};
static const struct proc_entry process_entries[] = {
    COMMON_ENTRIES,
    DIRECTORY("task", 0555, PROC_TIDS),
    {.name = "oom_score", .mode = S_IFREG | 0444, .show = show_oom_score},
    {.name = "oom_score_adj", .mode = S_IFREG | 0644, .show = show_oom_adjustment, .store = store_oom_adjustment},
    {.name = "trace", .mode = S_IFREG | 0644, .show = show_trace, .store = store_trace},
    {.name = NULL},
};
const struct proc_entry proc_process_entry = {.name = "pid", .mode = S_IFDIR | 0555, .entries = process_entries};
const struct proc_entry proc_task_entry = {.name = "task", .mode = S_IFDIR | 0555, .entries = task_entries};
