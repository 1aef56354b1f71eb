// Text becomes a program.
#include "user/prog/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4u // arguments, words, words in them, and in those

#define LABELS_MAX 1000u

struct parser {
    const char *at;
    unsigned line;
    struct prog_parsed *out;
    struct program program;
    uint8_t data[2 * PROG_FILE_MAX]; // what program refers to; the plan first
    size_t bytes;                    // of data that are used
    uint8_t plan[8];
    size_t choices, choice_count; // where in data
    int label_of[LABELS_MAX];     // rN: the call so named, -1: none
    bool failed;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct parser *from, const char *format, ...)
{
    if (!from->failed) {
        va_list args;
        va_start(args, format);
        char *wrong = from->out->wrong;
        int size = snprintf(wrong, sizeof(from->out->wrong), "line %u: ", from->line);
        vsnprintf(wrong + size, sizeof(from->out->wrong) - (size_t)size, format, args);
        va_end(args);
    }
    from->failed = true;
    return false;
}

static void blanks(struct parser *from)
{
    while (*from->at == ' ' || *from->at == '\t') {
        from->at++;
    }
}

static bool is_next(struct parser *from, char wanted)
{
    blanks(from);
    if (*from->at != wanted) {
        return false;
    }
    from->at++;
    return true;
}

static bool expect(struct parser *from, char wanted)
{
    return is_next(from, wanted) || fail(from, "'%c' is missing before '%.20s'", wanted, from->at);
}

static bool word(struct parser *from, char *out, size_t room)
{
    size_t size = 0;
    blanks(from);
    while (isalnum((unsigned char)*from->at) || *from->at == '_') {
        if (size + 1 < room) {
            out[size++] = *from->at;
        }
        from->at++;
    }
    out[size] = 0;
    return size > 0;
}

static bool number(struct parser *from, uint64_t *out)
{
    char *end;
    blanks(from);
    *out = 0;
    bool minus = *from->at == '-';
    const char *digits = from->at + (minus ? 1 : 0);
    if (!isdigit((unsigned char)*digits)) {
        return fail(from, "a number is missing before '%.20s'", from->at);
    }
    *out = strtoull(digits, &end, 0);
    *out = minus ? 0 - *out : *out;
    from->at = end;
    return true;
}

static bool byte(struct parser *from, uint8_t value)
{
    if (from->bytes == sizeof(from->data)) {
        return fail(from, "more bytes than a file has room for");
    }
    from->data[from->bytes++] = value;
    return true;
}

static bool hex(struct parser *from, size_t *size)
{
    blanks(from);
    for (*size = 0; isxdigit((unsigned char)from->at[0]) && isxdigit((unsigned char)from->at[1]); from->at += 2) {
        const char digits[3] = {from->at[0], from->at[1], 0};
        if (!byte(from, (uint8_t)strtoul(digits, NULL, 16))) {
            return false;
        }
        (*size)++;
    }
    return true;
}

// --- values --------------------------------------------------------------------------------------------------------

static bool named(struct parser *from, uint64_t *out)
{
    char name[64];
    *out = 0;
    do {
        uint64_t part = 0;
        blanks(from);
        if (isdigit((unsigned char)*from->at) || *from->at == '-') {
            if (!number(from, &part)) {
                return false;
            }
        } else if (!word(from, name, sizeof(name))) {
            return fail(from, "a value is missing before '%.20s'", from->at);
        } else {
            unsigned i = 0;
            while (i < prog_name_count && strcmp(prog_names[i].name, name) != 0) {
                i++;
            }
            if (i == prog_name_count) {
                return fail(from, "nothing is called %s", name);
            }
            part = prog_names[i].value;
        }
        *out |= part;
    } while (is_next(from, '|'));
    return true;
}

static bool path(struct parser *from, struct prog_value *value)
{
    const char *end = strchr(from->at, '"');
    if (end == NULL) {
        return fail(from, "a path without an end");
    }
    size_t size = (size_t)(end - from->at);
    value->kind = PROG_PATH;
    for (unsigned i = 0; i < prog_path_count; i++) {
        if (strlen(prog_paths[i]) == size && memcmp(prog_paths[i], from->at, size) == 0) {
            value->number = i;
            from->at = end + 1;
            return true;
        }
    }
    return fail(from, "\"%.*s\" is no path of values.def: <\"%.*s\\x00\"> gives its bytes", (int)size, from->at,
                (int)size, from->at);
}

