// The file tree: open, make, remove, ask. Source: the man pages, section 2.
#include "kernel/base/atomic.h"
#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/names.h"
#include "kernel/syscall/structs.h"

#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR 0x200u
#define AT_EACCESS 0x200u
#define AT_FDCWD ((uint64_t)-100)
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_EMPTY_PATH 0x1000u
#define NS_PER_SECOND 1000000000ull

#define RESOLVE_NO_XDEV 1u
#define RESOLVE_NO_MAGICLINKS 2u
#define RESOLVE_NO_SYMLINKS 4u
#define RESOLVE_BENEATH 8u
#define RESOLVE_IN_ROOT 16u
#define RESOLVE_CACHED 32u // all names are in memory
#define RESOLVE_ALL 63u

// An absolute path begins at dirfd too, which is the root.
static int enter_root(struct path_start *start, uint64_t dirfd)
{
    int error = (int32_t)dirfd == (int32_t)AT_FDCWD ? 0 : path_start_at(start, dirfd);
    if (error == 0) {
        vnode_put(start->root);
        start->root = start->directory;
        vnode_get(start->root);
    }
    return error;
}

static int64_t open_file(uint64_t dirfd, uint64_t pathname, uint32_t flags, uint32_t mode, uint64_t resolve)
{
    struct process *process = process_current();
    struct user_path path;
    struct file *file;
    flags = (flags & O_PATH) != 0 ? flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : flags | O_LARGEFILE;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
        return -EINVAL; // no directory is made here
    }
    int error = user_path_get(dirfd, pathname, false, &path);
    if (error != 0) {
        return error;
    }
    if ((resolve & RESOLVE_IN_ROOT) != 0) {
        error = enter_root(&path.start, dirfd);
        if (error != 0) {
            user_path_put(&path);
            return error;
        }
    }
    unsigned how = ((resolve & RESOLVE_NO_XDEV) != 0 ? PATH_NO_MOUNTS : 0) |
                   ((resolve & RESOLVE_NO_MAGICLINKS) != 0 ? PATH_NO_JUMPS : 0) |
                   ((resolve & RESOLVE_IN_ROOT) != 0 ? PATH_IN_ROOT : 0) |
                   ((resolve & RESOLVE_NO_SYMLINKS) != 0 ? PATH_NO_LINKS : 0) |
                   ((resolve & RESOLVE_BENEATH) != 0 ? PATH_BENEATH : 0);
    error = file_open_how(&path.start, path.text, flags, mode & 07777 & ~READ_ONCE(process->umask), how, &file);
    user_path_put(&path);
    return error != 0 ? error : fd_install(process->files, file, 0, (flags & O_CLOEXEC) != 0);
}

int64_t sys_openat(const uint64_t arguments[6])
{
    return open_file(arguments[0], arguments[1], (uint32_t)arguments[2], (uint32_t)arguments[3], 0);
}

#define OPEN_FLAGS 037777703u // all that are defined
#define OPEN_HOW_SIZE 24u

