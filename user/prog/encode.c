// A program becomes a file. The fault plan and the choices come from the file that it was, if any.
#include "user/prog/prog.h"

struct writer {
    uint8_t *data;
    size_t at, room;
    const struct program *program;
};

static void u8(struct writer *to, uint8_t value)
{
    if (to->at < to->room) {
        to->data[to->at] = value;
    }
    to->at++;
}

static void u16(struct writer *to, uint16_t value)
{
    u8(to, (uint8_t)value);
    u8(to, (uint8_t)(value >> 8));
}

static void head(struct writer *to, uint8_t kind, unsigned extra)
{
    u8(to, (uint8_t)(kind | extra << 3));
}

static unsigned bytes_of(uint64_t value)
{
    unsigned count = 1;
    while (count < 8 && value >> (8 * count) != 0) {
        count++;
    }
    return count;
}

static bool special(struct writer *to, uint64_t value)
{
    for (unsigned i = 0; i < prog_special_count; i++) {
        if (prog_specials[i] == value) {
            head(to, PROG_SPECIAL, 0);
            u8(to, (uint8_t)i);
            return true;
        }
    }
    return false;
}

// As short as can be.
static void number(struct writer *to, uint64_t value)
{
    if (value <= PROG_SMALL_MAX) {
        head(to, PROG_SMALL, (unsigned)value);
        return;
    }
    bool minus = bytes_of(0 - value) < bytes_of(value);
    value = minus ? 0 - value : value;
    unsigned count = bytes_of(value);
    if (count > 1 && special(to, minus ? 0 - value : value)) {
        return;
    }
    head(to, PROG_NUMBER, (count - 1) | (minus ? 16 : 0));
    for (unsigned i = 0; i < count; i++) {
        u8(to, (uint8_t)(value >> (8 * i)));
    }
}

static void values(struct writer *to, uint16_t first, unsigned count);

static void put_value(struct writer *to, const struct prog_value *value)
{
    switch (value->kind) {
    case PROG_SMALL:
    case PROG_NUMBER:
    case PROG_SPECIAL:
        number(to, value->number);
        break;
    case PROG_ARENA:
        head(to, PROG_ARENA, (unsigned)value->number & 3);
        u16(to, (uint16_t)(value->number / 4));
        break;
    case PROG_BYTES:
        head(to, PROG_BYTES, value->extra);
        u8(to, value->count);
        for (unsigned i = 0; i < value->count; i++) {
            u8(to, to->program->file[value->first + i]);
        }
        break;
    case PROG_WORDS:
        head(to, PROG_WORDS, value->extra);
        u8(to, value->count);
        values(to, value->first, value->count);
        break;
    default: // PROG_RESULT, PROG_PATH
        head(to, value->kind, value->extra);
        u8(to, (uint8_t)value->number);
        break;
    }
}

static void values(struct writer *to, uint16_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_value(to, &to->program->values[first + i]);
    }
}

static void put_header(struct writer *to)
{
    const struct program *program = to->program;
    for (unsigned i = 0; i < 8; i++) {
        u8(to, i < program->size ? program->file[i] : 0);
    }
    u8(to, (uint8_t)((program->cpus - 1) | program->schedule << 2 | program->depth << 4));
    u8(to, (uint8_t)(program->starts[1] | program->starts[2] << 2 | program->starts[3] << 4 |
                     (program->unprivileged ? 64 : 0)));
    u16(to, 0); // of the calls, below
}

size_t prog_encode(const struct program *program, uint8_t *out, size_t room)
{
    struct writer to = {.data = out, .room = room < PROG_FILE_MAX ? room : PROG_FILE_MAX, .program = program};
    put_header(&to);
    for (unsigned i = 0; i < program->call_count; i++) {
        const struct prog_call *call = &program->calls[i];
        u16(&to, call->number);
        u8(&to, (uint8_t)(call->list | call->argument_count << 2 | (call->fail_nth != 0 ? 32 : 0)));
        if (call->fail_nth != 0) {
            u8(&to, call->fail_nth);
        }
        values(&to, call->first, call->argument_count);
    }
    if (to.at > to.room) {
        return 0;
    }
    size_t calls = to.at - PROG_HEADER;
    for (size_t i = program->choices; i < program->size; i++) {
        u8(&to, program->file[i]);
    }
    if (to.at > to.room) {
        return 0;
    }
    out[10] = (uint8_t)calls;
    out[11] = (uint8_t)(calls >> 8);
    return to.at;
}
