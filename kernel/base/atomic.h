// Atomic accesses, by the memory order of the C11 model. Any context.
// READ_ONCE and WRITE_ONCE are relaxed: for words that another CPU may change where no order is needed.
#pragma once

#include <hal/cpu.h>

#include "kernel/base/types.h"

// Each is preceded by cpu_point(): what another CPU does may come between any two of them.
#define READ_ONCE(x) (cpu_point(), __atomic_load_n(&(x), __ATOMIC_RELAXED))
#define WRITE_ONCE(x, v) (cpu_point(), __atomic_store_n(&(x), (v), __ATOMIC_RELAXED))
#define load_acquire(p) (cpu_point(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define store_release(p, v) (cpu_point(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define atomic_swap_acquire(p, v) (cpu_point(), __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define atomic_add(p, v) (cpu_point(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define atomic_or(p, v) (cpu_point(), __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL))
#define atomic_and(p, v) (cpu_point(), __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL))
// A counter of its own, which others look at for show.
#define COUNT_ADD(x, n) __atomic_store_n(&(x), (x) + (n), __ATOMIC_RELAXED)
// True when *p held *expected and is now desired; otherwise *expected is what was seen.
#define atomic_cas(p, expected, desired)                                                                               \
    (cpu_point(), __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