int64_t sys_openat2(const uint64_t arguments[6])
{
    struct {
        uint64_t flags, mode, resolve;
    } how;
    int error = copy_struct_from_user(&how, sizeof(how), arguments[2], arguments[3], OPEN_HOW_SIZE);
    if (error != 0) {
        return error;
    }
    bool makes = (how.flags & (O_CREAT | O_TMPFILE)) != 0;
    if ((how.flags & ~(uint64_t)OPEN_FLAGS) != 0 || (how.resolve & ~(uint64_t)RESOLVE_ALL) != 0 ||
        (how.mode & ~07777ull) != 0 || (!makes && how.mode != 0) ||
        (how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
        return -EINVAL;
    }
    if ((how.flags & O_PATH) != 0 && (how.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) != 0) {
        return -EINVAL;
    }
    if ((how.resolve & RESOLVE_CACHED) != 0 && (how.flags & (O_TRUNC | O_CREAT | O_TMPFILE)) != 0) {
        return -EAGAIN;
    }
    return open_file(arguments[0], arguments[1], (uint32_t)how.flags, (uint32_t)how.mode, how.resolve);
}

// --- making and removing -------------------------------------------------------------------------------------------

// What is to be made must not be there, and its directory must allow it: asked here for the sake of the error that
// comes first, and again when it is made. mount: that it is to be on; NULL: any.
static int find_place(uint64_t dirfd, uint64_t path, bool directory, const struct mount *mount, struct path_end *end)
{
    int error = user_path_walk(dirfd, path, PATH_MAY_MISS | PATH_PARENT, end);
    if (error != 0) {
        return error;
    }
    if (end->node != NULL || end->directory == NULL) {
        error = -EEXIST;
    } else if (end->slash && !directory) {
        error = -ENOENT;
    } else if (mount != NULL && end->directory->mount != mount) {
        error = -EXDEV;
    } else {
        error = vnode_access(end->directory, credentials_current(), ACCESS_WRITE | ACCESS_EXEC);
    }
    if (error != 0) {
        path_end_put(end);
    }
    return error;
}

static int64_t make(uint64_t dirfd, uint64_t path, uint32_t mode, uint64_t device, const char *target)
{
    struct path_end end;
    int error = find_place(dirfd, path, (mode & S_IFMT) == S_IFDIR, NULL, &end);
    if (error == 0) {
        const struct credentials *as = credentials_current();
        // Character device 0 is none: what overlays mark a removed name with.
        bool device_node = (mode & S_IFMT) == S_IFBLK || ((mode & S_IFMT) == S_IFCHR && device != 0);
        error = end.directory->ops->create == NULL ? -ENOENT // as on Linux's /proc
                : device_node && !credentials_capable(as, CAP_MKNOD)
                    ? -EPERM
                    : end.directory->ops->create(end.directory, end.name, end.name_length, mode, device, target, as,
                                                 &end.node);
        path_end_put(&end);
    }
    return error;
}

int64_t sys_mkdirat(const uint64_t arguments[6])
{
    uint32_t mode = (uint32_t)arguments[2] & 01777 & ~READ_ONCE(process_current()->umask);
    return make(arguments[0], arguments[1], S_IFDIR | mode, 0, NULL);
}

int64_t sys_mknodat(const uint64_t arguments[6])
{
    uint32_t mode = (uint32_t)arguments[2], type = mode & S_IFMT;
    type = type == 0 ? S_IFREG : type;
    if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO && type != S_IFSOCK) {
        return type == S_IFDIR ? -EPERM : -EINVAL;
    }
    return make(arguments[0], arguments[1], type | (mode & 07777 & ~READ_ONCE(process_current()->umask)),
                (uint32_t)arguments[3], NULL);
}

int64_t sys_symlinkat(const uint64_t arguments[6])
{
    void *target;
    size_t length;
    int64_t error = kmalloc(PATH_MAX, &target);
    if (error != 0) {
        return error;
    }
    error = copy_string_from_user(target, uaddr(arguments[0]), PATH_MAX, &length);
    if (error == 0) {
        error = length == 0 ? -ENOENT : make(arguments[1], arguments[2], S_IFLNK | 0777, 0, target);
    }
    kfree(target);
    return error;
}

int64_t sys_linkat(const uint64_t arguments[6])
{
    const struct credentials *as = credentials_current();
    struct path_end from, to;
    unsigned flags = (arguments[4] & AT_SYMLINK_FOLLOW) != 0 ? PATH_FOLLOW : 0;
    bool empty = (arguments[4] & AT_EMPTY_PATH) != 0;
    if (empty && !credentials_capable(as, CAP_DAC_READ_SEARCH)) {
        return -ENOENT; // a descriptor is no right to a name: no directory has been asked
    }
    int error = user_path_node(arguments[0], arguments[1], flags, empty, &from);
    if (error != 0) {
        return error;
    }
    error = from.node->mount == NULL ? -EXDEV : find_place(arguments[2], arguments[3], false, from.node->mount, &to);
    if (error == 0) {
        error = vnode_may_link(from.node, as);
        error = error != 0 ? error
                : vnode_is(from.node, S_IFDIR) || to.directory->ops->link == NULL
                    ? -EPERM
                    : to.directory->ops->link(to.directory, to.name, to.name_length, from.node, as);
        path_end_put(&to);
    }
    path_end_put(&from);
    return error;
}

static int remove_name(const struct path_end *end, bool directory)
{
    const struct credentials *as = credentials_current();
    if (end->directory == NULL) {
        return !directory ? -EISDIR : end->up ? -ENOTEMPTY : end->node == end->node->mount->root ? -EBUSY : -EINVAL;
    }
    int error = vnode_may_change(end->directory);
    if (error != 0 || end->node == NULL) {
        return error != 0 ? error : -ENOENT;
    }
    if (end->slash && !directory) {
        return vnode_is(end->node, S_IFDIR) ? -EISDIR : -ENOTDIR;
    }
    if (end->directory->ops->unlink == NULL) {
        error = vnode_may_remove(end->directory, end->node, as);
        return error != 0 ? error : -EPERM;
    }
    return end->directory->ops->unlink(end->directory, end->name, end->name_length, directory, as);
}

