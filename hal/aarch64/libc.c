// The functions that the compiler, libfdt and zlib expect of a C library. memcpy and fellows are in memory.S.
#include "internal.h"

#include "kernel/base/assert.h"

int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *memory, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
char *strchr(const char *text, int c);
char *strrchr(const char *text, int c);
unsigned long strtoul(const char *text, char **end, int base);
_Noreturn void __stack_chk_fail(void);
int __popcountdi2(uint64_t value);

// Debian builds libfdt with the stack protector. A constant: it guards against accidents at boot, not attackers.
extern const uint64_t __stack_chk_guard;
const uint64_t __stack_chk_guard = 0x00faf7110ed5ca4dUL;

_Noreturn void __stack_chk_fail(void)
{
    panic("stack protector: a libfdt function wrote past its frame");
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a, *right = b;
    for (; size != 0; size--, left++, right++) {
        if (*left != *right) {
            return *left - *right;
        }
    }
    return 0;
}

void *memchr(const void *memory, int byte, size_t size)
{
    for (const unsigned char *at = memory; size != 0; size--, at++) {
        if (*at == (unsigned char)byte) {
            return (void *)at;
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != 0) {
        end++;
    }
    return (size_t)(end - text);
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;
    while (length < limit && text[length] != 0) {
        length++;
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

char *strchr(const char *text, int c)
{
    for (;; text++) {
        if (*text == (char)c) {
            return (char *)text;
        }
        if (*text == 0) {
            return NULL;
        }
    }
}

char *strrchr(const char *text, int c)
{
    const char *found = NULL;
    for (;; text++) {
        found = *text == (char)c ? text : found;
        if (*text == 0) {
            return (char *)found;
        }
    }
}

// libfdt's overlay code wants it; nothing of ours comes here.
unsigned long strtoul(const char *text, char **end, int base)
{
    unsigned long value = 0;
    while (base == 10 && *text >= '0' && *text <= '9') {
        value = value * 10 + (unsigned long)(*text++ - '0');
    }
    if (end != NULL) {
        *end = (char *)text;
    }
    return value;
}

// A64 counts bits in SIMD registers only, which the kernel does not use: the compiler calls this.
int __popcountdi2(uint64_t value)
{
    value -= (value >> 1) & 0x5555555555555555UL;
    value = (value & 0x3333333333333333UL) + ((value >> 2) & 0x3333333333333333UL);
    value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
    return (int)((value * 0x0101010101010101UL) >> 56);
}

// zlib's own allocator, for those that give it none: we always do.
void *zcalloc(void *opaque, unsigned count, unsigned size);
void zcfree(void *opaque, void *memory);

void *zcalloc(void *opaque, unsigned count, unsigned size)
{
    return NULL;
}

void zcfree(void *opaque, void *memory)
{
}
