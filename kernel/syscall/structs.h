// Structures that grow with the years: the caller says how large its own is. Task context; may sleep.
#pragma once

#include "kernel/base/types.h"

// What the caller has not is zero; what we do not know must be. -EINVAL: less than least bytes; -E2BIG; -EFAULT.
[[nodiscard]] int copy_struct_from_user(void *to, uint64_t size, uint64_t from, uint64_t user_size, uint64_t least);