int64_t sys_unlinkat(const uint64_t arguments[6])
{
    struct path_end end;
    int error = user_path_walk(arguments[0], arguments[1], PATH_MAY_MISS | PATH_PARENT, &end);
    if (error == 0) {
        error = remove_name(&end, (arguments[2] & AT_REMOVEDIR) != 0);
        path_end_put(&end);
    }
    return error;
}

// A slash behind a name: it is that of a directory, or becomes it.
static bool slashes_fit(const struct path_end *from, const struct path_end *to, bool exchange)
{
    bool directory = vnode_is(from->node, S_IFDIR);
    if (exchange && to->slash && !vnode_is(to->node, S_IFDIR)) {
        return false;
    }
    return directory || (!from->slash && (exchange || !to->slash));
}

static int rename(const struct path_end *from, const struct path_end *to, unsigned flags)
{
    const struct credentials *as = credentials_current();
    bool exchange = (flags & RENAME_EXCHANGE) != 0;
    if (from->directory == NULL || to->directory == NULL) { // ".", ".." or a root
        return from->directory != NULL && (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
    }
    if (from->directory->mount != to->directory->mount) {
        return -EXDEV;
    }
    int error = vnode_may_change(from->directory);
    if (error != 0) {
        return error;
    }
    if (from->node == NULL || (exchange && to->node == NULL)) {
        return -ENOENT;
    }
    if ((flags & RENAME_NOREPLACE) != 0 && to->node != NULL) {
        return -EEXIST;
    }
    if (!slashes_fit(from, to, exchange)) {
        return -ENOTDIR;
    }
    if (from->directory->ops->rename == NULL) {
        error = vnode_may_remove(from->directory, from->node, as);
        return error != 0 ? error : to->node != NULL ? -EPERM : -ENOENT; // nothing can be made there either
    }
    return from->directory->ops->rename(from->directory, from->name, from->name_length, to->directory, to->name,
                                        to->name_length, flags, as);
}

int64_t sys_renameat2(const uint64_t arguments[6])
{
    struct path_end from, to;
    unsigned flags = (unsigned)arguments[4];
    if ((flags & RENAME_NOREPLACE) != 0 && (flags & RENAME_EXCHANGE) != 0) {
        return -EINVAL;
    }
    int error = user_path_walk(arguments[0], arguments[1], PATH_MAY_MISS | PATH_PARENT, &from);
    if (error != 0) {
        return error;
    }
    error = user_path_walk(arguments[2], arguments[3], PATH_MAY_MISS | PATH_PARENT, &to);
    if (error == 0) {
        error = rename(&from, &to, flags);
        path_end_put(&to);
    }
    path_end_put(&from);
    return error;
}

int64_t sys_renameat(const uint64_t arguments[6])
{
    const uint64_t with_flags[6] = {arguments[0], arguments[1], arguments[2], arguments[3], 0, 0};
    return sys_renameat2(with_flags);
}

int64_t sys_truncate(const uint64_t arguments[6])
{
    struct path_end end;
    int error = user_path_walk(AT_FDCWD, arguments[0], PATH_FOLLOW, &end);
    if (error == 0) {
        error = vnode_is(end.node, S_IFREG)   ? vnode_access(end.node, credentials_current(), ACCESS_WRITE)
                : vnode_is(end.node, S_IFDIR) ? -EISDIR
                                              : -EINVAL;
        error = error != 0 ? error : file_truncate(end.node, arguments[1]);
        path_end_put(&end);
    }
    return error;
}

int64_t sys_ftruncate(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    bool good = file->node != NULL && vnode_is(file->node, S_IFREG) && file_writes(file);
    error = good ? file_truncate(file->node, arguments[1]) : -EINVAL;
    file_put(file);
    return error;
}

// --- asking ------------------------------------------------------------------------------------------------------

static int access_by(const struct credentials *as, const uint64_t arguments[6])
{
    struct path_end end;
    unsigned flags = (arguments[3] & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW;
    bool empty = (arguments[3] & AT_EMPTY_PATH) != 0;
    int error = user_path_node_as(as, arguments[0], arguments[1], flags, empty, &end);
    if (error == 0) {
        error = vnode_access(end.node, as, (unsigned)arguments[2]);
        path_end_put(&end);
    }
    return error;
}

// Whom the program acts for, with the rights that he would have by himself.
static int access_by_real_user(const struct credentials *as, const uint64_t arguments[6])
{
    struct credentials *real;
    bool fixed = (as->securebits & SECURE_BIT(SECURE_NO_SETUID_FIXUP)) != 0;
    uint64_t effective = fixed ? as->effective : as->real_uid == 0 ? as->permitted : 0;
    if (as->uid == as->real_uid && as->gid == as->real_gid && as->effective == effective) {
        return access_by(as, arguments);
    }
    int error = credentials_copy(as, &real);
    if (error == 0) {
        real->uid = as->real_uid;
        real->gid = as->real_gid;
        real->effective = effective;
        error = access_by(real, arguments);
        credentials_put(real);
    }
    return error;
}

int64_t sys_faccessat(const uint64_t arguments[6])
{
    const uint64_t with_flags[6] = {arguments[0], arguments[1], arguments[2], 0, 0, 0};
    return sys_faccessat2(with_flags);
}

int64_t sys_faccessat2(const uint64_t arguments[6])
{
    const struct credentials *as = credentials_current();
    return (arguments[3] & AT_EACCESS) != 0 ? access_by(as, arguments) : access_by_real_user(as, arguments);
}

int64_t sys_readlinkat(const uint64_t arguments[6])
{
    struct path_end end;
    void *text;
    if ((int32_t)arguments[3] <= 0) {
        return -EINVAL;
    }
    int64_t result = user_path_node(arguments[0], arguments[1], 0, true, &end);
    if (result != 0) {
        return result;
    }
    char first;
    result = copy_from_user(&first, uaddr(arguments[1]), 1);
    if (result == 0) { // an empty path is a link that was opened itself
        result = vnode_is(end.node, S_IFLNK) ? kmalloc(PATH_MAX, &text) : first != 0 ? -EINVAL : -ENOENT;
    }
    if (result == 0) {
        result = end.node->ops->readlink(end.node, text, min_u64(arguments[3], PATH_MAX));
        int error = result > 0 ? copy_to_user(uaddr(arguments[2]), text, (size_t)result) : 0;
        result = error != 0 ? error : result;
        kfree(text);
    }
    path_end_put(&end);
    return result;
}

#define DIRENT_HEAD 19u // ino, offset, record length, type

static int give_entry(uint64_t to, const struct directory_entry *entry, uint64_t cursor, uint64_t size)
{
    struct __attribute__((packed)) {
        uint64_t ino, offset;
        uint16_t length;
        uint8_t type;
        char name[NAME_MAX + 8];
    } out = {entry->ino, cursor, (uint16_t)size, (uint8_t)(entry->mode >> 12), {0}};
    __builtin_memcpy(out.name, entry->name, entry->length);
    return copy_to_user(uaddr(to), &out, size);
}

// "." and "..", then what the filesystem says. file->offset counts them as 0 and 1.
static int next_entry(struct file *file, uint64_t *cursor, struct directory_entry *out, char name[NAME_MAX])
{
    if (*cursor < 2) {
        *out = (struct directory_entry){"..", *cursor + 1, file->node->ino, S_IFDIR};
        (*cursor)++;
        return 0;
    }
    uint64_t inner = *cursor - 2;
    int error = file->node->ops->entry(file->node, &inner, out, name);
    *cursor = inner + 2;
    return error;
}

static int64_t give_entries(struct file *file, uint64_t to, uint64_t room)
{
    char name[NAME_MAX];
    uint64_t done = 0;
    if (file->node->ops->gone != NULL && file->node->ops->gone(file->node)) {
        return -ENOENT;
    }
    for (;;) {
        struct directory_entry entry;
        uint64_t cursor = file->offset;
        int error = next_entry(file, &cursor, &entry, name);
        if (error == -ENOENT) {
            return (int64_t)done;
        }
        uint64_t size = error == 0 ? round_up(DIRENT_HEAD + entry.length + 1, 8) : 0;
        if (error == 0 && size > room - done) {
            error = -EINVAL; // not even one fits
        }
        if (error == 0) {
            error = give_entry(to + done, &entry, cursor, size);
        }
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        WRITE_ONCE(file->offset, cursor);
        done += size;
        if (thread_interrupted()) {
            return (int64_t)done;
        }
    }
}

int64_t sys_getdents64(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    int64_t result = -ENOTDIR;
    if (file->node != NULL && vnode_is(file->node, S_IFDIR)) {
        mutex_lock(&file->lock);
        result = give_entries(file, arguments[1], (uint32_t)arguments[2]);
        mutex_unlock(&file->lock);
    }
    file_put(file);
    return result;
}

static int set_mode(struct vnode *node, uint32_t mode)
{
    const struct credentials *as = credentials_current();
    int error = vnode_may_change(node);
    if (error != 0) {
        return error;
    }
    mutex_lock(&node->lock);
    if (as->uid != node->uid && !credentials_capable(as, CAP_FOWNER)) {
        error = -EPERM;
    } else {
        bool group = credentials_in_group(as, node->gid) || credentials_capable(as, CAP_FSETID);
        WRITE_ONCE(node->mode, (node->mode & S_IFMT) | (mode & 07777 & ~(group ? 0 : S_ISGID)));
        node->changed_ns = vnode_now();
    }
    mutex_unlock(&node->lock);
    return error;
}

// Who has no right to it may keep what he has, and give it to a group of his. A program loses its set-id bits, which is
// a change of its mode: for its owner.
static bool may_own(const struct credentials *as, const struct vnode *node, uint32_t uid, uint32_t gid, uint32_t lost)
{
    bool owns = as->uid == node->uid;
    bool user = uid == UINT32_MAX || (owns && uid == node->uid);
    bool group = gid == UINT32_MAX || (owns && (gid == node->gid || credentials_in_group(as, gid)));
    return ((user && group) || credentials_capable(as, CAP_CHOWN)) &&
           (lost == 0 || owns || credentials_capable(as, CAP_FOWNER));
}

static int set_owner(struct vnode *node, uint32_t uid, uint32_t gid)
{
    const struct credentials *as = credentials_current();
    int error = vnode_may_change(node);
    if (error != 0) {
        return error;
    }
    mutex_lock(&node->lock);
    uint32_t lost = vnode_is(node, S_IFDIR) ? 0 : vnode_lost_bits(node, as);
    error = may_own(as, node, uid, gid, lost) ? 0 : -EPERM;
    if (error == 0) {
        node->uid = uid != UINT32_MAX ? uid : node->uid;
        node->gid = gid != UINT32_MAX ? gid : node->gid;
        WRITE_ONCE(node->mode, node->mode & ~lost);
        node->changed_ns = vnode_now();
    }
    mutex_unlock(&node->lock);
    return error;
}

int64_t sys_fchmodat(const uint64_t arguments[6])
{
    struct path_end end;
    int error = user_path_walk(arguments[0], arguments[1], PATH_FOLLOW, &end);
    if (error == 0) {
        error = set_mode(end.node, (uint32_t)arguments[2]);
        path_end_put(&end);
    }
    return error;
}

int64_t sys_fchownat(const uint64_t arguments[6])
{
    struct path_end end;
    unsigned flags = (arguments[4] & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW;
    int error = user_path_node(arguments[0], arguments[1], flags, (arguments[4] & AT_EMPTY_PATH) != 0, &end);
    if (error == 0) {
        error = set_owner(end.node, (uint32_t)arguments[2], (uint32_t)arguments[3]);
        path_end_put(&end);
    }
    return error;
}

int64_t sys_fchmod(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error == 0) {
        error = file->node != NULL ? set_mode(file->node, (uint32_t)arguments[1]) : -EINVAL;
        file_put(file);
    }
    return error;
}

int64_t sys_fchown(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error == 0) {
        error = file->node != NULL ? set_owner(file->node, (uint32_t)arguments[1], (uint32_t)arguments[2]) : -EINVAL;
        file_put(file);
    }
    return error;
}

int64_t sys_fsync(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error == 0) {
        bool stored = file->node != NULL && (vnode_is(file->node, S_IFREG) || vnode_is(file->node, S_IFDIR));
        error = stored ? 0 : -EINVAL; // what is in memory is where it belongs
        file_put(file);
    }
    return error;
}

