// Times from user space. Task context; may sleep.
#pragma once

#include "kernel/base/types.h"

// struct timespec as nanoseconds; at most UINT64_MAX - 1. -EFAULT, -EINVAL: negative, or a second and more of
// nanoseconds.
[[nodiscard]] int time_from_user(uint64_t from, uint64_t *ns);
uint64_t time_deadline(uint64_t ns); // from now on; far away when that does not fit
