// Text that grows as it is written. Task context.
#pragma once

#include "kernel/base/format.h"

struct text {
    char *bytes; // NULL at first; the owner frees it with kfree()
    size_t length, capacity;
    int error; // the first that there was: the text is then cut off
};

void text_add(struct text *text, const char *what, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_pad(struct text *text, size_t column); // with blanks, of the line that began at the last newline
// Blanks, tabs, newlines and backslashes as \ooo, as mounts are listed.
void text_add_escaped(struct text *text, const char *what);
