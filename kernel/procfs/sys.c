// /proc/sys: what can be set, and limits.
#include <hal/entropy.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/events/epoll.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/space.h"
#include "kernel/proc/uts.h"
#include "kernel/procfs/procfs_internal.h"

static int may_set(void)
{
    return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

#define SHOW_NAME(function, field)                                                                                     \
    static int function(const struct proc_node *node, struct text *out)                                                \
    {                                                                                                                  \
        struct uts_names names;                                                                                        \
        uts_get(&names);                                                                                               \
        text_add(out, "%s\n", names.field);                                                                            \
        return 0;                                                                                                      \
    }
SHOW_NAME(show_system, system)
SHOW_NAME(show_node, node)
SHOW_NAME(show_domain, domain)
SHOW_NAME(show_release, release)
SHOW_NAME(show_version, version)
SHOW_NAME(show_machine, machine)

static int set_name(char *text, void (*set)(const char *name, size_t length))
{
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    int error = may_set();
    if (error == 0) {
        set(text, min_u64(length, UTS_LENGTH - 1));
    }
    return error;
}

static int store_node(const struct proc_node *node, char *text)
{
    return set_name(text, uts_set_node);
}

static int store_domain(const struct proc_node *node, char *text)
{
    return set_name(text, uts_set_domain);
}

#define SHOW_NUMBER(function, value)                                                                                   \
    static int function(const struct proc_node *node, struct text *out)                                                \
    {                                                                                                                  \
        text_add(out, "%lu\n", (uint64_t)(value));                                                                     \
        return 0;                                                                                                      \
    }
SHOW_NUMBER(show_overflow_id, 65534)
SHOW_NUMBER(show_last_capability, 40)
SHOW_NUMBER(show_overcommit, 1) // memory is promised without looking
SHOW_NUMBER(show_map_count, SPACE_AREAS_MAX)
SHOW_NUMBER(show_lowest_map, SPACE_LOW)
SHOW_NUMBER(show_nr_open, FD_LIMIT_MAX)

static int show_variable(const struct proc_node *node, struct text *out)
{
    text_add(out, "%lu\n", READ_ONCE(*node->entry->number));
    return 0;
}

static int show_watches_max(const struct proc_node *node, struct text *out)
{
    text_add(out, "%lu\n", epoll_watches_max());
    return 0;
}

static int store_variable(const struct proc_node *node, char *text)
{
    uint64_t value;
    int error = may_set();
    error = error != 0 ? error : parse_u64(text, &value);
    if (error == 0) {
        WRITE_ONCE(*node->entry->number, value);
    }
    return error;
}

static int store_pid_max(const struct proc_node *node, char *text)
{
    uint64_t value;
    int error = may_set();
    error = error != 0 ? error : parse_u64(text, &value);
    if (error == 0 && (value < PID_MAX_LEAST || value > PID_MAX_MOST)) {
        error = -EINVAL;
    }
    if (error == 0) {
        WRITE_ONCE(pid_max, value);
    }
    return error;
}

// A power of two, of a page at least, as capacities are.
static int store_pipe_max(const struct proc_node *node, char *text)
{
    uint64_t value, size = PAGE_SIZE;
    int error = may_set();
    error = error != 0 ? error : parse_u64(text, &value);
    if (error != 0 || value > 1u << 31) {
        return error != 0 ? error : -EINVAL;
    }
    while (size < value) {
        size *= 2;
    }
    WRITE_ONCE(pipe_limits.capacity_max, size);
    return 0;
}

static int show_file_count(const struct proc_node *node, struct text *out)
{
    text_add(out, "%lu\t0\t%lu\n", file_count(), READ_ONCE(file_count_max));
    return 0;
}

// A random one, as RFC 4122 writes them.
static int add_uuid(struct text *out, uint8_t bytes[16])
{
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    for (unsigned i = 0; i < 16; i++) {
        text_add(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
    }
    text_add(out, "\n");
    return 0;
}

static int show_uuid(const struct proc_node *node, struct text *out)
{
    uint8_t bytes[16];
    entropy_fill(bytes, sizeof(bytes));
    return add_uuid(out, bytes);
}

// A word that is 0 or 1.
static int store_flag(char *text, uint32_t *flag)
{
    uint64_t value;
    int error = may_set();
    error = error != 0 ? error : parse_u64(text, &value);
    if (error == 0 && value > 1) {
        error = -EINVAL;
    }
    if (error == 0) {
        WRITE_ONCE(*flag, (uint32_t)value);
    }
    return error;
}

#define FLAG(name, flag)                                                                                               \
    SHOW_NUMBER(show_##name, READ_ONCE(flag))                                                                          \
    static int store_##name(const struct proc_node *node, char *text)                                                  \
    {                                                                                                                  \
        return store_flag(text, &(flag));                                                                              \
    }
FLAG(log_restriction, log_restricted)
FLAG(hardlinks, vnode_protected_hardlinks)
FLAG(symlinks, vnode_protected_symlinks)

#define FILE(name_, show_) {.name = (name_), .mode = S_IFREG | 0444, .show = (show_)}
#define DIRECTORY(name_, entries_) {.name = (name_), .mode = S_IFDIR | 0555, .entries = (entries_)}

static const struct proc_entry random_entries[] = {FILE("uuid", show_uuid), {.name = NULL}};
static const struct proc_entry kernel_entries[] = {
    FILE("arch", show_machine),
    FILE("cap_last_cap", show_last_capability),
    {.name = "dmesg_restrict", .mode = S_IFREG | 0644, .show = show_log_restriction, .store = store_log_restriction},
    {.name = "domainname", .mode = S_IFREG | 0644, .show = show_domain, .store = store_domain},
    {.name = "hostname", .mode = S_IFREG | 0644, .show = show_node, .store = store_node},
    FILE("osrelease", show_release),
    FILE("ostype", show_system),
    FILE("overflowgid", show_overflow_id),
    FILE("overflowuid", show_overflow_id),
    {.name = "pid_max", .mode = S_IFREG | 0644, .show = show_variable, .store = store_pid_max, .number = &pid_max},
    DIRECTORY("random", random_entries),
    FILE("version", show_version),
    {.name = NULL},
};
static const struct proc_entry vm_entries[] = {
    FILE("max_map_count", show_map_count),
    FILE("mmap_min_addr", show_lowest_map),
    FILE("overcommit_memory", show_overcommit),
    {.name = NULL},
};
#define VARIABLE(name_, number_)                                                                                       \
    {.name = (name_), .mode = S_IFREG | 0644, .show = show_variable, .store = store_variable, .number = (number_)}

static const struct proc_entry epoll_entries[] = {
    {.name = "max_user_watches",
     .mode = S_IFREG | 0644,
     .show = show_watches_max,
     .store = store_variable,
     .number = &epoll_user_watches_max},
    {.name = NULL},
};
static const struct proc_entry fs_entries[] = {
    DIRECTORY("epoll", epoll_entries),
    VARIABLE("file-max", &file_count_max),
    FILE("file-nr", show_file_count),
    {.name = "protected_hardlinks", .mode = S_IFREG | 0644, .show = show_hardlinks, .store = store_hardlinks},
    {.name = "protected_symlinks", .mode = S_IFREG | 0644, .show = show_symlinks, .store = store_symlinks},
    FILE("nr_open", show_nr_open),
    {.name = "pipe-max-size",
     .mode = S_IFREG | 0644,
     .show = show_variable,
     .store = store_pipe_max,
     .number = &pipe_limits.capacity_max},
    VARIABLE("pipe-user-pages-hard", &pipe_limits.user_pages_hard),
    VARIABLE("pipe-user-pages-soft", &pipe_limits.user_pages_soft),
    {.name = NULL},
};
const struct proc_entry proc_sys_entries[] = {
    DIRECTORY("fs", fs_entries),
    DIRECTORY("kernel", kernel_entries),
    DIRECTORY("vm", vm_entries),
    {.name = NULL},
};
