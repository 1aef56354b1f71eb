// The kernel's own code that every program gets: where signal handlers return to, and calls that need no kernel
// (user/vdso). Task context. Source: vdso(7).
#pragma once

#include "kernel/mm/space.h"

[[nodiscard]] int vdso_init(void); // once. -ENOMEM
// A page of data, and the code after it: sets space->vdso and space->sigreturn. -ENOMEM.
[[nodiscard]] int vdso_map(struct space *space);
void vdso_set_zone(int32_t minutes_west, int32_t dst); // for gettimeofday(2)
