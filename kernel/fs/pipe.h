// Pipes. Source: pipe(7).
#pragma once

#include "kernel/fs/file.h"

#define PIPE_CAPACITY KIB(64)
#define PIPE_ATOMIC 4096u // writes up to this size are not torn

// flags: O_NONBLOCK for both. -ENOMEM: nothing is left behind.
[[nodiscard]] int pipe_create(uint32_t flags, struct file **reader, struct file **writer);
