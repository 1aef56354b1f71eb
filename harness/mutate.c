// Changes to programs.
#include "harness/draft.h"

#include <string.h>

#define CALLS_USUAL 12u // growing beyond becomes rarer
#define CALLS_MANY 32u
#define STEPS_MOST 6u
#define CROSSED_USUAL 16u // as many are left of two programs, mostly

static unsigned position(struct draft *draft)
{
    return draft_random(draft, draft->program.call_count + 1u);
}

static uint8_t list_near(struct draft *draft, unsigned index)
{
    const struct program *program = &draft->program;
    if (program->call_count > 0 && draft_chance(draft, 75)) {
        return program->calls[index < program->call_count ? index : program->call_count - 1u].list;
    }
    return (uint8_t)(draft_chance(draft, 50) ? 0 : draft_random(draft, PROG_LISTS));
}

static void insert(struct draft *draft)
{
    unsigned index = position(draft);
    uint8_t list = list_near(draft, index);
    draft_generate_call(draft, index, list);
}

static void remove_some(struct draft *draft)
{
    unsigned count = draft_chance(draft, 80) ? 1 : 1 + draft_random(draft, 4);
    for (; count > 0 && draft->program.call_count > 1; count--) {
        draft_remove(draft, draft_random(draft, draft->program.call_count));
    }
}

// Calls stand in one list as in the array: the order between lists is the schedule's.
static void swap(struct draft *draft)
{
    struct program *program = &draft->program;
    if (program->call_count < 2) {
        return;
    }
    unsigned a = draft_random(draft, program->call_count), b = draft_random(draft, program->call_count);
    struct prog_call call = program->calls[a];
    program->calls[a] = program->calls[b];
    program->calls[b] = call;
    for (unsigned i = 0; i < program->value_count; i++) {
        struct prog_value *value = &program->values[i];
        if (value->kind == PROG_RESULT) {
            value->number = value->number == a ? b : value->number == b ? a : value->number;
        }
    }
}

static void duplicate(struct draft *draft)
{
    struct program *program = &draft->program;
    if (program->call_count == 0) {
        return;
    }
    struct program original = *program;
    unsigned from = draft_random(draft, program->call_count), to = position(draft);
    if (!draft_copy_call(draft, to, &original, from, 0)) {
        return;
    }
    // The copy was made with the indices of before.
    const struct prog_call *copy = &program->calls[to];
    for (unsigned i = 0; i < copy->argument_count; i++) {
        struct prog_value *value = &program->values[copy->first + i];
        if (value->kind == PROG_RESULT && value->number >= to && value->number != from) {
            value->number++;
        }
    }
    if (draft_chance(draft, 40)) {
        program->calls[to].list = (uint8_t)draft_random(draft, PROG_LISTS);
    }
}

// How a list starts, when one does. Processes cost ten times what threads do.
static uint8_t draft_start(struct draft *draft)
{
    return draft_chance(draft, 75) ? PROG_THREAD : PROG_PROCESS;
}

static void move_list(struct draft *draft)
{
    struct program *program = &draft->program;
    unsigned start = draft_random(draft, program->call_count);
    unsigned count = draft_chance(draft, 60) ? 1 : draft_random(draft, program->call_count - start + 1);
    uint8_t list = (uint8_t)draft_random(draft, PROG_LISTS);
    for (unsigned i = start; i < start + count && i < program->call_count; i++) {
        program->calls[i].list = list;
    }
    if (list != 0 && program->starts[list] == PROG_NOT_STARTED && draft_chance(draft, 60)) {
        program->starts[list] = draft_start(draft);
    }
}

// One list does it all: without this, programs would have ever more tasks, which cost most of their time.
static void gather_lists(struct draft *draft)
{
    struct program *program = &draft->program;
    bool all = draft_chance(draft, 50);
    uint8_t list = (uint8_t)(1 + draft_random(draft, PROG_LISTS - 1));
    for (unsigned i = 0; i < program->call_count; i++) {
        if (all || program->calls[i].list == list) {
            program->calls[i].list = 0;
        }
    }
    for (unsigned i = 1; i < PROG_LISTS; i++) {
        if (all || i == list) {
            program->starts[i] = PROG_NOT_STARTED;
        }
    }
}

// --- arguments -----------------------------------------------------------------------------------------------------

static void change_number(struct draft *draft, struct prog_value *value)
{
    uint64_t number = value->number;
    switch (draft_random(draft, 5)) {
    case 0:
        number += 1 + draft_random(draft, 4);
        break;
    case 1:
        number -= 1 + draft_random(draft, 4);
        break;
    case 2:
        number ^= 1ull << draft_random(draft, draft_chance(draft, 70) ? 12 : 64);
        break;
    case 3:
        number = prog_specials[draft_random(draft, prog_special_count)];
        break;
    default:
        number = draft_chance(draft, 50) ? 0 - number : number * 2;
        break;
    }
    *value = draft_number(number);
}

