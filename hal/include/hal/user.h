// HAL: the only doors to user memory. Source: Arm ARM D8.4 (PAN, unprivileged loads and stores).
// Raw: no range check and no fault injection; the kernel uses kernel/mm/usercopy.h. Task context; may take a page
// fault. Simulated: access outside these doors is a finding; user bytes may change between two fetches.
#pragma once

#include "kernel/base/types.h"

// Bytes copied before the first byte that could not be; size means all.
size_t user_copy_in(void *to, uaddr_t from, size_t size);
size_t user_copy_out(uaddr_t to, const void *from, size_t size);
// Copies up to and including NUL. Returns the length without NUL, limit when there is no NUL within limit bytes, or
// -EFAULT.
int64_t user_copy_string(char *to, uaddr_t from, size_t limit);
// Atomically: if the aligned word equals expected it becomes desired; *seen is what was there. 0 or -EFAULT; -EAGAIN:
// others write there all the time.
[[nodiscard]] int user_compare_exchange(uaddr_t word, uint32_t expected, uint32_t desired, uint32_t *seen);