static bool quoted(struct parser *from)
{
    while (*from->at != '"') {
        char letter = *from->at;
        if (letter == 0 || letter == '\n') {
            return fail(from, "a string without an end");
        }
        from->at++;
        if (letter == '\\' && *from->at == 'n') {
            letter = '\n';
            from->at++;
        } else if (letter == '\\' && *from->at == 'x' && isxdigit((unsigned char)from->at[1]) &&
                   isxdigit((unsigned char)from->at[2])) {
            const char digits[3] = {from->at[1], from->at[2], 0};
            letter = (char)strtoul(digits, NULL, 16);
            from->at += 3;
        } else if (letter == '\\') {
            return fail(from, "\\%c: there are \\n and \\x with two digits", *from->at);
        }
        if (!byte(from, (uint8_t)letter)) {
            return false;
        }
    }
    from->at++;
    return true;
}

static bool bytes(struct parser *from, struct prog_value *value)
{
    size_t start = from->bytes;
    uint64_t count, times;
    value->kind = PROG_BYTES;
    if (is_next(from, '"')) {
        if (!quoted(from)) {
            return false;
        }
    } else {
        if (!number(from, &count)) {
            return false;
        }
        for (uint64_t i = 0; i < count && i < 256; i++) {
            if (!byte(from, 0)) {
                return false;
            }
        }
    }
    if (from->bytes - start > 255) {
        return fail(from, "more than 255 bytes");
    }
    value->first = (uint16_t)start;
    value->count = (uint8_t)(from->bytes - start);
    if (is_next(from, '*')) {
        value->extra = 1;
        if (!number(from, &times) || times != 16) {
            return fail(from, "bytes come once or * 16");
        }
    }
    return expect(from, '>');
}

static bool values(struct parser *from, char end, unsigned most, unsigned depth, uint16_t *first, uint8_t *count);

static bool result(struct parser *from, struct prog_value *value)
{
    uint64_t label, which = 0;
    if (!number(from, &label)) {
        return false;
    }
    if (*from->at == '.') {
        from->at++;
        if (!number(from, &which)) {
            return false;
        }
    }
    if (which > 7 || label >= LABELS_MAX) {
        return fail(from, "r0 to r999, words 1 to 7");
    }
    *value = (struct prog_value){.kind = PROG_RESULT, .extra = (uint8_t)which, .number = label};
    return true;
}

static bool take_value(struct parser *from, struct prog_value *value, unsigned depth)
{
    *value = (struct prog_value){.kind = PROG_NUMBER};
    blanks(from);
    if (is_next(from, '"')) {
        return path(from, value);
    }
    if (is_next(from, '<')) {
        return bytes(from, value);
    }
    if (*from->at == '{' || *from->at == '[') {
        value->kind = PROG_WORDS;
        value->extra = *from->at == '[';
        from->at++;
        return values(from, value->extra != 0 ? ']' : '}', PROG_WORDS_MAX, depth + 1, &value->first, &value->count);
    }
    if (*from->at == 'r' && isdigit((unsigned char)from->at[1])) {
        from->at++;
        return result(from, value);
    }
    if (strncmp(from->at, "path", 4) == 0) {
        from->at += 4;
        value->kind = PROG_PATH;
        return number(from, &value->number) && (value->number <= 255 || fail(from, "paths up to path255"));
    }
    if (strncmp(from->at, "arena", 5) == 0) {
        from->at += 5;
        value->kind = PROG_ARENA;
        return !is_next(from, '+') || (number(from, &value->number) &&
                                       (value->number < PROG_ARENA_SIZE || fail(from, "beyond the arena's end")));
    }
    if (!named(from, &value->number)) {
        return false;
    }
    value->kind = value->number <= PROG_SMALL_MAX ? PROG_SMALL : PROG_NUMBER;
    return true;
}

