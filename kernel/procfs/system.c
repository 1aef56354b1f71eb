// What /proc tells of the whole machine.
#include <hal/cpu.h>
#include <hal/entropy.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/proc/task.h"
#include "kernel/proc/uts.h"
#include "kernel/procfs/procfs_internal.h"
#include "kernel/sched/load.h"
#include "kernel/sched/thread.h"
#include "kernel/time/clock.h"

#define TICK_NS 10000000ul

static const char *command_line = "";

void proc_set_command_line(const char *text)
{
    command_line = text;
}

// --- memory, time, CPUs --------------------------------------------------------------------------------------------

static int show_meminfo(const struct proc_node *node, struct text *out)
{
    struct page_stats stats = page_pool_stats(&kernel_pages);
    uint64_t total = stats.total * (PAGE_SIZE >> 10), free = (stats.free + stats.cached) * (PAGE_SIZE >> 10);
    uint64_t slab = 0;
    for (unsigned i = 0; i < HEAP_CLASSES; i++) {
        slab += READ_ONCE(kernel_heap.classes[i].slabs) * (PAGE_SIZE >> 10);
    }
    const struct {
        const char *name;
        uint64_t kib;
    } lines[] = {
        {"MemTotal:", total},    {"MemFree:", free},
        {"MemAvailable:", free}, {"Buffers:", 0},
        {"Cached:", 0},          {"SwapCached:", 0},
        {"Active:", 0},          {"Inactive:", 0},
        {"SwapTotal:", 0},       {"SwapFree:", 0},
        {"Dirty:", 0},           {"Writeback:", 0},
        {"AnonPages:", 0},       {"Mapped:", 0},
        {"Shmem:", 0},           {"Slab:", slab},
        {"SReclaimable:", 0},    {"SUnreclaim:", slab},
        {"KernelStack:", 0},     {"PageTables:", 0},
        {"CommitLimit:", total}, {"Committed_AS:", total - free},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        text_add(out, "%s", lines[i].name);
        text_pad(out, 16);
        text_add(out, "%8lu kB\n", lines[i].kib);
    }
    return 0;
}

// Nanoseconds that a CPU had nothing to do; id MAX_CPUS: all of them.
static uint64_t idle_ns(unsigned id)
{
    uint64_t ns = 0;
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        const struct thread *idle = cpus[i].online ? cpus[i].queue.idle : NULL;
        ns += idle != NULL && (id == i || id == MAX_CPUS) ? thread_runtime(idle) : 0;
    }
    return ns;
}

static int show_uptime(const struct proc_node *node, struct text *out)
{
    uint64_t up = timer_now() / TICK_NS, idle = idle_ns(MAX_CPUS) / TICK_NS;
    text_add(out, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

static int show_loadavg(const struct proc_node *node, struct text *out)
{
    uint32_t tasks, running;
    int32_t last;
    process_count(&tasks, &running, &last);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t load = load_average(i);
        text_add(out, "%lu.%02lu ", load >> LOAD_SHIFT, ((load & LOAD_MASK) * 100) >> LOAD_SHIFT);
    }
    text_add(out, "%u/%u %d\n", running, tasks, last);
    return 0;
}

static void add_cpu_times(struct text *out, uint64_t idle)
{
    uint64_t up = timer_now();
    text_add(out, "%lu 0 0 %lu 0 0 0 0 0 0\n", (up > idle ? up - idle : 0) / TICK_NS, idle / TICK_NS);
}

static int show_stat(const struct proc_node *node, struct text *out)
{
    uint32_t tasks, running, online = 0;
    int32_t last;
    uint64_t switches = 0, idle = 0, busy = 0;
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        if (cpus[id].online) {
            uint64_t mine = idle_ns(id), up = timer_now();
            idle += mine;
            busy += up > mine ? up - mine : 0;
            switches += cpus[id].switches;
            online++;
        }
    }
    text_add(out, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", busy / TICK_NS, idle / TICK_NS);
    for (unsigned id = 0; id < online; id++) {
        text_add(out, "cpu%u ", id);
        add_cpu_times(out, idle_ns(id));
    }
    process_count(&tasks, &running, &last);
    text_add(out, "intr 0\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running %u\nprocs_blocked 0\n", switches,
             (uint64_t)(clock_realtime_offset() / NS_PER_SECOND), last, running);
    return 0;
}

static int show_cpuinfo(const struct proc_node *node, struct text *out)
{
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        if (cpus[id].online) {
            text_add(out, "processor\t: %u\nmodel name\t: %s\nFeatures\t: fp asimd\nCPU architecture: 8\n\n", id,
                     cpu_name());
        }
    }
    return 0;
}

// --- names ---------------------------------------------------------------------------------------------------------

