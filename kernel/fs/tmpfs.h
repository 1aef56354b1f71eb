// Files in memory.
#pragma once

#include "kernel/fs/mount.h"

struct backing;

extern const struct filesystem tmpfs;

// Memory for several processes: a file of that size without a name. *node: a reference; *pages: its contents, which
// areas keep by themselves. -ENOMEM. After mount_root().
[[nodiscard]] int tmpfs_anonymous(uint64_t size, struct vnode **node, struct backing **pages);
