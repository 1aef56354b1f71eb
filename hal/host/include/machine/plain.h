// The machine's own variables: one thread changes them, whatever TSan takes it for.
#pragma once

#if __has_feature(thread_sanitizer)
#define MACHINE_INLINE static inline __attribute__((no_sanitize("thread")))
#else
#define MACHINE_INLINE static inline
#endif