int64_t sys_fdatasync(const uint64_t arguments[6])
{
    return sys_fsync(arguments);
}

int64_t sys_sync(const uint64_t arguments[6])
{
    return 0;
}

// --- where we are --------------------------------------------------------------------------------------------------

int64_t sys_getcwd(const uint64_t arguments[6])
{
    struct path_start places;
    void *text;
    int64_t result = kmalloc(PATH_MAX, &text);
    if (result != 0) {
        return result;
    }
    process_places_get(process_current(), &places);
    result = path_of(places.directory, places.root, text, min_u64(arguments[1], PATH_MAX));
    process_places_put(&places);
    if (result == 0) {
        size_t length = 1;
        while (((char *)text)[length - 1] != 0) {
            length++;
        }
        result = copy_to_user(uaddr(arguments[0]), text, length);
        result = result == 0 ? (int64_t)length : result;
    }
    kfree(text);
    return result;
}

static int64_t go_to(struct vnode *node) // takes over the reference
{
    int error = vnode_is(node, S_IFDIR) ? vnode_access(node, credentials_current(), ACCESS_EXEC) : -ENOTDIR;
    if (error != 0) {
        vnode_put(node);
        return error;
    }
    process_set_directory(node);
    return 0;
}

int64_t sys_chdir(const uint64_t arguments[6])
{
    struct path_end end;
    int error = user_path_walk(AT_FDCWD, arguments[0], PATH_FOLLOW, &end);
    if (error != 0) {
        return error;
    }
    vnode_put(end.directory);
    return go_to(end.node);
}

