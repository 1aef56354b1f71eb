// What files are: stat and its kin. Source: the man pages, section 2.
#include "kernel/fs/device.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/names.h"

#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EMPTY_PATH 0x1000u
#define AT_FDCWD (-100)
#define NS_PER_SECOND 1000000000ull

struct user_stat {
    uint64_t device, ino;
    uint32_t mode, links, uid, gid;
    uint64_t special, padding;
    int64_t size;
    int32_t block_size, padding_two;
    int64_t blocks;
    struct {
        uint64_t seconds, nanoseconds;
    } accessed, modified, changed;
    uint32_t unused[2];
};
static_assert(sizeof(struct user_stat) == 128, "struct stat of asm-generic/stat.h");

static uint64_t blocks_of(struct vnode *node)
{
    return node->ops != NULL && node->ops->blocks != NULL ? node->ops->blocks(node) : 0;
}

static int give_stat(struct vnode *node, uint64_t to)
{
    struct user_stat stat = {
        .device = node->mount != NULL && !node->nowhere ? node->mount->device : 0,
        .ino = node->ino,
        .mode = node->mode,
        .links = node->links,
        .uid = node->uid,
        .gid = node->gid,
        .special = node->device,
        .size = (int64_t)node->size,
        .block_size = PAGE_SIZE,
        .blocks = (int64_t)blocks_of(node),
        .accessed = {node->accessed_ns / NS_PER_SECOND, node->accessed_ns % NS_PER_SECOND},
        .modified = {node->modified_ns / NS_PER_SECOND, node->modified_ns % NS_PER_SECOND},
        .changed = {node->changed_ns / NS_PER_SECOND, node->changed_ns % NS_PER_SECOND},
    };
    return copy_to_user(uaddr(to), &stat, sizeof(stat));
}

typedef int giver(struct vnode *node, uint64_t to);

static int stat_of_descriptor(giver *give, uint64_t fd, uint64_t to)
{
    struct file *file;
    int error = fd_file_or_place(process_current()->files, (uint32_t)fd, &file);
    if (error == 0) {
        struct vnode nameless = {.links = 1, .mode = file->ops != NULL ? file->ops->kind : 0};
        if (file->ops != NULL && file->ops->number != NULL) {
            nameless.ino = file->ops->number(file);
        }
        if (file->ops != NULL && file->ops->owner != NULL) {
            file->ops->owner(file, &nameless.uid, &nameless.gid);
        }
        error = give(file->node != NULL ? file->node : &nameless, to);
        file_put(file);
    }
    return error;
}

static int stat_of_path(giver *give, uint64_t dirfd, uint64_t pathname, uint64_t to, uint64_t flags)
{
    struct user_path path;
    struct path_end end;
    int error = user_path_get(dirfd, pathname, (flags & AT_EMPTY_PATH) != 0, &path);
    if (error != 0) {
        return error;
    }
    if (path.text[0] == 0) {
        error = (int32_t)dirfd == AT_FDCWD ? give(path.start.directory, to) : stat_of_descriptor(give, dirfd, to);
    } else {
        error = path_walk(&path.start, path.text, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW, &end);
        if (error == 0) {
            error = give(end.node, to);
            path_end_put(&end);
        }
    }
    user_path_put(&path);
    return error;
}

int64_t sys_fstat(const uint64_t arguments[6])
{
    return stat_of_descriptor(give_stat, arguments[0], arguments[1]);
}

int64_t sys_newfstatat(const uint64_t arguments[6])
{
    return stat_of_path(give_stat, arguments[0], arguments[1], arguments[2], arguments[3]);
}

// --- statx ---------------------------------------------------------------------------------------------------------

#define STATX_BASIC_STATS 0x7ffu
#define STATX_MNT_ID 0x1000u
#define STATX_RESERVED 0x80000000u
#define AT_STATX_SYNC_TYPE 0x6000u
#define STATX_ATTR_MOUNT_ROOT 0x2000u

struct user_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, padding;
    uint64_t ino, size, blocks, attributes_mask;
    struct {
        int64_t seconds;
        uint32_t nanoseconds, padding;
    } accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint64_t rest[13];
};
static_assert(sizeof(struct user_statx) == 256, "struct statx of linux/stat.h");

static int give_statx(struct vnode *node, uint64_t to)
{
    uint64_t mount = node->mount != NULL ? node->mount->device : 0;
    bool root = node->mount != NULL && node == node->mount->root;
    struct user_statx stat = {
        .mask = STATX_BASIC_STATS | STATX_MNT_ID,
        .block_size = PAGE_SIZE,
        .attributes = root ? STATX_ATTR_MOUNT_ROOT : 0,
        .attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .links = node->links,
        .uid = node->uid,
        .gid = node->gid,
        .mode = (uint16_t)node->mode,
        .ino = node->ino,
        .size = node->size,
        .blocks = blocks_of(node),
        .accessed = {(int64_t)(node->accessed_ns / NS_PER_SECOND), (uint32_t)(node->accessed_ns % NS_PER_SECOND), 0},
        .changed = {(int64_t)(node->changed_ns / NS_PER_SECOND), (uint32_t)(node->changed_ns % NS_PER_SECOND), 0},
        .modified = {(int64_t)(node->modified_ns / NS_PER_SECOND), (uint32_t)(node->modified_ns % NS_PER_SECOND), 0},
        .special_major = (uint32_t)(node->device >> 8),
        .special_minor = (uint32_t)node->device & 0xff,
        .device_minor = (uint32_t)mount,
        .mount = mount,
    };
    return copy_to_user(uaddr(to), &stat, sizeof(stat));
}

int64_t sys_statx(const uint64_t arguments[6])
{
    if ((arguments[3] & STATX_RESERVED) != 0 || (arguments[2] & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE) {
        return -EINVAL;
    }
    return stat_of_path(give_statx, arguments[0], arguments[1], arguments[4], arguments[2]);
}

// --- statfs --------------------------------------------------------------------------------------------------------

#define ST_VALID 0x20u

static int give_statfs(struct vnode *node, uint64_t to)
{
    struct {
        uint64_t type, block_size, blocks, free, available, files, files_free;
        uint32_t id[2];
        uint64_t name_max, fragment, flags, spare[4];
    } info = {.block_size = PAGE_SIZE, .fragment = PAGE_SIZE, .name_max = NAME_MAX, .flags = ST_VALID};
    static_assert(sizeof(info) == 120, "struct statfs of asm-generic/statfs.h");
    const struct mount *mount = node->mount;
    info.type = mount != NULL ? mount->type->magic : 0x50495045; // PIPEFS_MAGIC: what has no name
    info.flags |= mount != NULL ? mount->flags : 0;
    if (mount != NULL && mount->type->figures != NULL) {
        struct mount_figures figures;
        mount->type->figures(node->mount, &figures);
        info.blocks = figures.pages;
        info.free = info.available = figures.pages_free;
        info.files = figures.inodes;
        info.files_free = figures.inodes_free;
    }
    return copy_to_user(uaddr(to), &info, sizeof(info));
}

int64_t sys_statfs(const uint64_t arguments[6])
{
    return stat_of_path(give_statfs, (uint64_t)AT_FDCWD, arguments[0], arguments[1], 0);
}

int64_t sys_fstatfs(const uint64_t arguments[6])
{
    return stat_of_descriptor(give_statfs, arguments[0], arguments[1]);
}