// The nested ones come to lie before them: encoding does not mind.
static bool values(struct parser *from, char end, unsigned most, unsigned depth, uint16_t *first, uint8_t *count)
{
    struct program *program = &from->program;
    struct prog_value here[PROG_WORDS_MAX];
    *count = 0;
    if (depth > DEPTH_MAX) {
        return fail(from, "words in words in words");
    }
    while (!is_next(from, end)) {
        if (*count == most) {
            return fail(from, "more than %u values", most);
        }
        if ((*count > 0 && !expect(from, ',')) || !take_value(from, &here[*count], depth)) {
            return false;
        }
        (*count)++;
    }
    if (*count > PROG_VALUES_MAX - program->value_count) {
        return fail(from, "more than %u values in all", PROG_VALUES_MAX);
    }
    *first = program->value_count;
    memcpy(program->values + *first, here, *count * sizeof(here[0]));
    program->value_count += *count;
    return true;
}

// --- lines ---------------------------------------------------------------------------------------------------------

static bool call_number(struct parser *from, uint16_t *out)
{
    char name[64];
    if (!word(from, name, sizeof(name))) {
        return fail(from, "a call is missing before '%.20s'", from->at);
    }
    for (unsigned i = 0; i < prog_description_count; i++) {
        if (strcmp(prog_descriptions[i].name, name) == 0) {
            *out = prog_descriptions[i].number;
            return true;
        }
    }
    if (strncmp(name, "call", 4) == 0 && isdigit((unsigned char)name[4])) {
        *out = (uint16_t)strtoul(name + 4, NULL, 10);
        return true;
    }
    return fail(from, "no system call is called %s", name);
}

static bool label(struct parser *from)
{
    uint64_t which;
    if (*from->at != 'r' || !isdigit((unsigned char)from->at[1])) {
        return true;
    }
    from->at++;
    if (!number(from, &which) || which >= LABELS_MAX || from->label_of[which] >= 0) {
        return fail(from, "r0 to r999, each once");
    }
    from->label_of[which] = from->program.call_count;
    return expect(from, '=');
}

static bool take_call(struct parser *from, uint8_t list)
{
    struct program *program = &from->program;
    struct prog_call call = {.list = list};
    char suffix[16];
    if (program->call_count == PROG_CALLS_MAX) {
        return fail(from, "more than %u calls", PROG_CALLS_MAX);
    }
    blanks(from);
    if (!label(from) || !call_number(from, &call.number) || !expect(from, '(') ||
        !values(from, ')', PROG_ARGUMENTS, 1, &call.first, &call.argument_count)) {
        return false;
    }
    if (word(from, suffix, sizeof(suffix))) {
        uint64_t nth;
        if (strcmp(suffix, "fail_nth") != 0 || !number(from, &nth) || nth < 1 || nth > 255) {
            return fail(from, "only fail_nth 1 to 255 may follow a call");
        }
        call.fail_nth = (uint8_t)nth;
    }
    program->calls[program->call_count++] = call;
    return true;
}

static bool schedule(struct parser *from)
{
    char how[16];
    uint64_t depth = 0;
    word(from, how, sizeof(how));
    blanks(from);
    if (isdigit((unsigned char)*from->at) && !number(from, &depth)) {
        return false;
    }
    int mode = strcmp(how, "turns") == 0        ? PROG_TURNS
               : strcmp(how, "choices") == 0    ? PROG_CHOICES
               : strcmp(how, "priorities") == 0 ? PROG_PRIORITIES
                                                : -1;
    if (mode < 0 || depth > 15) {
        return fail(from, "schedule turns, choices or priorities, then 0 to 15");
    }
    from->program.schedule = (uint8_t)mode;
    from->program.depth = (uint8_t)depth;
    return true;
}

static bool start(struct parser *from)
{
    char list[8], how[16];
    bool good = word(from, list, sizeof(list)) && word(from, how, sizeof(how)) && list[0] == 't' && list[1] >= '1' &&
                list[1] <= '3' && list[2] == 0;
    bool thread = strcmp(how, "thread") == 0;
    if (!good || (!thread && strcmp(how, "process") != 0)) {
        return fail(from, "start t1 to t3 thread or process");
    }
    from->program.starts[list[1] - '0'] = thread ? PROG_THREAD : PROG_PROCESS;
    return true;
}