int64_t sys_fchdir(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file_or_place(process_current()->files, (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    struct vnode *node = file->node;
    vnode_get(node);
    file_put(file);
    return node != NULL ? go_to(node) : -ENOTDIR;
}

int64_t sys_umask(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint32_t before = __atomic_exchange_n(&process->umask, (uint32_t)arguments[0] & 0777, __ATOMIC_RELAXED);
    return before;
}

// --- times ---------------------------------------------------------------------------------------------------------

#define UTIME_NOW 0x3fffffffu
#define UTIME_OMIT 0x3ffffffeu

struct user_timespec {
    int64_t seconds;
    uint64_t nanoseconds;
};

static int choose_time(const struct user_timespec *time, uint64_t *out)
{
    if (time->nanoseconds == UTIME_NOW) {
        *out = vnode_now();
    } else if (time->nanoseconds != UTIME_OMIT) {
        if (time->nanoseconds >= NS_PER_SECOND || time->seconds < 0 ||
            time->seconds > INT64_MAX / (int64_t)NS_PER_SECOND - 1) {
            return -EINVAL;
        }
        *out = (uint64_t)time->seconds * NS_PER_SECOND + time->nanoseconds;
    }
    return 0;
}

// Who may write may say "now"; anything else only the owner.
static int may_set_times(const struct vnode *node, const struct user_timespec times[2])
{
    const struct credentials *as = credentials_current();
    int error = vnode_may_change(node);
    if (error != 0 || as->uid == node->uid || capable(CAP_FOWNER)) {
        return error;
    }
    bool now = times[0].nanoseconds == UTIME_NOW && times[1].nanoseconds == UTIME_NOW;
    return now ? vnode_access(node, as, ACCESS_WRITE) : -EPERM;
}

static int set_times(struct vnode *node, const struct user_timespec times[2])
{
    uint64_t accessed = node->accessed_ns, modified = node->modified_ns;
    int error = choose_time(&times[0], &accessed);
    error = error != 0 ? error : choose_time(&times[1], &modified);
    error = error != 0 ? error : may_set_times(node, times);
    if (error == 0) {
        mutex_lock(&node->lock);
        node->accessed_ns = accessed;
        node->modified_ns = modified;
        node->changed_ns = vnode_now();
        mutex_unlock(&node->lock);
    }
    return error;
}

int64_t sys_utimensat(const uint64_t arguments[6])
{
    struct user_timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int error = arguments[2] != 0 ? copy_from_user(times, uaddr(arguments[2]), sizeof(times)) : 0;
    if (error != 0) {
        return error;
    }
    if (times[0].nanoseconds == UTIME_OMIT && times[1].nanoseconds == UTIME_OMIT) {
        return 0;
    }
    if (arguments[1] == 0 && (uint32_t)arguments[0] != (uint32_t)AT_FDCWD) { // the descriptor's own
        struct file *file;
        error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
        if (error == 0) {
            error = file->node != NULL ? set_times(file->node, times) : -EINVAL;
            file_put(file);
        }
        return error;
    }
    struct path_end end;
    unsigned flags = (arguments[3] & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW;
    error = user_path_node(arguments[0], arguments[1], flags, (arguments[3] & AT_EMPTY_PATH) != 0, &end);
    if (error == 0) {
        error = set_times(end.node, times);
        path_end_put(&end);
    }
    return error;
}
