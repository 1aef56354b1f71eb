// Values of a program become words, and memory that these point to.
#include "user/prog/internal.h"

#define CLEARED 1024u // bytes of scratch memory

struct place {
    const struct prog_task *task;
    uint64_t at, end; // scratch memory that is left
};

// Of size bytes, aligned; 0: no room. A call that is told of more than the program wrote finds zeroes there: what
// earlier calls have left, such as times and addresses, is each machine's own.
static uint64_t take(struct place *place, uint64_t size)
{
    static const uint8_t zeroes[CLEARED];
    uint64_t at = (place->at + 15) & ~15ull;
    if (size > place->end - at) {
        return 0;
    }
    if (at == scratch_of(place->task)) {
        prog_machine_write(at, zeroes, sizeof(zeroes));
    }
    place->at = at + size;
    return at;
}

static uint64_t result_of(const struct prog_value *value)
{
    uint64_t result = 0;
    if (value->extra == 0) {
        uint64_t offset = offsetof(struct prog_state, results) + value->number * sizeof(uint64_t);
        prog_machine_read(&result, PROG_STATE_BASE + offset, sizeof(result));
        return result;
    }
    uint32_t word;
    uint64_t offset = offsetof(struct prog_state, words) + (value->number * 7 + value->extra - 1u) * sizeof(uint32_t);
    prog_machine_read(&word, PROG_STATE_BASE + offset, sizeof(word));
    return (uint64_t)(int32_t)word;
}

static uint64_t bytes_at(struct place *place, const struct prog_value *value)
{
    unsigned times = value->extra != 0 ? 16 : 1;
    uint64_t at = take(place, value->count * (uint64_t)times);
    for (unsigned i = 0; i < times && at != 0 && value->count > 0; i++) {
        prog_machine_write(at + i * value->count, place->task->program->file + value->first, value->count);
    }
    return at;
}

static uint64_t path_at(struct place *place, uint64_t index)
{
    const char *text = index < prog_path_count ? prog_paths[index] : "";
    uint64_t size = 1;
    while (text[size - 1] != 0) {
        size++;
    }
    uint64_t at = take(place, size);
    if (at != 0) {
        prog_machine_write(at, text, size);
    }
    return at;
}

static uint64_t evaluate(struct place *place, const struct prog_value *value);

static uint64_t words_at(struct place *place, const struct prog_value *value)
{
    uint64_t words[PROG_WORDS_MAX];
    uint32_t halves[PROG_WORDS_MAX];
    bool narrow = value->extra != 0;
    uint64_t size = value->count * (narrow ? sizeof(halves[0]) : sizeof(words[0]));
    for (unsigned i = 0; i < value->count; i++) {
        words[i] = evaluate(place, &place->task->program->values[value->first + i]);
        halves[i] = (uint32_t)words[i];
    }
    uint64_t at = take(place, size);
    if (at != 0 && size > 0) {
        prog_machine_write(at, narrow ? (const void *)halves : words, size);
    }
    return at;
}

static uint64_t evaluate(struct place *place, const struct prog_value *value)
{
    switch (value->kind) {
    case PROG_RESULT:
        return result_of(value);
    case PROG_ARENA:
        return PROG_ARENA_BASE + value->number;
    case PROG_BYTES:
        return bytes_at(place, value);
    case PROG_WORDS:
        return words_at(place, value);
    case PROG_PATH:
        return path_at(place, value->number);
    default:
        return value->number;
    }
}

void prog_evaluate(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[PROG_ARGUMENTS])
{
    struct place place = {task, scratch_of(task), scratch_of(task) + PROG_SCRATCH_SIZE};
    for (unsigned i = 0; i < PROG_ARGUMENTS; i++) {
        arguments[i] = i < call->argument_count ? evaluate(&place, &task->program->values[call->first + i]) : 0;
    }
}