static void change_bytes(struct draft *draft, struct prog_value *value)
{
    uint8_t bytes[255];
    unsigned count = value->count;
    memcpy(bytes, draft->bytes + value->first, count);
    switch (draft_random(draft, 4)) {
    case 0:
        count = draft_random(draft, 256);
        memset(bytes + value->count, 0, count > value->count ? count - value->count : 0u);
        break;
    case 1:
        value->extra ^= 1;
        break;
    default:
        for (unsigned i = 1 + draft_random(draft, 3); i > 0 && count > 0; i--) {
            uint8_t *byte = &bytes[draft_random(draft, count)];
            *byte = draft_chance(draft, 50) ? (uint8_t)draft_random(draft, 256)
                                            : (uint8_t)(*byte ^ 1u << draft_random(draft, 8));
        }
        break;
    }
    struct prog_value changed = draft_bytes(draft, bytes, count);
    changed.extra = changed.kind == PROG_BYTES ? value->extra : 0;
    *value = changed;
}

static void change_argument(struct draft *draft)
{
    struct program *program = &draft->program;
    unsigned index = draft_random(draft, program->call_count);
    struct prog_call *call = &program->calls[index];
    if (call->argument_count == 0) {
        return;
    }
    unsigned argument = draft_random(draft, call->argument_count);
    uint16_t place = call->first + argument;
    struct prog_value value = program->values[place];
    bool whole = draft_chance(draft, 40);
    if (!whole && value.kind == PROG_WORDS && value.count > 0) {
        unsigned word = draft_random(draft, value.count);
        uint16_t at = value.first + word;
        if (program->values[at].kind <= PROG_NUMBER && draft_chance(draft, 30)) {
            change_number(draft, &program->values[at]);
        } else {
            struct prog_value fresh = draft_generate_word(draft, index, argument, word);
            program->values[at] = fresh;
        }
        return;
    }
    if (!whole && value.kind <= PROG_NUMBER) {
        change_number(draft, &value);
    } else if (!whole && value.kind == PROG_BYTES) {
        change_bytes(draft, &value);
    } else if (!whole && value.kind == PROG_ARENA) {
        value.number = (value.number ^ 1u << draft_random(draft, 18)) % PROG_ARENA_SIZE;
    } else {
        value = draft_generate(draft, index, argument);
    }
    program->values[place] = value;
}

static void change_call(struct draft *draft)
{
    struct program *program = &draft->program;
    struct prog_call *call = &program->calls[draft_random(draft, program->call_count)];
    switch (draft_random(draft, 4)) {
    case 0: // the same arguments for another one
        call->number = draft->calls != NULL ? draft->calls[draft_random(draft, draft->call_count)]
                                            : prog_descriptions[draft_random(draft, prog_description_count)].number;
        break;
    case 1:
        call->fail_nth = (uint8_t)(call->fail_nth != 0 && draft_chance(draft, 50) ? 0 : 1 + draft_random(draft, 12));
        break;
    default:
        call->fail_nth = (uint8_t)(call->fail_nth != 0 ? call->fail_nth + 1 : 1);
        break;
    }
}

// --- what is around the calls --------------------------------------------------------------------------------------

static void change_machine(struct draft *draft)
{
    struct program *program = &draft->program;
    switch (draft_random(draft, 6)) {
    case 0:
        program->cpus = (uint8_t)(1 + draft_random(draft, 4));
        break;
    case 1:
        program->schedule = (uint8_t)draft_random(draft, PROG_PRIORITIES + 1);
        break;
    case 2:
        program->depth = (uint8_t)draft_random(draft, 16);
        break;
    case 3:
        program->unprivileged = draft_chance(draft, 30);
        break;
    default:
        program->starts[1 + draft_random(draft, PROG_LISTS - 1)] =
            draft_chance(draft, 60) ? PROG_NOT_STARTED : draft_start(draft);
        break;
    }
}

static void change_choices(struct draft *draft)
{
    size_t room = 512, count = draft->choice_count < room ? draft->choice_count : room;
    switch (draft_random(draft, 4)) {
    case 0: { // used from the end on: what is new comes first
        unsigned more = 1 + draft_random(draft, 64);
        for (unsigned i = 0; i < more && draft->choice_count < sizeof(draft->choices) / 4; i++) {
            draft->choices[draft->choice_count++] = (uint8_t)draft_random(draft, 256);
        }
        break;
    }
    case 1: {
        unsigned less = draft_random(draft, (uint32_t)count + 1);
        draft->choice_count -= less;
        memmove(draft->choices, draft->choices + less, draft->choice_count);
        break;
    }
    default:
        for (unsigned i = 1 + draft_random(draft, 8); i > 0 && count > 0; i--) {
            draft->choices[draft->choice_count - 1 - draft_random(draft, (uint32_t)count)] =
                (uint8_t)draft_random(draft, 256);
        }
        break;
    }
}

