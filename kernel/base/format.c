#include "kernel/base/format.h"

struct sink {
    char *out;
    size_t size, length;
};

static void put(struct sink *sink, char c)
{
    if (sink->length + 1 < sink->size) {
        sink->out[sink->length] = c;
    }
    sink->length++;
}

static void pad(struct sink *sink, char c, int count)
{
    while (count-- > 0) {
        put(sink, c);
    }
}

struct spec {
    bool left, zero;
    int width, precision; // precision -1: none
    int longs;            // 0: int, 1 and more: 64 bits
};

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, unsigned base, bool upper,
                       const char *prefix)
{
    char digits[24];
    int count = 0;
    do {
        digits[count++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
        value /= base;
    } while (value != 0);
    int prefix_length = 0;
    while (prefix[prefix_length] != 0) {
        prefix_length++;
    }
    int fill = spec->width - count - prefix_length;
    if (!spec->left && !spec->zero) {
        pad(sink, ' ', fill);
    }
    for (int i = 0; i < prefix_length; i++) {
        put(sink, prefix[i]);
    }
    if (!spec->left && spec->zero) {
        pad(sink, '0', fill);
    }
    while (count > 0) {
        put(sink, digits[--count]);
    }
    if (spec->left) {
        pad(sink, ' ', fill);
    }
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    int length = 0;
    while ((spec->precision < 0 || length < spec->precision) && text[length] != 0) {
        length++;
    }
    if (!spec->left) {
        pad(sink, ' ', spec->width - length);
    }
    for (int i = 0; i < length; i++) {
        put(sink, text[i]);
    }
    if (spec->left) {
        pad(sink, ' ', spec->width - length);
    }
}

static int parse_int(const char **text)
{
    int value = 0;
    while (**text >= '0' && **text <= '9' && value < 10000) {
        value = value * 10 + (*(*text)++ - '0');
    }
    return value;
}

static const char *parse_spec(const char *text, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (;; text++) {
        if (*text == '-') {
            spec->left = true;
        } else if (*text == '0') {
            spec->zero = true;
        } else {
            break;
        }
    }
    spec->width = parse_int(&text);
    if (*text == '.') {
        text++;
        if (*text == '*') {
            spec->precision = va_arg(*args, int);
            text++;
        } else {
            spec->precision = parse_int(&text);
        }
    }
    for (; *text == 'l' || *text == 'z'; text++) {
        spec->longs++;
    }
    return text;
}

size_t vformat(char *out, size_t size, const char *text, va_list original)
{
    struct sink sink = {out, size, 0};
    va_list args;
    va_copy(args, original);
    for (; *text != 0; text++) {
        if (*text != '%') {
            put(&sink, *text);
            continue;
        }
        struct spec spec;
        text = parse_spec(text + 1, &spec, &args);
        switch (*text) {
        case 'd':
        case 'i': {
            int64_t value = spec.longs > 0 ? va_arg(args, int64_t) : va_arg(args, int);
            put_number(&sink, &spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false,
                       value < 0 ? "-" : "");
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t value = spec.longs > 0 ? va_arg(args, uint64_t) : va_arg(args, unsigned);
            put_number(&sink, &spec, value, *text == 'u' ? 10 : 16, *text == 'X', "");
            break;
        }
        case 'p':
            put_number(&sink, &spec, (uint64_t)va_arg(args, void *), 16, false, "0x");
            break;
        case 'c':
            put(&sink, (char)va_arg(args, int));
            break;
        case 's':
            put_string(&sink, &spec, va_arg(args, const char *));
            break;
        case 0:
            text--; // a lone % at the end
            break;
        default:
            put(&sink, *text);
        }
    }
    va_end(args);
    if (size > 0) {
        out[sink.length < size ? sink.length : size - 1] = 0;
    }
    return sink.length;
}

size_t format(char *out, size_t size, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    size_t length = vformat(out, size, text, args);
    va_end(args);
    return length;
}

static int digit(char c, unsigned base)
{
    int value = -1;
    if (c >= '0' && c <= '9') {
        value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
        value = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        value = c - 'A' + 10;
    }
    return value < (int)base ? value : -1;
}

int parse_u64(const char *text, uint64_t *out)
{
    unsigned base = 10;
    if (text_starts_with(text, "0x")) {
        base = 16;
        text += 2;
    }
    if (*text == 0) {
        return -EINVAL;
    }
    uint64_t value = 0;
    bool fits = true;
    for (; *text != 0; text++) {
        int d = digit(*text, base);
        if (d < 0) {
            return -EINVAL;
        }
        fits = fits && mul_fits(value, base, &value) && add_fits(value, (uint64_t)d, &value);
    }
    if (!fits) {
        return -ERANGE;
    }
    *out = value;
    return 0;
}

bool text_equal(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_starts_with(const char *text, const char *prefix)
{
    while (*prefix != 0) {
        if (*text++ != *prefix++) {
            return false;
        }
    }
    return true;
}

size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    return length;
}
