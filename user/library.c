#include "faultline.h"

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

static int failed;

void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((char *)to)[i] = ((const char *)from)[i];
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((char *)to)[i] = (char)byte;
    }
    return to;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    return length;
}

bool text_equal(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void print(const char *text)
{
    sys_write(1, text, strlen(text));
}

void print_number(long value)
{
    char digits[24];
    char *at = digits + sizeof(digits) - 1;
    unsigned long left = value < 0 ? 0 - (unsigned long)value : (unsigned long)value;
    *at = 0;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    if (value < 0) {
        *--at = '-';
    }
    print(at);
}

void expect(bool condition, const char *what)
{
    if (!condition) {
        failed++;
        print("FAILED: ");
        print(what);
        print("\n");
    }
}

int failures(void)
{
    return failed;
}
