// /proc: what the kernel knows, as text. Source: proc(5). Task context; may sleep.
#pragma once

#include "kernel/fs/mount.h"

extern const struct filesystem procfs;

// Once, after the scheduler and the first files: mounts it at /proc, which is made if it is not there. command_line: as
// /proc/cmdline tells it; stays the caller's. What mounting and making say; /proc may be missing then.
[[nodiscard]] int procfs_start(const char *command_line);