static bool faults(struct parser *from)
{
    size_t size, at = from->bytes;
    if (!hex(from, &size) || size > sizeof(from->plan)) {
        return fail(from, "up to eight bytes of faults");
    }
    memcpy(from->plan, from->data + at, size);
    return true;
}

static bool line(struct parser *from)
{
    char first[16];
    uint64_t cpus;
    if (!word(from, first, sizeof(first))) {
        return true;
    }
    if (first[0] == 't' && first[1] >= '0' && first[1] <= '3' && first[2] == 0) {
        return expect(from, ':') && take_call(from, (uint8_t)(first[1] - '0'));
    }
    if (strcmp(first, "cpus") == 0) {
        if (!number(from, &cpus) || cpus < 1 || cpus > 4) {
            return fail(from, "cpus 1 to 4");
        }
        from->program.cpus = (uint8_t)cpus;
        return true;
    }
    if (strcmp(first, "choices") == 0) {
        from->choices = from->bytes;
        return hex(from, &from->choice_count);
    }
    if (strcmp(first, "unprivileged") == 0) {
        from->program.unprivileged = true;
        return true;
    }
    return strcmp(first, "schedule") == 0 ? schedule(from)
           : strcmp(first, "start") == 0  ? start(from)
           : strcmp(first, "faults") == 0 ? faults(from)
                                          : fail(from,
                                                 "what is %s? (there are: cpus schedule start unprivileged faults "
                                                 "choices t0: to t3:)",
                                                 first);
}

static bool resolve(struct parser *from)
{
    for (unsigned i = 0; i < from->program.value_count; i++) {
        struct prog_value *value = &from->program.values[i];
        if (value->kind == PROG_RESULT) {
            int call = from->label_of[value->number];
            if (call < 0) {
                return fail(from, "no call is named r%llu", (unsigned long long)value->number);
            }
            value->number = (uint64_t)call;
        }
    }
    return true;
}

static bool lines(struct parser *from)
{
    while (*from->at != 0) {
        from->line++;
        if (!line(from)) {
            return false;
        }
        blanks(from);
        if (*from->at == '#') {
            from->at += strcspn(from->at, "\n");
        }
        if (*from->at == '\r') {
            from->at++;
        }
        if (*from->at != '\n' && *from->at != 0) {
            return fail(from, "what is '%.20s' doing there?", from->at);
        }
        from->at += *from->at != 0;
    }
    return resolve(from);
}

// Plan and choices where encoding looks for them: at the beginning and at the end of the bytes.
static bool finish(struct parser *from)
{
    struct program *program = &from->program;
    uint8_t *end = from->data + from->bytes;
    if (sizeof(from->data) - from->bytes < from->choice_count) {
        return fail(from, "more bytes than a file has room for");
    }
    memcpy(from->data, from->plan, sizeof(from->plan));
    memmove(end, from->data + from->choices, from->choice_count);
    program->file = from->data;
    program->choices = from->bytes;
    program->size = from->bytes + from->choice_count;
    from->out->size = prog_encode(program, from->out->file, sizeof(from->out->file));
    if (from->out->size == 0) {
        return fail(from, "a program of more than %u bytes", PROG_FILE_MAX);
    }
    prog_decode(from->out->file, from->out->size, &from->out->program);
    return true;
}

bool prog_parse(const char *text, struct prog_parsed *out)
{
    struct parser *from = calloc(1, sizeof(*from));
    out->wrong[0] = 0;
    if (from == NULL) {
        snprintf(out->wrong, sizeof(out->wrong), "no memory");
        return false;
    }
    from->at = text;
    from->out = out;
    from->bytes = from->choices = sizeof(from->plan);
    from->program.cpus = 1;
    memset(from->label_of, -1, sizeof(from->label_of));
    bool good = lines(from) && finish(from);
    free(from);
    return good;
}
