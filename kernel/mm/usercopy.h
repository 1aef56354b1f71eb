// User memory, the checked way. Task context, interrupts on; may take page faults. Fault site: user_copy (-EFAULT).
#pragma once

#include "kernel/base/types.h"

#define USER_LIMIT (1UL << 48) // user addresses are below

// True when [start, start + size) lies in user space. size 0: start may equal USER_LIMIT.
static inline bool user_range_ok(uaddr_t start, uint64_t size)
{
    return start.raw <= USER_LIMIT && size <= USER_LIMIT - start.raw;
}

// 0, or -EFAULT when any byte of the range is not accessible. from_user: the rest of to is zeroed then (no stale
// bytes); to_user: a prefix may have been written.
[[nodiscard]] int copy_from_user(void *to, uaddr_t from, size_t size);
[[nodiscard]] int copy_to_user(uaddr_t to, const void *from, size_t size);
// A NUL-terminated string of at most limit bytes with its NUL. *length is without NUL.
// -ENAMETOOLONG: no NUL in limit bytes; -EFAULT; -EINVAL: limit 0. to[0] is then NUL (when limit > 0).
[[nodiscard]] int copy_string_from_user(char *to, uaddr_t from, size_t limit, size_t *length);

// One aligned word, with interrupts off and perhaps locks held: never sleeps, and so also fails, with -EFAULT, where
// the page is only not present. Give up the locks then, space_touch(), and try again.
#define USER_WORD_TRIES 128u // of a loop around the two, with locks held: the word may be changed all the time
[[nodiscard]] int user_word_read(uaddr_t word, uint32_t *out);
// Becomes desired if it is expected; *seen is what was there. -EAGAIN: not now, give up the locks as well.
[[nodiscard]] int user_word_exchange(uaddr_t word, uint32_t expected, uint32_t desired, uint32_t *seen);
