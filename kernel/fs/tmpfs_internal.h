// Between tmpfs.c and tmpfs_file.c only.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/page_map.h"
#include "kernel/mm/space.h"

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
