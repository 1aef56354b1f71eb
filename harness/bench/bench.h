// Fixed work on the kernel's own code, to be counted by callgrind: everything inside a function named counted_… is
// counted.
#pragma once

#include "kernel/base/types.h"

struct bench {
    const char *name;
    uint64_t (*run)(void); // sets up, runs the counted function, returns how many operations that was
};

extern const struct bench alloc_benches[], pagetable_benches[]; // end with a NULL name

// xorshift64, the generator that the figures of other allocators were made with.
extern uint64_t bench_seed;
static inline uint64_t bench_random(void)
{
    bench_seed ^= bench_seed << 13;
    bench_seed ^= bench_seed >> 7;
    return bench_seed ^= bench_seed << 17;
}

#define COUNTED __attribute__((noinline)) void
// One call to the kernel and nothing else; a jump in its place would leave the counted function early.
#define COUNTED_CALL static __attribute__((noinline, disable_tail_calls)) int
#define TOUCH(pointer) __atomic_store_n((char *)(pointer), 1, __ATOMIC_RELAXED)
