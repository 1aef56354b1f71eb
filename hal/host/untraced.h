// Forced into the machine's and the harness's files for TSan, which would watch these functions although it does not
// watch their callers.
#pragma once

#include <string.h>

static inline void *untraced_copy(void *to, const void *from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

static inline void *untraced_move(void *to, const void *from, size_t size)
{
    if ((char *)to <= (const char *)from || (char *)to >= (const char *)from + size) {
        return untraced_copy(to, from, size);
    }
    for (volatile char *last = to; size > 0; size--) { // volatile: no call of memmove
        last[size - 1] = ((const char *)from)[size - 1];
    }
    return to;
}

static inline void *untraced_fill(void *to, int byte, size_t size)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return start;
}

#define memcpy(to, from, size) untraced_copy(to, from, size)
#define memmove(to, from, size) untraced_move(to, from, size)
#define memset(to, byte, size) untraced_fill(to, byte, size)
