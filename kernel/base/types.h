// Types that every part of the kernel shares. Any context; no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/errno.h"

#ifndef static_assert
#define static_assert _Static_assert // the keyword of C23, which GCC 12 does not have yet
#endif

// `address-types`: an address says which space it belongs to, and only the owner of that space may follow it.
typedef struct {
    uint64_t raw; // physical address, bytes
} paddr_t;
typedef struct {
    uint64_t raw; // kernel virtual address, bytes
} vaddr_t;
typedef struct {
    uint64_t raw; // address that user space claims to own; follow it only through kernel/mm/usercopy.h
} uaddr_t;

static inline paddr_t paddr(uint64_t raw)
{
    return (paddr_t){raw};
}
static inline vaddr_t vaddr(uint64_t raw)
{
    return (vaddr_t){raw};
}
static inline uaddr_t uaddr(uint64_t raw)
{
    return (uaddr_t){raw};
}
static inline paddr_t paddr_add(paddr_t a, uint64_t bytes)
{
    return paddr(a.raw + bytes);
}
static inline vaddr_t vaddr_add(vaddr_t a, uint64_t bytes)
{
    return vaddr(a.raw + bytes);
}

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (PAGE_SIZE - 1)
#define MAX_CPUS 8

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

static inline uint64_t round_up(uint64_t value, uint64_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}
static inline uint64_t round_down(uint64_t value, uint64_t power_of_two)
{
    return value & ~(power_of_two - 1);
}
static inline bool is_aligned(uint64_t value, uint64_t power_of_two)
{
    return (value & (power_of_two - 1)) == 0;
}
static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}
static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// Sizes from outside go through these: false when the result does not fit, and *out is then not to be used.
[[nodiscard]] static inline bool add_fits(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
[[nodiscard]] static inline bool mul_fits(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
