// The machine's names, files that only memory knows, many descriptors at once. Source: the man pages, section 2.
#include "kernel/base/atomic.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/proc/uts.h"
#include "kernel/syscall/bodies.h"

int64_t sys_uname(const uint64_t arguments[6])
{
    struct uts_names names;
    static_assert(sizeof(names) == 390, "struct new_utsname, uname(2)");
    uts_get(&names);
    return copy_to_user(uaddr(arguments[0]), &names, sizeof(names));
}

static int64_t set_name(const uint64_t arguments[6], void (*set)(const char *name, size_t length))
{
    char name[UTS_LENGTH];
    int32_t length = (int32_t)arguments[1];
    if (!capable(CAP_SYS_ADMIN)) {
        return -EPERM;
    }
    if (length < 0 || length >= (int32_t)UTS_LENGTH) {
        return -EINVAL;
    }
    int error = length > 0 ? copy_from_user(name, uaddr(arguments[0]), (size_t)length) : 0;
    if (error == 0) {
        set(name, (size_t)length);
    }
    return error;
}

int64_t sys_sethostname(const uint64_t arguments[6])
{
    return set_name(arguments, uts_set_node);
}

int64_t sys_setdomainname(const uint64_t arguments[6])
{
    return set_name(arguments, uts_set_domain);
}

#define MFD_CLOEXEC 1u
#define MEMFD_NAME_MAX 249u

int64_t sys_memfd_create(const uint64_t arguments[6])
{
    char name[MEMFD_NAME_MAX + 1];
    size_t length;
    int error = copy_string_from_user(name, uaddr(arguments[0]), sizeof(name), &length);
    if (error != 0) {
        return error == -ENAMETOOLONG ? -EINVAL : error;
    }
    struct vnode *node;
    struct backing *pages;
    error = tmpfs_anonymous(credentials_current(), 0, &node, &pages);
    if (error != 0) {
        return error;
    }
    struct file *file;
    node->mode |= 0777;
    error = file_create(NULL, node, O_RDWR | O_LARGEFILE, &file);
    vnode_put(node);
    if (error != 0) {
        return error;
    }
    error = node->ops->open(node, file);
    if (error != 0) {
        file_put(file);
        return error;
    }
    return fd_install(process_current()->files, file, 0, ((uint32_t)arguments[1] & MFD_CLOEXEC) != 0);
}

#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

int64_t sys_close_range(const uint64_t arguments[6])
{
    struct fd_table *files = process_current()->files;
    uint32_t first = (uint32_t)arguments[0], last = (uint32_t)arguments[1], flags = (uint32_t)arguments[2];
    // A table of its own, for a process that shares it, is not to be had this way.
    if (first > last || ((flags & CLOSE_RANGE_UNSHARE) != 0 && READ_ONCE(files->references) > 1)) {
        return -EINVAL;
    }
    fd_close_range(files, first, last, (flags & CLOSE_RANGE_CLOEXEC) != 0);
    return 0;
}
