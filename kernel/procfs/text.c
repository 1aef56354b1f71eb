#include "kernel/procfs/text.h"

#include "kernel/mm/kmalloc.h"

#define FIRST_CAPACITY 512u

static bool make_room(struct text *text, size_t size)
{
    size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity;
    while (capacity - text->length < size) {
        capacity *= 2;
    }
    if (text->error == 0 && capacity != text->capacity) {
        void *bytes;
        text->error = kmalloc(capacity, &bytes);
        if (text->error == 0) {
            if (text->length > 0) {
                __builtin_memcpy(bytes, text->bytes, text->length);
            }
            kfree(text->bytes);
            text->bytes = bytes;
            text->capacity = capacity;
        }
    }
    return text->error == 0;
}

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (make_room(text, size)) {
        __builtin_memcpy(text->bytes + text->length, bytes, size);
        text->length += size;
    }
}

void text_add(struct text *text, const char *what, ...)
{
    va_list args;
    if (!make_room(text, 1)) {
        return;
    }
    va_start(args, what);
    size_t size = vformat(text->bytes + text->length, text->capacity - text->length, what, args);
    va_end(args);
    if (size >= text->capacity - text->length) { // did not fit with its NUL
        if (!make_room(text, size + 1)) {
            return;
        }
        va_start(args, what);
        size = vformat(text->bytes + text->length, text->capacity - text->length, what, args);
        va_end(args);
    }
    text->length += size;
}

void text_pad(struct text *text, size_t column)
{
    size_t start = text->length;
    while (start > 0 && text->bytes[start - 1] != '\n') {
        start--;
    }
    while (text->error == 0 && text->length - start < column) {
        text_add_bytes(text, " ", 1);
    }
}

void text_add_escaped(struct text *text, const char *what)
{
    for (; *what != 0; what++) {
        unsigned char c = (unsigned char)*what;
        if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
            text_add(text, "\\%c%c%c", '0' + (c >> 6), '0' + (c >> 3 & 7), '0' + (c & 7));
        } else {
            text_add_bytes(text, what, 1);
        }
    }
}
