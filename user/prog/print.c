// A program as text.
#include "user/prog/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer {
    char *out;
    size_t at, room;
    const struct program *program;
};

__attribute__((format(printf, 2, 3))) static void add(struct writer *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = to->room - to->at;
    int size = vsnprintf(to->out + to->at, left, format, args);
    va_end(args);
    to->at += size < 0 ? 0 : (size_t)size < left ? (size_t)size : left - 1;
}

static void add_hex(struct writer *to, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        add(to, "%02x", bytes[i]);
    }
}

// --- numbers -------------------------------------------------------------------------------------------------------

static void add_plain(struct writer *to, uint64_t value)
{
    if (value < 4096) {
        add(to, "%llu", (unsigned long long)value);
    } else if (0 - value <= 4096) {
        add(to, "-%llu", (unsigned long long)(0 - value));
    } else {
        add(to, "0x%llx", (unsigned long long)value);
    }
}

static const struct prog_name *one_of(unsigned set, uint64_t value)
{
    for (unsigned i = 0; i < prog_name_count; i++) {
        if (prog_names[i].set == set && !prog_names[i].bit && prog_names[i].value == value) {
            return &prog_names[i];
        }
    }
    return NULL;
}

static void add_named(struct writer *to, unsigned set, uint64_t value)
{
    uint64_t left = value;
    unsigned bits = 0;
    for (unsigned i = 0; i < prog_name_count; i++) {
        const struct prog_name *name = &prog_names[i];
        if (name->set == set && name->bit && (left & name->value) == name->value) {
            add(to, "%s%s", bits++ > 0 ? "|" : "", name->name);
            left &= ~name->value;
        }
    }
    const struct prog_name *rest = one_of(set, left);
    if (rest != NULL && (left != 0 || bits == 0)) {
        add(to, "%s%s", bits > 0 ? "|" : "", rest->name);
    } else if (left != 0 || bits == 0) {
        add(to, "%s", bits > 0 ? "|" : "");
        add_plain(to, left);
    }
}

static bool is_mode(const struct prog_description *call, unsigned argument)
{
    const struct prog_argument *about = &call->arguments[argument];
    return about->kind == PROG_ARG_INT && strcmp(about->name, "mode") == 0 && call->number != CALL_fallocate;
}

static void add_number(struct writer *to, const struct prog_call *call, unsigned argument, uint64_t value)
{
    const struct prog_description *about = prog_describe(call->number);
    int set = prog_set_of(call->number, argument);
    if (set >= 0) {
        add_named(to, (unsigned)set, value);
    } else if (about != NULL && argument < about->argument_count && is_mode(about, argument) && value > 7 &&
               value <= 0177777) {
        add(to, "0%llo", (unsigned long long)value);
    } else {
        add_plain(to, value);
    }
}

// --- values --------------------------------------------------------------------------------------------------------

static void add_bytes(struct writer *to, const struct prog_value *value)
{
    const uint8_t *bytes = to->program->file + value->first;
    bool zeroes = value->count > 0;
    for (unsigned i = 0; i < value->count; i++) {
        zeroes = zeroes && bytes[i] == 0;
    }
    if (zeroes) {
        add(to, "<%u", value->count);
    } else {
        add(to, "<\"");
        for (unsigned i = 0; i < value->count; i++) {
            bool plain = isprint(bytes[i]) && bytes[i] != '"' && bytes[i] != '\\';
            add(to, plain ? "%c" : bytes[i] == '\n' ? "\\n" : "\\x%02x", bytes[i]);
        }
        add(to, "\"");
    }
    add(to, value->extra != 0 ? " * 16>" : ">");
}

static void add_value(struct writer *to, const struct prog_call *call, unsigned argument,
                      const struct prog_value *value)
{
    switch (value->kind) {
    case PROG_RESULT:
        add(to, value->extra == 0 ? "r%llu" : "r%llu.%u", (unsigned long long)value->number, value->extra);
        break;
    case PROG_ARENA:
        add(to, "arena+0x%llx", (unsigned long long)value->number);
        break;
    case PROG_BYTES:
        add_bytes(to, value);
        break;
    case PROG_WORDS:
        add(to, value->extra != 0 ? "[" : "{");
        for (unsigned i = 0; i < value->count; i++) {
            add(to, i > 0 ? ", " : "%s", "");
            add_value(to, call, PROG_ARGUMENTS, &to->program->values[value->first + i]);
        }
        add(to, value->extra != 0 ? "]" : "}");
        break;
    case PROG_PATH:
        if (value->number < prog_path_count) {
            add(to, "\"%s\"", prog_paths[value->number]);
        } else {
            add(to, "path%llu", (unsigned long long)value->number);
        }
        break;
    default:
        add_number(to, call, argument, value->number);
        break;
    }
}

static bool is_used(const struct program *program, unsigned call)
{
    for (unsigned i = 0; i < program->value_count; i++) {
        if (program->values[i].kind == PROG_RESULT && program->values[i].number == call) {
            return true;
        }
    }
    return false;
}

static void add_call(struct writer *to, unsigned index)
{
    const struct prog_call *call = &to->program->calls[index];
    const struct prog_description *about = prog_describe(call->number);
    if (is_used(to->program, index)) {
        add(to, "r%u = ", index);
    }
    add(to, about != NULL ? "%s(" : "call%s", about != NULL ? about->name : "");
    if (about == NULL) {
        add(to, "%u(", call->number);
    }
    for (unsigned i = 0; i < call->argument_count; i++) {
        add(to, i > 0 ? ", " : "%s", "");
        add_value(to, call, i, &to->program->values[call->first + i]);
    }
    add(to, ")");
    if (call->fail_nth != 0) {
        add(to, "   fail_nth %u", call->fail_nth);
    }
}

size_t prog_print_call(const struct program *program, unsigned index, char *out, size_t room)
{
    struct writer to = {.out = out, .room = room, .program = program};
    out[0] = 0;
    add_call(&to, index);
    return to.at;
}

static void add_header(struct writer *to)
{
    static const char *const schedules[] = {"turns", "choices", "priorities"};
    const struct program *program = to->program;
    bool faults = false;
    add(to, "cpus %u\nschedule %s %u\n", program->cpus, schedules[program->schedule], program->depth);
    for (unsigned i = 1; i < PROG_LISTS; i++) {
        if (program->starts[i] != PROG_NOT_STARTED) {
            add(to, "start t%u %s\n", i, program->starts[i] == PROG_THREAD ? "thread" : "process");
        }
    }
    add(to, program->unprivileged ? "unprivileged\n" : "%s", "");
    for (unsigned i = 0; i < 8 && i < program->size; i++) {
        faults = faults || program->file[i] != 0;
    }
    if (faults) {
        add(to, "faults ");
        add_hex(to, program->file, program->size < 8 ? program->size : 8);
        add(to, "\n");
    }
    if (program->choices < program->size) {
        add(to, "choices ");
        add_hex(to, program->file + program->choices, program->size - program->choices);
        add(to, "\n");
    }
}

size_t prog_print(const struct program *program, char *out, size_t room)
{
    struct writer to = {.out = out, .room = room, .program = program};
    out[0] = 0;
    add_header(&to);
    for (unsigned i = 0; i < program->call_count; i++) {
        add(&to, "t%u: ", program->calls[i].list);
        add_call(&to, i);
        add(&to, "\n");
    }
    return to.at;
}
