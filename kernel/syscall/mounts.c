// Mounting, and other roots. Source: mount(2), umount(2), chroot(2).
#include "kernel/fs/mount.h"

#include "kernel/base/format.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/names.h"

#define AT_FDCWD ((uint64_t)-100)
#define MS_REMOUNT 32u
#define MS_PRIVATE (1u << 18)
#define MS_REC 16384u
// That change nothing for files in memory: SYNCHRONOUS, DIRSYNC, NOATIME, NODIRATIME, SILENT, RELATIME, STRICTATIME,
// LAZYTIME.
#define MS_IGNORED (16u | 128u | 1024u | 2048u | 32768u | 1u << 21 | 1u << 24 | 1u << 25)
#define MS_MAGIC 0xc0ed0000u
#define UMOUNT_NOFOLLOW 8u
#define NAME_SIZE 64u

static int may_mount(void)
{
    return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int mount_new(const struct path_end *end, uint64_t source, uint64_t type, const char *options, unsigned flags)
{
    char name[NAME_SIZE], from[NAME_SIZE] = "none";
    size_t length;
    int error = type == 0 ? -EINVAL : copy_string_from_user(name, uaddr(type), sizeof(name), &length);
    if (error == 0 && source != 0) {
        error = copy_string_from_user(from, uaddr(source), sizeof(from), &length);
        error = error == -ENAMETOOLONG ? 0 : error; // it is only shown
        from[sizeof(from) - 1] = 0;
    }
    const struct filesystem *filesystem = error == 0 ? filesystem_find(name) : NULL;
    if (error == 0 && filesystem == NULL) {
        error = -ENODEV;
    }
    return error != 0 ? error : mount_add(filesystem, from, options, flags, end->node);
}

static int mount_as_told(const uint64_t arguments[6], const char *options)
{
    uint64_t flags = arguments[3];
    flags = (flags & 0xffff0000u) == MS_MAGIC ? flags & 0xffffu : flags;
    struct path_end end;
    int error = user_path_walk(AT_FDCWD, arguments[1], PATH_FOLLOW, &end);
    if (error != 0) {
        return error;
    }
    error = may_mount();
    if (error == 0 && (flags & ~(uint64_t)MS_REC) == MS_PRIVATE) {
        error = end.node == end.node->mount->root ? 0 : -EINVAL; // mounts are told to nobody as it is
    } else if (error == 0 && (flags & ~(uint64_t)(MOUNT_FLAGS | MS_REMOUNT | MS_IGNORED)) != 0) {
        error = -EINVAL;
    } else if (error == 0 && (flags & MS_REMOUNT) != 0) {
        error = mount_change(end.node, options, (unsigned)flags & MOUNT_FLAGS);
    } else if (error == 0) {
        error = mount_new(&end, arguments[0], arguments[2], options, (unsigned)flags & MOUNT_FLAGS);
    }
    path_end_put(&end);
    return error;
}

// A page of options, or as much of it as can be read, NUL or not. -EFAULT: nothing can.
static int take_options(char *options, uint64_t from)
{
    uint64_t first = PAGE_SIZE - (from & PAGE_MASK);
    int error = copy_from_user(options, uaddr(from), first);
    if (error == 0 && first < PAGE_SIZE &&
        copy_from_user(options + first, uaddr(from + first), PAGE_SIZE - first) != 0) {
        options[first] = 0;
    }
    options[PAGE_SIZE - 1] = 0;
    return error;
}

int64_t sys_mount(const uint64_t arguments[6])
{
    void *memory = NULL;
    int error = arguments[4] != 0 ? kmalloc(PAGE_SIZE, &memory) : 0;
    if (error == 0 && memory != NULL) {
        error = take_options(memory, arguments[4]);
    }
    error = error != 0 ? error : mount_as_told(arguments, memory != NULL ? memory : "");
    kfree(memory);
    return error;
}

int64_t sys_umount2(const uint64_t arguments[6])
{
    struct path_end end;
    unsigned flags = (arguments[1] & UMOUNT_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW;
    int error = user_path_walk(AT_FDCWD, arguments[0], flags, &end);
    if (error != 0) {
        return error;
    }
    vnode_put(end.directory);
    error = may_mount();
    error = error != 0 ? error : mount_remove(end.node);
    if (error != 0) {
        vnode_put(end.node);
    }
    return error;
}

int64_t sys_chroot(const uint64_t arguments[6])
{
    struct path_end end;
    int error = user_path_walk(AT_FDCWD, arguments[0], PATH_FOLLOW | PATH_DIRECTORY, &end);
    if (error != 0) {
        return error;
    }
    error = vnode_access(end.node, credentials_current(), ACCESS_EXEC);
    error = error == 0 && !capable(CAP_SYS_CHROOT) ? -EPERM : error;
    if (error == 0) {
        process_set_root(end.node);
        end.node = NULL;
    }
    path_end_put(&end);
    return error;
}
