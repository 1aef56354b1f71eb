// The part of fcntl(2) that locks records. Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

// fd: where file was found. argument: struct flock in user space. -EFAULT, -EINVAL, -EBADF, -EOVERFLOW, and as
// lock_set().
int64_t fcntl_lock(uint64_t fd, struct file *file, int command, uint64_t argument);
