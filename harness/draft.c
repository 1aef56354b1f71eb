// Programs that are being changed: room, references, encoding.
#include "harness/draft.h"

#include <string.h>

uint32_t draft_random(struct draft *draft, uint32_t bound)
{
    draft->random ^= draft->random << 13;
    draft->random ^= draft->random >> 7;
    draft->random ^= draft->random << 17;
    return bound == 0 ? 0 : (uint32_t)((draft->random >> 16) % bound);
}

bool draft_chance(struct draft *draft, unsigned percent)
{
    return draft_random(draft, 100) < percent;
}

void draft_load(struct draft *draft, const uint8_t *file, size_t size)
{
    struct program *program = &draft->program;
    prog_decode(file, size, program);
    memset(draft->bytes, 0, 8);
    memcpy(draft->bytes, file, program->size < 8 ? program->size : 8); // the plan
    memcpy(draft->bytes + 8, file, program->size);
    for (unsigned i = 0; i < program->value_count; i++) {
        if (program->values[i].kind == PROG_BYTES) {
            program->values[i].first += 8;
        }
    }
    draft->used = program->size + 8;
    draft->choice_count = program->size - program->choices;
    memcpy(draft->choices, file + program->choices, draft->choice_count);
    program->file = draft->bytes;
}

static bool put(struct draft *draft, uint8_t *out, size_t room, size_t *size)
{
    struct program *program = &draft->program;
    if (draft->choice_count > DRAFT_BYTES - draft->used) {
        return false;
    }
    for (unsigned i = 0; i < program->value_count; i++) { // as decoding sees them
        struct prog_value *value = &program->values[i];
        if (value->kind == PROG_RESULT && program->call_count > 0) {
            value->number %= program->call_count;
        }
    }
    memcpy(draft->bytes + draft->used, draft->choices, draft->choice_count);
    program->choices = draft->used;
    program->size = draft->used + draft->choice_count;
    *size = prog_encode(program, out, room);
    return *size > 0;
}

size_t draft_save(struct draft *draft, uint8_t *out, size_t room)
{
    size_t size = 0;
    while (!put(draft, out, room, &size)) {
        if (draft->choice_count > 64 || (draft->choice_count > 0 && draft->program.call_count == 0)) {
            draft->choice_count /= 2;
        } else if (draft->program.call_count > 0) {
            draft_remove(draft, draft->program.call_count - 1u);
        } else {
            break;
        }
    }
    return size;
}

// --- values --------------------------------------------------------------------------------------------------------

bool draft_values(struct draft *draft, unsigned count, uint16_t *first)
{
    struct program *program = &draft->program;
    if (count > PROG_VALUES_MAX - program->value_count) {
        return false;
    }
    *first = program->value_count;
    memset(program->values + *first, 0, count * sizeof(program->values[0]));
    program->value_count += count;
    return true;
}

struct prog_value draft_number(uint64_t number)
{
    return (struct prog_value){.kind = number <= PROG_SMALL_MAX ? PROG_SMALL : PROG_NUMBER, .number = number};
}

struct prog_value draft_bytes(struct draft *draft, const void *bytes, unsigned size)
{
    size = size < 255 ? size : 255;
    if (size > DRAFT_BYTES - draft->used) {
        return draft_number(0);
    }
    struct prog_value value = {.kind = PROG_BYTES, .count = (uint8_t)size, .first = (uint16_t)draft->used};
    memcpy(draft->bytes + draft->used, bytes, size);
    draft->used += size;
    return value;
}

struct prog_value draft_zeroes(struct draft *draft, unsigned size)
{
    static const uint8_t zeroes[255];
    struct prog_value value = draft_bytes(draft, zeroes, size <= 255 ? size : (size + 15) / 16);
    value.extra = value.kind == PROG_BYTES && size > 255;
    return value;
}

// --- calls ---------------------------------------------------------------------------------------------------------

static void shift_results(struct program *program, unsigned from, int by)
{
    for (unsigned i = 0; i < program->value_count; i++) {
        struct prog_value *value = &program->values[i];
        if (value->kind == PROG_RESULT && value->number >= from) {
            value->number += (uint64_t)by;
        }
    }
}

struct prog_call *draft_insert(struct draft *draft, unsigned index)
{
    struct program *program = &draft->program;
    if (program->call_count == PROG_CALLS_MAX) {
        return NULL;
    }
    memmove(program->calls + index + 1, program->calls + index,
            (program->call_count - index) * sizeof(program->calls[0]));
    program->call_count++;
    shift_results(program, index, 1);
    program->calls[index] = (struct prog_call){.number = 0};
    return &program->calls[index];
}

void draft_remove(struct draft *draft, unsigned index)
{
    struct program *program = &draft->program;
    for (unsigned i = 0; i < program->value_count; i++) {
        if (program->values[i].kind == PROG_RESULT && program->values[i].number == index) {
            program->values[i] = draft_number(draft_random(draft, 6));
        }
    }
    memmove(program->calls + index, program->calls + index + 1,
            (program->call_count - index - 1u) * sizeof(program->calls[0]));
    program->call_count--;
    shift_results(program, index, -1);
}

static void copy_value(struct draft *draft, struct prog_value *to, const struct program *from,
                       const struct prog_value *value, int offset)
{
    *to = *value;
    if (value->kind == PROG_BYTES) {
        *to = draft_bytes(draft, from->file + value->first, value->count);
        to->extra = to->kind == PROG_BYTES ? value->extra : 0;
    } else if (value->kind == PROG_WORDS) {
        if (!draft_values(draft, value->count, &to->first)) {
            *to = draft_number(0);
            return;
        }
        for (unsigned i = 0; i < value->count; i++) {
            copy_value(draft, &draft->program.values[to->first + i], from, &from->values[value->first + i], offset);
        }
    } else if (value->kind == PROG_RESULT) {
        int64_t call = (int64_t)value->number + offset;
        *to = call < 0 || call >= (int64_t)PROG_CALLS_MAX ? draft_number(draft_random(draft, 6)) : *value;
        if (to->kind == PROG_RESULT) {
            to->number = (uint64_t)call;
        }
    }
}

bool draft_copy_call(struct draft *draft, unsigned index, const struct program *from, unsigned call, int offset)
{
    const struct prog_call *original = &from->calls[call];
    uint16_t first;
    if (!draft_values(draft, original->argument_count, &first)) {
        return false;
    }
    struct prog_call *copy = draft_insert(draft, index);
    if (copy == NULL) {
        return false;
    }
    *copy = *original;
    copy->first = first;
    for (unsigned i = 0; i < original->argument_count; i++) {
        copy_value(draft, &draft->program.values[first + i], from, &from->values[original->first + i], offset);
    }
    return true;
}
