// Files as filesystems keep them: one vnode for one file, directory, link or device, however many names it has.
// There is no cache of names: filesystems in memory need none. Task context; may sleep.
#pragma once

#include "kernel/base/types.h"
#include "kernel/cred/credentials.h"
#include "kernel/sync/mutex.h"

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u
#define S_ISUID 04000u
#define S_ISGID 02000u
#define S_ISVTX 01000u

#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE 2u

#define NAME_MAX 255u
#define PATH_MAX 4096u // with the NUL

struct backing;
struct file;
struct lock_table;
struct mount;
struct pipe;
struct vnode;

// One name in a directory, as getdents64(2) tells it.
struct directory_entry {
    const char *name;
    size_t length;
    uint64_t ino;
    uint32_t mode; // type bits
};

// What a kind of filesystem does. An operation that is NULL gives -ENOTDIR on a file where a directory is wanted, else
// -EPERM or -EINVAL as its system call does. Names are not NUL-terminated, have 1 to NAME_MAX bytes, no slash, and are
// neither "." nor "..". Each returns 0 or a negative errno, and changes nothing when it fails. Those that change a
// directory ask what as may with the directory locked: -EACCES, -EPERM, -EROFS. So nobody's right is that of a moment
// ago.
struct vnode_ops {
    // A reference to the child. -ENOENT.
    int (*lookup)(struct vnode *directory, const char *name, size_t length, struct vnode **out);
    // A new child, with a reference. mode with type. target: of a symbolic link, else NULL. -EEXIST, -ENOSPC, -ENOMEM.
    int (*create)(struct vnode *directory, const char *name, size_t length, uint32_t mode, uint64_t device,
                  const char *target, const struct credentials *as, struct vnode **out);
    // -EEXIST, -EMLINK.
    int (*link)(struct vnode *directory, const char *name, size_t length, struct vnode *node,
                const struct credentials *as);
    // A file without a name: O_TMPFILE. linkable: that link() may give one. NULL: -EOPNOTSUPP.
    int (*nameless)(struct vnode *directory, uint32_t mode, bool linkable, const struct credentials *as,
                    struct vnode **out);
    // directory_wanted: as rmdir(2), -ENOTDIR, -ENOTEMPTY; else as unlink(2), -EISDIR.
    int (*unlink)(struct vnode *directory, const char *name, size_t length, bool directory_wanted,
                  const struct credentials *as);
    // -ENOTEMPTY, -EISDIR, -ENOTDIR, -EINVAL: into itself; flags: RENAME_*.
    int (*rename)(struct vnode *from, const char *name, size_t length, struct vnode *to, const char *new_name,
                  size_t new_length, unsigned flags, const struct credentials *as);
    // The directory that node has a name in; the root of a filesystem is its own parent. -ENOENT: removed, or not
    // known.
    int (*parent)(struct vnode *node, struct vnode **out);
    // The name of child in directory, for getcwd(2). -ENOENT: removed meanwhile.
    int (*name_of)(struct vnode *directory, struct vnode *child, char *out, size_t size);
    bool (*gone)(const struct vnode *directory); // removed: it has no entries any more, not even "."
    // The entry at *cursor (0: the first), and the cursor of the one after it. -ENOENT: there are no more.
    int (*entry)(struct vnode *directory, uint64_t *cursor, struct directory_entry *out, char name[NAME_MAX]);
    int64_t (*readlink)(struct vnode *node, char *out, size_t size); // bytes, not NUL-terminated
    int (*jump)(struct vnode *link, struct vnode **out);             // links that lead to a node, whatever its name
    int (*truncate)(struct vnode *node, uint64_t size);              // -EFBIG, -ENOSPC
    // Room for that range (which the caller has checked), or with punch a hole there. The size stays. -ENOSPC.
    int (*allocate)(struct vnode *node, uint64_t offset, uint64_t size, bool punch);
    uint64_t (*blocks)(struct vnode *node);             // of 512 bytes, that it takes; NULL: none
    bool (*is_own)(const struct vnode *node);           // the caller's, whatever owner and mode say; NULL: no
    int (*open)(struct vnode *node, struct file *file); // sets file->ops, and what belongs to it
    void (*release)(struct vnode *node);                // the last reference is gone
};

struct vnode {
    const struct vnode_ops *ops;
    struct mount *mount;
    uint32_t references;
    // One after the other, whole, for a regular file: writes (where the end is, if at the end, until all is there) and
    // changes of its size. Taken after a file's own lock, before the next one.
    struct mutex writing;
    struct mutex lock; // covers what follows, and the filesystem's own part
    uint32_t mode;     // type and permissions
    uint32_t uid, gid, links;
    uint64_t ino, device;                          // device: what a special file stands for
    uint64_t size;                                 // bytes
    uint64_t accessed_ns, modified_ns, changed_ns; // since 1970
    bool nowhere;                                  // stands for an open file that is on no filesystem: its st_dev is 0
    struct mount *covered;                         // what is mounted here, or NULL; the mount table's lock
    struct pipe *pipe;                             // of a FIFO that is open
    struct lock_table *locks;                      // while there is one; kernel/fs/lock.c
};

void vnode_init(struct vnode *node, const struct vnode_ops *ops, struct mount *mount, uint32_t mode);
uint64_t vnode_now(void);           // what times are told by: nanoseconds since 1970
void vnode_get(struct vnode *node); // NULL is nothing
void vnode_put(struct vnode *node);

static inline bool vnode_is(const struct vnode *node, uint32_t type)
{
    return (node->mode & S_IFMT) == type;
}

#define ACCESS_READ 4u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC 1u
// Source: path_resolution(7). -EACCES; -EROFS.
[[nodiscard]] int vnode_access(const struct vnode *node, const struct credentials *as, unsigned wanted);
// Whether a name of node in directory may go: directory may be written, and S_ISVTX. -EPERM, and as above.
[[nodiscard]] int vnode_may_remove(const struct vnode *directory, const struct vnode *node,
                                   const struct credentials *as);
// What a stranger may do with links: fs.protected_hardlinks, fs.protected_symlinks (Linux's admin-guide/sysctl/fs.rst).
// Atomic; on, as Debian has it.
extern uint32_t vnode_protected_hardlinks, vnode_protected_symlinks;
// Another name for node: its owner, or who may read and write a plain file without set-id bits. -EPERM.
[[nodiscard]] int vnode_may_link(const struct vnode *node, const struct credentials *as);
// The link at the end of a path, in directory: where everybody makes names only the follower's own, and the directory
// owner's. -EACCES.
[[nodiscard]] int vnode_may_follow(const struct vnode *directory, const struct vnode *link,
                                   const struct credentials *as);
[[nodiscard]] int vnode_may_change(const struct vnode *node); // mode, owner, times: -EROFS
// What a new node in directory is given of it: the group of one with S_ISGID, which a directory hands on. For its mode.
uint32_t vnode_inherit(const struct vnode *directory, uint32_t mode, const struct credentials *as, uint32_t *gid);
// S_ISUID and S_ISGID that a change by as takes off, of owner or contents. A file without S_IXGRP keeps S_ISGID for
// members of its group.
uint32_t vnode_lost_bits(const struct vnode *node, const struct credentials *as);
// as has changed what is in a file: what CAP_FSETID does not keep goes.
void vnode_contents_changed(struct vnode *node, const struct credentials *as);
