// What a program of the comparison prints: one line per fact, "what: value". No addresses, process numbers or times.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

// "what: value", printf-like.
__attribute__((format(printf, 2, 3), unused)) static void fact(const char *what, const char *format, ...)
{
    va_list arguments;
    char value[512];
    va_start(arguments, format);
    vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    printf("%s: %s\n", what, value);
    fflush(stdout);
}

#ifndef __GLIBC__ // musl has the texts only
#define strerrorname_np(error) strerror(error)
#endif

// What a call gave: its number, or the name of errno when it is -1.
__attribute__((unused)) static void fact_result(const char *what, long result)
{
    const char *name = strerrorname_np(errno);
    if (result == -1) {
        fact(what, "%s", name != NULL ? name : "?");
    } else {
        fact(what, "%ld", result);
    }
}

// Only whether it failed, and how: for results that differ from run to run.
__attribute__((unused)) static void fact_success(const char *what, long result)
{
    fact_result(what, result == -1 ? -1 : 0);
}

// FACT(open("x", O_RDONLY)) prints "open("x", O_RDONLY): ENOENT".
#define FACT(call) (errno = 0, fact_result(#call, (long)(call)))
#define FACT_OK(call) (errno = 0, fact_success(#call, (long)(call)))

// How a child ended: "exit 3", "signal 9", "stopped 19", "continued".
__attribute__((unused)) static void fact_status(const char *what, int status)
{
    if (WIFEXITED(status)) {
        fact(what, "exit %d", WEXITSTATUS(status));
    } else if (WIFSTOPPED(status)) {
        fact(what, "stopped %d", WSTOPSIG(status));
    } else if (WIFSIGNALED(status)) {
        fact(what, "signal %d", WTERMSIG(status));
    } else {
        fact(what, "continued");
    }
}