// kinds, nth, interval, times, probability, seed (2), high byte of nth (harness/harness.h).
static void change_plan(struct draft *draft)
{
    uint8_t *plan = draft->bytes;
    if (plan[0] != 0 && draft_chance(draft, 60)) {
        memset(plan, 0, 8);
        return;
    }
    memset(plan, 0, 8);
    plan[0] = (uint8_t)(1u << draft_random(draft, 4));
    if (draft_chance(draft, 75)) {
        plan[1] = (uint8_t)(1 + draft_random(draft, 60));
        plan[3] = (uint8_t)draft_random(draft, 3);
    } else {
        plan[4] = (uint8_t)(1 + draft_random(draft, 30));
        plan[5] = (uint8_t)draft_random(draft, 256);
    }
}

// --- steps ---------------------------------------------------------------------------------------------------------

static void step(struct draft *draft)
{
    unsigned which = draft_random(draft, 100), count = draft->program.call_count;
    if (count == 0 || (which < 26 && (count < CALLS_USUAL || draft_chance(draft, 35)))) {
        insert(draft);
    } else if (which < 60) {
        change_argument(draft);
    } else if (which < 70) {
        remove_some(draft);
    } else if (which < 75) {
        swap(draft);
    } else if (which < 80) {
        duplicate(draft);
    } else if (which < 83) {
        move_list(draft);
    } else if (which < 86) {
        gather_lists(draft);
    } else if (which < 88) {
        change_call(draft);
    } else if (which < 92) {
        change_machine(draft);
    } else if (which < 98) {
        change_choices(draft);
    } else {
        change_plan(draft);
    }
}

void draft_mutate(struct draft *draft)
{
    unsigned steps = 1;
    while (steps < STEPS_MOST && draft_chance(draft, 50)) {
        steps++;
    }
    for (; steps > 0; steps--) {
        step(draft);
    }
    while (draft->program.call_count > CALLS_MANY) {
        draft_remove(draft, draft_random(draft, draft->program.call_count));
    }
}

void draft_cross(struct draft *draft, const uint8_t *other, size_t size)
{
    struct program from;
    prog_decode(other, size, &from);
    struct program *program = &draft->program;
    if (from.call_count == 0) {
        return;
    }
    unsigned first = draft_random(draft, from.call_count);
    unsigned count = 1 + draft_random(draft, from.call_count - first), at = position(draft);
    if (draft_chance(draft, 50)) { // the whole beginning: what later calls stand on
        count += first;
        first = 0;
    }
    bool elsewhere = draft_chance(draft, 30);
    uint8_t list = (uint8_t)draft_random(draft, PROG_LISTS);
    for (unsigned i = 0; i < count; i++) {
        if (!draft_copy_call(draft, at + i, &from, first + i, (int)at - (int)first)) {
            break;
        }
        if (elsewhere) {
            program->calls[at + i].list = list;
        }
    }
    for (unsigned i = 0; i < count && !elsewhere; i++) {
        unsigned from_list = from.calls[first + i].list;
        if (program->starts[from_list] == PROG_NOT_STARTED) {
            program->starts[from_list] = from.starts[from_list];
        }
    }
    bool small = draft_chance(draft, 85);
    while (small && program->call_count > CROSSED_USUAL) {
        draft_remove(draft, draft_random(draft, program->call_count));
    }
    if (elsewhere && list != 0 && program->starts[list] == PROG_NOT_STARTED) {
        program->starts[list] = PROG_THREAD;
    }
}

void draft_new(struct draft *draft)
{
    struct program *program = &draft->program;
    unsigned wanted = 2 + draft_random(draft, 12);
    program->cpus = (uint8_t)(1 + draft_random(draft, 4));
    program->schedule = (uint8_t)draft_random(draft, PROG_PRIORITIES + 1);
    program->depth = (uint8_t)draft_random(draft, 6);
    bool alone = draft_chance(draft, 50);
    for (unsigned i = 1; i < PROG_LISTS && !alone; i++) {
        program->starts[i] = draft_chance(draft, 40) ? draft_start(draft) : PROG_NOT_STARTED;
    }
    while (program->call_count < wanted) {
        uint8_t list = (uint8_t)(alone || draft_chance(draft, 50) ? 0 : draft_random(draft, PROG_LISTS));
        if (draft_generate_call(draft, program->call_count, list) == 0) {
            break;
        }
    }
    if (draft_chance(draft, 50)) {
        draft->choice_count = 32;
        for (unsigned i = 0; i < draft->choice_count; i++) {
            draft->choices[i] = (uint8_t)draft_random(draft, 256);
        }
    }
}
