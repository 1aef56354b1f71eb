#include "kernel/boot/cmdline.h"

#include "kernel/base/format.h"
#include "kernel/debug/log.h"

static void complain(struct cmdline *out, const char *error, const char *word, size_t length)
{
    if (out->error != NULL) {
        return; // the first is enough
    }
    out->error = error;
    size_t kept = min_u64(length, sizeof(out->wrong) - 1);
    __builtin_memcpy(out->wrong, word, kept);
    out->wrong[kept] = 0;
}

static void take_value(struct cmdline *out, char to[CMDLINE_VALUE_MAX], const char *word, size_t prefix, size_t length)
{
    if (length - prefix >= CMDLINE_VALUE_MAX) {
        complain(out, "value too long", word, length);
        return;
    }
    __builtin_memcpy(to, word + prefix, length - prefix);
    to[length - prefix] = 0;
}

static bool word_is(const char *word, size_t length, const char *text)
{
    size_t i = 0;
    while (i < length && text[i] != 0 && word[i] == text[i]) {
        i++;
    }
    return i == length && text[i] == 0;
}

static void parse_word(struct cmdline *out, const char *word, size_t length)
{
    if (text_starts_with(word, "fault=")) {
        take_value(out, out->fault, word, 6, length);
    } else if (text_starts_with(word, "loglevel=")) {
        char digit = length == 10 ? word[9] : 0;
        if (digit < '0' || digit > '3') {
            complain(out, "loglevel is 0 to 3", word, length);
        } else {
            out->log_level = (unsigned)(digit - '0');
        }
    } else if (word_is(word, length, "quiet")) {
        out->log_level = LOG_ERROR;
    } else if (word_is(word, length, "noaslr")) {
        out->noaslr = true;
    } else {
        complain(out, "unknown word", word, length);
    }
}

void cmdline_parse(const char *line, struct cmdline *out)
{
    *out = (struct cmdline){.log_level = LOG_WARNING};
    for (const char *at = line; *at != 0;) {
        if (*at == ' ') {
            at++;
            continue;
        }
        size_t length = 0;
        bool rest = text_starts_with(at, "run="); // commands have spaces
        while (at[length] != 0 && (rest || at[length] != ' ')) {
            length++;
        }
        if (rest) {
            take_value(out, out->run, at, 4, length);
        } else {
            parse_word(out, at, length);
        }
        at += length;
    }
}
