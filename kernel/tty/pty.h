// Pairs of terminals: what a program writes to the master is typed at the other side, and the other way round. Source:
// pty(7), ioctl_tty(2). Task context; may sleep.
#pragma once

#include "kernel/fs/mount.h"

extern const struct filesystem devpts; // a node for each pair, by its number
#define PTYS_MAX 256u

[[nodiscard]] int pty_start(void); // once, when there are devices: /dev/ptmx, and /dev/pts mounted. What making says
