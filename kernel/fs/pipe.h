// Pipes, with and without a name. Source: pipe(7), fifo(7). Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

#define PIPE_CAPACITY KIB(64)
#define PIPE_CAPACITY_MAX MIB(1)
#define PIPE_USER_PAGES_SOFT 16384u
#define PIPE_ATOMIC 4096u // writes up to this size are not torn

// /proc/sys/fs: what who lacks CAP_SYS_RESOURCE may set a capacity to (bytes), and what all pipes of a user who has
// neither that nor CAP_SYS_ADMIN may hold (pages; 0: no limit). Over the soft one new pipes are small, and none grows.
extern struct pipe_limits {
    uint64_t capacity_max, user_pages_soft, user_pages_hard;
} pipe_limits;

// flags: O_NONBLOCK for both. -ENOMEM; -ENFILE: the user has too many. Nothing is left behind then.
[[nodiscard]] int pipe_create(uint32_t flags, struct file **reader, struct file **writer);
// An end of the FIFO that node is, by file->flags; sleeps until the other end is there too. -ENXIO: O_NONBLOCK, and
// nobody reads; -ERESTART: a signal came; -ENOMEM.
[[nodiscard]] int pipe_open(struct vnode *node, struct file *file);

bool file_is_pipe(const struct file *file);
uint64_t pipe_capacity(struct file *file); // F_GETPIPE_SZ
// F_SETPIPE_SZ: the new capacity. -EBUSY: more than that is in it; -EPERM: too much; -EINVAL; -ENOMEM.
int64_t pipe_set_capacity(struct file *file, uint64_t capacity);
// Reads without taking out, from skip bytes on; never sleeps. 0: nothing is there.
int64_t pipe_peek(struct file *file, struct io *io, uint64_t skip);
// For splice(2): copies out what there is, up to io->left, and keeps other readers away until pipe_taken() says how
// much of it has arrived elsewhere. 0: nobody writes any more; -EAGAIN, -ERESTART: likewise nothing is to be given
// back.
int64_t pipe_take(struct file *file, struct io *io, bool nonblock);
void pipe_taken(struct file *file, uint64_t size);
// Until there is room: how much. claim: other writers wait until pipe_put(), which is to follow. -EPIPE, -EAGAIN,
// -ERESTART.
int64_t pipe_wait_room(struct file *file, bool nonblock, bool claim);
int64_t pipe_put(struct file *file, struct io *io, bool claimed); // what there is room for, at once. -EPIPE, -EAGAIN
// Sleeps until there is something to read, or nobody writes any more. -EAGAIN, -ERESTART.
[[nodiscard]] int pipe_wait_readable(struct file *file, bool nonblock);
