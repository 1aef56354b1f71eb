// Between tmpfs.c and tmpfs_file.c only.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/page_map.h"
#include "kernel/mm/space.h"

// What a mount may take: no more than its options say, and no less than is left to processes. Atomic, both; 0: no
// limit.
struct tmpfs_limits {
    uint64_t pages_max, inodes_max;
};
struct tmpfs_use { // a mount's
    struct tmpfs_limits limits;
    uint64_t pages, inodes; // inodes: also of further names of a file
    uint64_t removed;       // nodes without a name that somebody still has
};
struct tmpfs_options {
    struct tmpfs_limits limits;
    bool pages_given, inodes_given;
    uint32_t mode, uid, gid;
};

static inline struct tmpfs_use *tmpfs_use(const struct mount *mount)
{
    return mount->data;
}

// -EINVAL: unknown, or makes no sense. options has what holds without them.
[[nodiscard]] int tmpfs_parse_options(const char *text, struct tmpfs_options *options);
[[nodiscard]] int tmpfs_take_pages(const struct mount *mount, uint64_t count); // -ENOSPC: nothing taken
void tmpfs_give_pages(const struct mount *mount, uint64_t count);
[[nodiscard]] int tmpfs_take_inode(const struct mount *mount); // -ENOSPC: nothing taken
void tmpfs_give_inode(const struct mount *mount);
// mount(2) with MS_REMOUNT. -EINVAL: less than is in use, or a limit where there was none. Nothing changed then.
[[nodiscard]] int tmpfs_change(struct mount *mount, const char *options);

struct tmpfs_node {
    struct vnode vnode;
    struct backing backing; // its pages, for areas that map it
    union {
        struct page_map pages;      // regular file
        char *target;               // symbolic link
        struct {                    // directory
            struct tree names, ids; // of struct tmpfs_entry
            uint64_t next_id;
        };
    };
    struct tmpfs_entry *entry; // the name it got last; NULL: the root, or gone. The mount's names
    bool nameless;             // never had one, and may still get it: O_TMPFILE
    bool removed;              // counted among those of its mount
};

static inline struct tmpfs_node *tmpfs_node(struct vnode *vnode)
{
    return container_of(vnode, struct tmpfs_node, vnode);
}

extern const struct file_ops tmpfs_file_ops, tmpfs_directory_ops;
extern const struct backing_ops tmpfs_backing_ops;
// -ETXTBSY: a program that runs is in it. truncate likewise.
int tmpfs_may_write(struct vnode *vnode);
int tmpfs_truncate(struct vnode *vnode, uint64_t size);
int tmpfs_allocate(struct vnode *vnode, uint64_t offset, uint64_t size, bool hole);
