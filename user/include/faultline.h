// What our own user programs stand on: system calls by Linux's numbers, and a few conveniences. No libc.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One description for kernel and programs alike: only number and name matter here.
#define SYSCALL(number, name, ...) SYS_##name = (number),
enum syscall_number {
#include "kernel/syscall/syscalls.def"
};
#undef SYSCALL

// Negative: -errno, as the kernel gives it.
static inline long syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
    return x0;
}

static inline long sys_write(int fd, const void *data, size_t size)
{
    return syscall(SYS_write, fd, (long)data, (long)size, 0, 0, 0);
}
static inline long sys_getpid(void)
{
    return syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
}
static inline long sys_sched_yield(void)
{
    return syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}
_Noreturn void exit(int status);  // destructors, then the kernel
_Noreturn void _exit(int status); // the kernel

size_t strlen(const char *text);
bool text_equal(const char *a, const char *b);
void print(const char *text); // to standard output
void print_number(long value);
// Counts a failed expectation and names it. main returns failures() so that the exit status tells.
void expect(bool condition, const char *what);
int failures(void);
