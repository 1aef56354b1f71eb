// Files in memory.
#pragma once

#include "kernel/fs/mount.h"

struct backing;

extern const struct filesystem tmpfs;

// Memory for several processes: a file of that size without a name, on no mount that others see. *node: a reference;
// *pages: its contents, which areas keep by themselves. -ENOMEM.
[[nodiscard]] int tmpfs_anonymous(const struct credentials *as, uint64_t size, struct vnode **node,
                                  struct backing **pages);