static int show_version(const struct proc_node *node, struct text *out)
{
    struct uts_names names;
    uts_get(&names);
    text_add(out, "%s version %s (%s) %s\n", names.system, names.release, names.machine, names.version);
    return 0;
}

static int show_command_line(const struct proc_node *node, struct text *out)
{
    text_add(out, "%s\n", command_line);
    return 0;
}

static int show_filesystems(const struct proc_node *node, struct text *out)
{
    for (unsigned i = 0; filesystem_at(i) != NULL; i++) {
        text_add(out, "nodev\t%s\n", filesystem_at(i)->name);
    }
    return 0;
}

static int show_swaps(const struct proc_node *node, struct text *out)
{
    text_add(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return 0;
}

static int show_nothing(const struct proc_node *node, struct text *out)
{
    return 0;
}

// --- mounts --------------------------------------------------------------------------------------------------------

static void add_mount_flags(struct text *out, unsigned flags)
{
    text_add(out, "%s%s%s%s", (flags & MOUNT_READ_ONLY) != 0 ? "ro" : "rw",
             (flags & MOUNT_NO_SUID) != 0 ? ",nosuid" : "", (flags & MOUNT_NO_DEVICES) != 0 ? ",nodev" : "",
             (flags & MOUNT_NO_EXEC) != 0 ? ",noexec" : "");
}

// The path as it stands in a list.
static void add_place(struct text *out, struct vnode *root)
{
    struct text path = {.bytes = NULL};
    proc_add_path(&path, root);
    text_add_bytes(&path, "", 1);
    if (path.error == 0) {
        text_add_escaped(out, path.bytes);
    } else {
        out->error = path.error;
    }
    kfree(path.bytes);
}

int proc_show_mounts(const struct proc_node *node, struct text *out)
{
    struct mount_description mount;
    for (unsigned i = 0; mount_describe(i, &mount); i++) {
        text_add_escaped(out, mount.source);
        text_add(out, " ");
        add_place(out, mount.root);
        text_add(out, " %s ", mount.type);
        add_mount_flags(out, mount.flags);
        text_add(out, " 0 0\n");
        vnode_put(mount.root);
    }
    return 0;
}

int proc_show_mount_info(const struct proc_node *node, struct text *out)
{
    struct mount_description mount;
    for (unsigned i = 0; mount_describe(i, &mount); i++) {
        uint64_t id = mount.root->mount->device, parent = id;
        if (mount.root->mount->covers != NULL) {
            parent = mount.root->mount->covers->mount->device;
        }
        text_add(out, "%lu %lu 0:%lu / ", id, parent, id);
        add_place(out, mount.root);
        text_add(out, " ");
        add_mount_flags(out, mount.flags);
        text_add(out, " - %s ", mount.type);
        text_add_escaped(out, mount.source);
        text_add(out, (mount.flags & MOUNT_READ_ONLY) != 0 ? " ro\n" : " rw\n");
        vnode_put(mount.root);
    }
    return 0;
}

// --- the root ------------------------------------------------------------------------------------------------------

static int show_self(const struct proc_node *node, struct text *out)
{
    const struct process *me = process_current();
    text_add(out, "%d", me != NULL ? me->pid : 0);
    return me != NULL ? 0 : -ENOENT;
}

static int show_thread_self(const struct proc_node *node, struct text *out)
{
    const struct task *me = task_current();
    if (me != NULL) {
        text_add(out, "%d/task/%d", me->process->pid, me->tid);
    }
    return me != NULL ? 0 : -ENOENT;
}

static int show_mounts_link(const struct proc_node *node, struct text *out)
{
    text_add(out, "self/mounts");
    return 0;
}

#define FILE(name_, show_) {.name = (name_), .mode = S_IFREG | 0444, .show = (show_)}
#define LINK(name_, target_) {.name = (name_), .mode = S_IFLNK | 0777, .target = (target_)}

static const struct proc_entry root_entries[] = {
    FILE("cmdline", show_command_line),
    FILE("cpuinfo", show_cpuinfo),
    FILE("filesystems", show_filesystems),
    FILE("loadavg", show_loadavg),
    FILE("meminfo", show_meminfo),
    FILE("modules", show_nothing),
    LINK("mounts", show_mounts_link),
    LINK("self", show_self),
    FILE("stat", show_stat),
    FILE("swaps", show_swaps),
    {.name = "sys", .mode = S_IFDIR | 0555, .entries = proc_sys_entries},
    LINK("thread-self", show_thread_self),
    FILE("uptime", show_uptime),
    FILE("version", show_version),
    {.name = NULL},
};

const struct proc_entry proc_root_entry = {
    .name = "proc", .mode = S_IFDIR | 0555, .entries = root_entries, .numbers = PROC_PIDS};
