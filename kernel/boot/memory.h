// From what the device tree says to the page allocator and the heap.
#pragma once

#include <hal/upcall.h>

#include "kernel/drivers/fdt.h"

// BOOT_EARLY, boot CPU. 0, or the negative errno of the step named in *step; nothing then works.
[[nodiscard]] int boot_memory(const struct machine_description *machine, const struct boot_info *info,
                              const char **step);
