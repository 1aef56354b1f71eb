// A file becomes a program. Any bytes do; what is behind the end of the calls counts as zeroes.
#include "user/prog/prog.h"

#define WORDS_DEPTH 2u // of words in words

struct reader {
    const uint8_t *data;
    size_t at, end;
    struct program *out;
};

static uint8_t u8(struct reader *from)
{
    return from->at < from->end ? from->data[from->at++] : 0;
}

static uint16_t u16(struct reader *from)
{
    uint8_t low = u8(from);
    return (uint16_t)(low | u8(from) << 8);
}

static uint64_t number(struct reader *from, uint8_t extra)
{
    uint64_t value = 0;
    for (unsigned i = 0; i <= (extra & 7u); i++) {
        value |= (uint64_t)u8(from) << (8 * i);
    }
    return (extra & 16) != 0 ? 0 - value : value;
}

static void bytes(struct reader *from, struct prog_value *value)
{
    size_t wanted = u8(from), left = from->end - from->at;
    value->count = (uint8_t)(wanted < left ? wanted : left);
    value->first = (uint16_t)from->at;
    from->at += value->count;
}

static bool take_values(struct reader *from, unsigned count, unsigned depth, uint16_t *first);

static bool take_value(struct reader *from, struct prog_value *value, unsigned depth)
{
    uint8_t head = u8(from), extra = head >> 3;
    *value = (struct prog_value){.kind = head & 7};
    switch (value->kind) {
    case PROG_SMALL:
        value->number = extra;
        break;
    case PROG_NUMBER:
        value->number = number(from, extra);
        break;
    case PROG_RESULT:
        value->extra = extra & 7;
        value->number = u8(from);
        break;
    case PROG_ARENA:
        value->number = u16(from) * 4u + (extra & 3u);
        break;
    case PROG_BYTES:
        value->extra = extra & 1;
        bytes(from, value);
        break;
    case PROG_WORDS: {
        uint8_t count = u8(from);
        if (depth == WORDS_DEPTH + 1) {
            value->kind = PROG_SMALL;
            break;
        }
        value->extra = extra & 1;
        value->count = count < PROG_WORDS_MAX ? count : PROG_WORDS_MAX;
        return take_values(from, value->count, depth + 1, &value->first);
    }
    case PROG_PATH:
        value->number = u8(from);
        break;
    default: { // PROG_SPECIAL
        uint8_t index = u8(from);
        value->kind = PROG_NUMBER;
        value->number = index < prog_special_count ? prog_specials[index] : 0;
        break;
    }
    }
    if (value->kind == PROG_NUMBER && value->number <= PROG_SMALL_MAX) { // one number, one value
        value->kind = PROG_SMALL;
    }
    return true;
}

// False: no room.
static bool take_values(struct reader *from, unsigned count, unsigned depth, uint16_t *first)
{
    struct program *out = from->out;
    if (count > PROG_VALUES_MAX - out->value_count) {
        return false;
    }
    *first = out->value_count;
    out->value_count += count;
    for (unsigned i = 0; i < count; i++) {
        if (!take_value(from, &out->values[*first + i], depth)) {
            return false;
        }
    }
    return true;
}

static bool take_call(struct reader *from, struct prog_call *call)
{
    uint16_t which = u16(from);
    uint8_t head = u8(from);
    unsigned count = (head >> 2) & 7;
    *call = (struct prog_call){
        .number = which, .list = head & 3, .argument_count = (uint8_t)(count < 6 ? count : PROG_ARGUMENTS)};
    if ((head & 32) != 0) {
        call->fail_nth = u8(from);
    }
    return take_values(from, call->argument_count, 0, &call->first);
}

static void header(struct reader *from, struct program *out)
{
    from->at = 8;
    uint8_t machine = u8(from), flow = u8(from);
    uint16_t size = u16(from);
    out->cpus = (machine & 3) + 1;
    out->schedule = ((machine >> 2) & 3) % (PROG_PRIORITIES + 1);
    out->depth = machine >> 4;
    for (unsigned i = 1; i < PROG_LISTS; i++) {
        uint8_t start = (flow >> (2 * (i - 1))) & 3;
        out->starts[i] = start <= PROG_PROCESS ? start : PROG_NOT_STARTED;
    }
    out->unprivileged = (flow & 64) != 0;
    if (from->end > PROG_HEADER && size < from->end - PROG_HEADER) {
        from->end = PROG_HEADER + size;
    }
}

void prog_decode(const uint8_t *file, size_t size, struct program *out)
{
    out->file = file;
    out->size = size < PROG_FILE_MAX ? size : PROG_FILE_MAX;
    out->call_count = out->value_count = 0;
    out->starts[0] = PROG_NOT_STARTED;
    struct reader from = {.data = file, .end = out->size, .out = out};
    header(&from, out);
    out->choices = from.end;
    while (from.at < from.end && out->call_count < PROG_CALLS_MAX) {
        uint16_t before = out->value_count;
        if (!take_call(&from, &out->calls[out->call_count])) {
            out->value_count = before;
            break;
        }
        out->call_count++;
    }
    for (unsigned i = 0; i < out->value_count; i++) {
        if (out->values[i].kind == PROG_RESULT) {
            out->values[i].number %= out->call_count;
        }
    }
}
