// Path walking. Source: path_resolution(7). Task context; may sleep.
#pragma once

#include "kernel/fs/vnode.h"

#define PATH_LINKS_MAX 40u

enum path_flags {
    PATH_FOLLOW = 1 << 0,    // a link at the end too
    PATH_DIRECTORY = 1 << 1, // -ENOTDIR for anything else
    PATH_MAY_MISS = 1 << 2,  // the last name may not exist yet: node is NULL then, its directory must be there
    // As openat2(2)'s RESOLVE_*:
    PATH_NO_MOUNTS = 1 << 3, // -EXDEV
    PATH_NO_JUMPS = 1 << 4,  // -ELOOP
    PATH_NO_LINKS = 1 << 5,  // -ELOOP
    PATH_BENEATH = 1 << 6,   // -EXDEV for what leads out of start.directory
    PATH_IN_ROOT = 1 << 7,   // start.root is where the way may not lead out of, whatever moves meanwhile
    // The last name itself is meant, also with a slash behind it, and where it is a link.
    PATH_PARENT = 1 << 8,
    PATH_MAKES = 1 << 9, // for O_CREAT: -EISDIR for a name with a slash behind it
};

struct path_start {
    struct vnode *root, *directory; // the caller's references; directory: where relative paths begin
    const struct credentials *as;
};

struct path_end {
    struct vnode *node;      // with a reference, or NULL
    struct vnode *directory; // of the last name, with a reference; NULL when the path ends in ".", ".." or at a root
    size_t name_length;      // of the last name; 0 without a directory
    bool slash;              // the path ends in a slash: a directory is meant
    bool up;                 // it ends in ".."
    char name[NAME_MAX + 1];
};

// Walks path, which is changed on the way: it lies in a buffer of PATH_MAX bytes.
// -ENOENT (also: empty path), -ENOTDIR, -ELOOP, -ENAMETOOLONG, -EACCES, -ENOMEM; -EAGAIN: with PATH_BENEATH or
// PATH_IN_ROOT, something has moved while the way led up. *out undefined then.
[[nodiscard]] int path_walk(const struct path_start *start, char *path, unsigned flags, struct path_end *out);
// For filesystems and mounts, with the lock under which it is done: a name moves to another place.
void path_note_move(void);
void path_end_put(struct path_end *end); // its references
// An absolute path of a node, as seen from root. -ENOENT: removed, or not known; -ERANGE: does not fit.
[[nodiscard]] int path_of(struct vnode *node, struct vnode *root, char *out, size_t size);
