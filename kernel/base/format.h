// Text from numbers and back, without allocation. Any context.
#pragma once

#include <stdarg.h>

#include "kernel/base/types.h"

// printf's %c %s %d %i %u %x %X %p %% with l, ll, z, width, 0, - and .precision for %s. Always terminates out when size
// > 0. Returns the length that the whole text would have, as snprintf does.
size_t format(char *out, size_t size, const char *text, ...) __attribute__((format(printf, 3, 4)));
size_t vformat(char *out, size_t size, const char *text, va_list args) __attribute__((format(printf, 3, 0)));

// Whole-string decimal or 0x-hexadecimal number. -EINVAL when it is not one, -ERANGE above 64 bits; *out is then
// unchanged.
[[nodiscard]] int parse_u64(const char *text, uint64_t *out);

bool text_equal(const char *a, const char *b);
bool text_starts_with(const char *text, const char *prefix);
size_t text_length(const char *text);
