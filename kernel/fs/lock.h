// Advisory locks on files. Source: flock(2), fcntl(2) on F_SETLK and F_OFD_SETLK. Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

struct file_lock {
    int type;            // F_RDLCK, F_WRLCK, F_UNLCK
    uint64_t start, end; // both inside; end UINT64_MAX: to the end of the file, wherever that will be
    int32_t pid;         // as F_GETLK tells; -1: an open file's
};

// owner: whose locks do not hurt each other: a process's descriptor table, or an open file. whole: flock(2)'s, which
// know nothing of the others. -EAGAIN: taken, and not to wait; -ERESTART: a signal came; -EDEADLK, -ENOMEM. What the
// owner held is unchanged then.
[[nodiscard]] int lock_set(struct vnode *node, const void *owner, bool whole, const struct file_lock *wanted,
                           bool wait);
// The first lock in the way, or type F_UNLCK.
void lock_get(struct vnode *node, const void *owner, struct file_lock *lock);
void lock_drop_owner(struct vnode *node, const void *owner); // all of them, before the last reference to node goes
