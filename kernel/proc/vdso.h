// The page of the kernel's own code that every program gets: where signal handlers return to. Task context.
#pragma once

#include "kernel/mm/space.h"

[[nodiscard]] int vdso_init(void);               // once. -ENOMEM
[[nodiscard]] int vdso_map(struct space *space); // sets space->vdso. -ENOMEM
