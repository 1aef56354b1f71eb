// Filesystems and where they hang. Task context; may sleep.
#pragma once

#include "kernel/base/list.h"
#include "kernel/fs/vnode.h"

struct filesystem {
    const char *name;
    int (*mount)(struct mount *mount, const char *source); // sets root. -ENOMEM, -ENODEV, -EINVAL
    void (*unmount)(struct mount *mount);
};

struct mount {
    const struct filesystem *type;
    struct vnode *root;
    struct vnode *covers; // the directory that root lies over, or NULL: the first root
    struct list link;     // the mount table's lock
    uint64_t device;      // st_dev
    uint64_t next_ino;
    char source[32];
    void *data; // the filesystem's own
};

// The first mount: the root of everything. -ENOMEM.
[[nodiscard]] int mount_root(const struct filesystem *type);
struct vnode *mount_root_node(void); // with a reference
// -EBUSY: something is mounted there already; -ENOTDIR; what the filesystem says. Nothing changed then.
[[nodiscard]] int mount_add(const struct filesystem *type, const char *source, struct vnode *where);
// -EINVAL: not the root of a mount; -EBUSY: in use. Nothing changed then.
[[nodiscard]] int mount_remove(struct vnode *root);
// The topmost root over node, or node: gives up the caller's reference to node, and gives one to the result.
struct vnode *mount_cross_down(struct vnode *node);
// From the root of a mount to the directory that it covers, as often as that goes; likewise.
struct vnode *mount_cross_up(struct vnode *node);
