// Between the device tree's files only.
#pragma once

#include "kernel/base/types.h"

// The tags of the structure block lead to its end, and nothing in it is longer than it. The header is sound, and the
// blocks lie in the tree. Pure.
[[nodiscard]] bool fdt_walk_ends(const void *fdt);
