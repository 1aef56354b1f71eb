// Filesystems and where they hang. Task context; may sleep.
#pragma once

#include "kernel/base/list.h"
#include "kernel/fs/vnode.h"

struct mount_figures { // of its limits, and what is left of them; 0: no limit
    uint64_t pages, pages_free, inodes, inodes_free;
};

struct filesystem {
    const char *name;
    uint64_t magic; // statfs(2)'s f_type
    bool transient; // its nodes are made as they are asked for: no place to mount at
    // Sets root. -ENOMEM, -ENODEV; -EINVAL: options it does not know.
    int (*mount)(struct mount *mount, const char *source, const char *options);
    int (*change)(struct mount *mount, const char *options); // MS_REMOUNT; NULL: it has no options. -EINVAL
    void (*unmount)(struct mount *mount);
    // Whether anybody but the tree itself and the one who asks holds a node. With the mount table's lock.
    bool (*busy)(struct mount *mount);
    bool (*is_written)(struct mount *mount);                         // other than by open files; NULL: never
    void (*figures)(struct mount *mount, struct mount_figures *out); // for statfs(2); NULL: it takes no memory
};

enum mount_flags { // as mount(2)
    MOUNT_READ_ONLY = 1 << 0,
    MOUNT_NO_SUID = 1 << 1,
    MOUNT_NO_DEVICES = 1 << 2,
    MOUNT_NO_EXEC = 1 << 3,
};
#define MOUNT_FLAGS 15u

struct mount {
    const struct filesystem *type;
    struct vnode *root;
    struct vnode *covers; // the directory that root lies over, or NULL: the first root
    struct list link;     // the mount table's lock
    unsigned flags;       // enum mount_flags
    uint64_t device;      // st_dev
    uint64_t next_ino;
    uint64_t nodes;     // vnodes there are
    uint64_t writers;   // atomic: open files of it that may be written
    struct mutex names; // for the filesystem: covers which name is where
    char source[32];
    void *data; // the filesystem's own
};

#define FILESYSTEMS_MAX 8u
void filesystem_register(const struct filesystem *type);
const struct filesystem *filesystem_find(const char *name); // NULL: there is none
const struct filesystem *filesystem_at(unsigned index);     // NULL behind the last

// The first mount: the root of everything. -ENOMEM.
[[nodiscard]] int mount_root(const struct filesystem *type);
struct vnode *mount_root_node(void); // with a reference
// -EBUSY: something is mounted there already; -ENOTDIR, -EINVAL; what the filesystem says. Nothing changed then.
[[nodiscard]] int mount_add(const struct filesystem *type, const char *source, const char *options, unsigned flags,
                            struct vnode *where);
// root with the caller's reference and no other. -EINVAL: not the root of a mount; -EBUSY: in use. Nothing changed
// then.
[[nodiscard]] int mount_remove(struct vnode *root);
// MS_REMOUNT. -EINVAL: not the root of a mount, or options it does not know; -EBUSY: it is written, and shall not be.
// Nothing changed then.
[[nodiscard]] int mount_change(struct vnode *root, const char *options, unsigned flags);
// For filesystems whose options change nothing: -EINVAL if text, "name,name=value", has one that is not in known, which
// ends with NULL.
[[nodiscard]] int mount_check_options(const char *text, const char *const *known);
// Around an open file that may be written. -EROFS: nothing to give up then.
[[nodiscard]] int mount_begin_writing(struct mount *mount);
void mount_end_writing(struct mount *mount);
// The topmost root over node, or node: gives up the caller's reference to node, and gives one to the result.
struct vnode *mount_cross_down(struct vnode *node);
// From the root of a mount to the directory that it covers, as often as that goes; likewise. Stays where it is, at the
// root of a mount, when the way leads over root: nobody gets out there.
struct vnode *mount_cross_up(struct vnode *node, const struct vnode *root);
bool mount_is_covering(const struct vnode *node); // the root of a mount that lies over something

struct mount_description {
    const char *type;
    char source[32];
    unsigned flags;
    struct vnode *root; // a reference
};
bool mount_describe(unsigned index, struct mount_description *out); // false: there are no more
