// Calls and arguments by the grammar: syscalls.def, names.def, grammar.def.
#include "harness/values.h"

#include <string.h>

#define RECENT 6u // how far back a result is looked for, mostly

enum resource { FD, PID, TIMER, MEMORY };

#define LAYOUT(call_, argument_, layout_) {CALL_##call_, (argument_), (layout_)},
static const struct layout {
    uint16_t call;
    uint8_t argument;
    const char *text;
} layouts[] = {
#include "harness/grammar.def"
};

#define GIVES(resource_, call_, word_) {resource_, CALL_##call_, (word_)},
static const struct giver {
    uint8_t resource;
    uint16_t call;
    uint8_t word;
} givers[] = {
#include "harness/grammar.def"
};

#define PREFERS(call_, argument_, giver_) {CALL_##call_, (argument_), CALL_##giver_},
static const struct {
    uint16_t call;
    uint8_t argument;
    uint16_t giver;
} preferences[] = {
#include "harness/grammar.def"
};

#define GROUP(group, ...) static const uint16_t group_##group[] = {__VA_ARGS__};
#include "harness/grammar.def"
#define GROUP(group, ...) {#group, group_##group, COUNT(group_##group)},
static const struct {
    const char *name;
    const uint16_t *calls;
    unsigned count;
} groups[] = {
#include "harness/grammar.def"
};

void draft_begin(struct draft *draft, uint64_t seed, const char *group)
{
    memset(&draft->program, 0, sizeof(draft->program));
    draft->program.cpus = 1;
    draft->program.file = draft->bytes;
    memset(draft->bytes, 0, 8);
    draft->used = 8;
    draft->choice_count = 0;
    draft->portable = false;
    draft->random = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
    draft->calls = NULL;
    draft->call_count = prog_description_count;
    for (unsigned i = 0; group != NULL && i < COUNT(groups); i++) {
        if (strcmp(groups[i].name, group) == 0) {
            draft->calls = groups[i].calls;
            draft->call_count = groups[i].count;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        draft_random(draft, 2);
    }
}

// Where an argument is generated.
struct spot {
    struct draft *draft;
    unsigned call; // its index
    uint16_t number;
    unsigned argument;
};

// --- what earlier calls gave ---------------------------------------------------------------------------------------

static const struct giver *gives(uint16_t number, enum resource what)
{
    for (unsigned i = 0; i < COUNT(givers); i++) {
        if (givers[i].call == number && givers[i].resource == what) {
            return &givers[i];
        }
    }
    return NULL;
}

static uint16_t preferred(uint16_t number, unsigned argument)
{
    for (unsigned i = 0; i < COUNT(preferences); i++) {
        if (preferences[i].call == number && preferences[i].argument == argument) {
            return preferences[i].giver;
        }
    }
    return 0;
}

// kind PROG_NUMBER: there is none.
static struct prog_value earlier(const struct spot *spot, enum resource what)
{
    const struct program *program = &spot->draft->program;
    uint16_t wanted = preferred(spot->number, spot->argument);
    unsigned fits[PROG_CALLS_MAX], best[PROG_CALLS_MAX], fit_count = 0, best_count = 0;
    for (unsigned i = 0; i < program->call_count; i++) {
        uint16_t number = program->calls[i].number;
        // What another list gives may be there in time.
        if (i == spot->call || (i > spot->call && program->calls[i].list == program->calls[spot->call].list) ||
            gives(number, what) == NULL) {
            continue;
        }
        fits[fit_count++] = i;
        if (number == wanted) {
            best[best_count++] = i;
        }
    }
    if (best_count > 0 && draft_chance(spot->draft, 85)) {
        memcpy(fits, best, sizeof(best));
        fit_count = best_count;
    }
    if (fit_count == 0) {
        return (struct prog_value){.kind = PROG_NUMBER};
    }
    unsigned span = fit_count > RECENT && draft_chance(spot->draft, 80) ? RECENT : fit_count;
    unsigned call = fits[fit_count - 1 - draft_random(spot->draft, span)];
    const struct giver *giver = gives(program->calls[call].number, what);
    uint8_t word = giver->word;
    if (program->calls[call].number == CALL_pipe2) {
        word = (uint8_t)(1 + draft_random(spot->draft, 2));
    }
    return (struct prog_value){.kind = PROG_RESULT, .extra = word, .number = call};
}

static struct prog_value descriptor(const struct spot *spot)
{
    struct prog_value value = earlier(spot, FD);
    if (value.kind == PROG_RESULT && draft_chance(spot->draft, 88)) {
        return value;
    }
    return draft_chance(spot->draft, 92) ? draft_number(draft_random(spot->draft, 9)) : value_special(spot->draft);
}

static struct prog_value resource(const struct spot *spot, enum resource what, unsigned most)
{
    struct prog_value value = earlier(spot, what);
    if (value.kind == PROG_RESULT && draft_chance(spot->draft, 75)) {
        return value;
    }
    return draft_chance(spot->draft, 90) ? draft_number(draft_random(spot->draft, most)) : value_special(spot->draft);
}

static struct prog_value mapped(const struct spot *spot)
{
    struct prog_value value = earlier(spot, MEMORY);
    if (value.kind == PROG_RESULT && draft_chance(spot->draft, 50)) {
        return value;
    }
    unsigned page = draft_chance(spot->draft, 70) ? draft_random(spot->draft, 8) : draft_random(spot->draft, 64);
    unsigned inside = draft_chance(spot->draft, 5) ? draft_random(spot->draft, PAGE) : 0;
    return (struct prog_value){.kind = PROG_ARENA, .number = page * PAGE + inside};
}

static struct prog_value somewhere(struct draft *draft)
{
    if (draft_chance(draft, 4)) {
        return value_special(draft);
    }
    unsigned page = draft_random(draft, 4), inside = draft_chance(draft, 15) ? PAGE - draft_random(draft, 40) : 0;
    inside += draft_chance(draft, 60) ? 8 * draft_random(draft, 64) : 0;
    return (struct prog_value){.kind = PROG_ARENA, .number = (page * PAGE + inside) % PROG_ARENA_SIZE};
}

static struct prog_value path_from(struct draft *draft, unsigned first, unsigned count)
{
    return (struct prog_value){.kind = PROG_PATH, .number = first + draft_random(draft, count)};
}

// What the group is most about: prog_paths from there on.
#define NEIGHBOUR_FIRST 114u

static bool is_about_neighbour(const struct draft *draft)
{
    return draft->calls == group_neighbour;
}

static struct prog_value path(struct draft *draft)
{
    if (is_about_neighbour(draft) && draft_chance(draft, 60)) {
        return path_from(draft, NEIGHBOUR_FIRST, prog_path_count - NEIGHBOUR_FIRST);
    }
    uint32_t index = draft_random(draft, draft_chance(draft, 75) ? 24 : prog_path_count);
    return (struct prog_value){.kind = PROG_PATH, .number = draft->portable && PROG_PATH_IS_OURS(index) ? 0 : index};
}

// What the argument before decides (F_SETLK wants a lock, TCSETS a struct termios).
static uint64_t number_before(const struct spot *spot)
{
    const struct prog_call *call = &spot->draft->program.calls[spot->call];
    const struct prog_value *value = &spot->draft->program.values[call->first + spot->argument - 1];
    return value->kind <= PROG_NUMBER ? value->number : ~0ull;
}

static struct prog_value layout(const struct spot *spot, const char *text);

static struct prog_value fcntl_argument(const struct spot *spot)
{
    struct draft *draft = spot->draft;
    switch (number_before(spot)) {
    case 5: // F_GETLK
    case 6:
    case 7:
    case 36:
    case 37:
    case 38: {
        struct prog_value words = layout(spot, "{joo0");
        uint64_t type = draft_random(draft, 3) | draft_random(draft, 2) << 16;
        if (words.kind == PROG_WORDS) {
            draft->program.values[words.first] = draft_number(type);
        }
        return words;
    }
    case 4: // F_SETFL
        return PICK(draft, 0, 02000, 04000, 06000, 0204000);
    case 1031: // F_SETPIPE_SZ
        return PICK(draft, 0, 1, PAGE, 2 * PAGE, 65536, 1 << 20, ~0ull);
    default:
        return draft_number(draft_random(draft, 12));
    }
}

static struct prog_value ioctl_argument(const struct spot *spot)
{
    struct draft *draft = spot->draft;
    switch (number_before(spot)) {
    case 0x5401:
    case 0x5402:
    case 0x5403:
    case 0x5404: { // struct termios: flags, line, characters
        struct {
            uint32_t flags[4];
            uint8_t line, characters[19];
        } termios = {{0x500, 5, 0xbf, 0x8a3b}, 0, {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22}};
        termios.flags[draft_random(draft, 4)] ^= 1u << draft_random(draft, 16);
        termios.characters[5 + draft_random(draft, 2)] = (uint8_t)draft_random(draft, 4);
        return draft_bytes(draft, &termios, sizeof(termios));
    }
    case 0x5410:
    case 0x40045431:
        return layout(spot, "[p");
    case 0x5414:
        return layout(spot, "[ii");
    case 0x5412:
        return draft_bytes(draft, "a", 1);
    case 0x540a:
    case 0x540b:
    case 0x5441:
    case 0x40045436:
        return draft_number(draft_random(draft, 5));
    default:
        return draft_zeroes(draft, 16);
    }
}

static struct prog_value small(struct draft *draft)
{
    return draft_chance(draft, 92) ? draft_number(draft_random(draft, 10)) : value_special(draft);
}

static struct prog_value letter(const struct spot *spot, char which);

static struct prog_value capital_letter(const struct spot *spot, char which)
{
    struct draft *draft = spot->draft;
    switch (which) {
    case 'A':
        return value_map_flags(draft);
    case 'B':
        return draft_chance(draft, 75) ? draft_zeroes(draft, 8u << draft_random(draft, 6)) : somewhere(draft);
    case 'C':
        return PICK(draft, 0x20080522, 0x20080522, 0x19980330, 0x20071026, 0);
    case 'D':
        return spot->argument == 2 ? value_named(draft, "OPEN") : PICK(draft, 24, 24, 24, 0, 23, 32, 4097);
    case 'E':
        return PICK(draft, 64, 64, 80, 88, 63, 96, 0, 5000);
    case 'F':
        return fcntl_argument(spot);
    case 'G':
        return value_signals(draft);
    case 'H':
        return PICK(draft, 17, 17, 0, 10, 65);
    case 'I':
        return ioctl_argument(spot);
    case 'J':
        return PICK(draft, (uint32_t)-1, (uint32_t)-1, (uint32_t)-6, 0, 1);
    case 'K':
        return PICK(draft, 0x103, 0x105, 0x107, 0x108, 0x500, 0x502, 0x501, 0);
    case 'L':
        return value_pages(draft);
    case 'M':
        return spot->number == CALL_mmap ? (draft_chance(draft, 50) ? draft_number(0) : mapped(spot))
                                         : draft_number(draft_random(draft, 01000));
    case 'N':
        return PICK(draft, 0, 0, 0, 1, 4, 2);
    case 'O':
        return draft_chance(draft, 40)   ? path_from(draft, 90, 6)
               : draft_chance(draft, 50) ? small(draft)
                                         : letter(spot, 'B');
    case 'P':
        return PICK(draft, 0x1000, 0, 0x10000);
    case 'Q':
        return PICK(draft, 48, 48, 56, 0);
    case 'R':
        return PICK(draft, 24, 24, 24, 0, 25);
    case 'S':
        return draft_number(0x10000 + draft_random(draft, PROG_LISTS));
    case 'T':
        return PICK(draft, 0, 1, 2, (uint64_t)-1, 0x7fffffff);
    case 'U':
        return PICK(draft, 0, 0x3fffffff, 0x3ffffffe, 1, 999999999, 1000000000);
    case 'V':
        return draft_chance(draft, 80) ? draft_number(draft_random(draft, 4)) : value_special(draft);
    case 'W':
        return draft_number(value_clone_flags(draft).number & ~0xffull);
    case 'X':
        return path_from(draft, 90, 4);
    case 'Y':
        return path_from(draft, 85, 5);
    case 'Z':
        return PICK(draft, 0, 0, 1, 2, 0x80000000);
    default:
        return small(draft);
    }
}

static struct prog_value small_letter(const struct spot *spot, char which)
{
    struct draft *draft = spot->draft;
    switch (which) {
    case 'a':
        return somewhere(draft);
    case 'b':
        return value_data(draft);
    case 'c':
        return value_clone_flags(draft);
    case 'e':
        return value_named(draft, "POLL");
    case 'f':
        return descriptor(spot);
    case 'g':
        return value_named(draft, "SIGNAL");
    case 'h':
        return PICK(draft, 2, 2, 2, 2, 1, 0);
    case 'k':
        return value_named(draft, "SA");
    case 'l':
        return value_length(draft);
    case 'm':
        return mapped(spot);
    case 'n':
        return value_nanoseconds(draft);
    case 'o':
        return PICK(draft, 0, 0, 1, 8, 100, PAGE, PAGE - 1, 2 * PAGE, 5000, (uint64_t)-1, 1ull << 31, INT64_MAX);
    case 'p':
        if (is_about_neighbour(draft) && draft_chance(draft, 60)) {
            return draft_number(PROG_NEIGHBOUR);
        }
        return resource(spot, PID, 4);
    case 'q':
        return draft_chance(draft, 60)      ? draft_number(~0ull)
               : spot->number == CALL_wait4 ? letter(spot, 'p')
                                            : descriptor(spot);
    case 'r':
        return path(draft);
    case 's':
        return value_seconds(draft);
    case 't':
        return resource(spot, TIMER, 3);
    case 'u':
        return PICK(draft, 0, 1000, 1000, 1001, 65534, (uint32_t)-1, 5);
    case 'v':
        return draft_number(draft_random(draft, 1000));
    case 'w':
        return draft_chance(draft, 90)
                   ? (struct prog_value){.kind = PROG_ARENA, .number = 0x100 + 4 * draft_random(draft, 4)}
                   : somewhere(draft);
    case 'x':
        return value_special(draft);
    case 'y':
        return draft_chance(draft, 50)   ? path_from(draft, 82, 1)
               : draft_chance(draft, 50) ? path_from(draft, 12, 1)
                                         : path(draft);
    case 'z':
        return draft_chance(draft, 80) ? draft_number(0) : somewhere(draft);
    case '0':
    case '8':
        return draft_chance(draft, 97) ? draft_number((uint64_t)which - '0') : value_special(draft);
    default: // i, j
        return small(draft);
    }
}

// The letters of grammar.def.
static struct prog_value letter(const struct spot *spot, char which)
{
    return which >= 'A' && which <= 'Z' ? capital_letter(spot, which) : small_letter(spot, which);
}

static struct prog_value layout(const struct spot *spot, const char *text)
{
    struct draft *draft = spot->draft;
    if (*text == '?') {
        if (draft_chance(draft, 30)) {
            return draft_number(0);
        }
        text++;
    }
    if (*text != '{' && *text != '[') {
        return letter(spot, *text);
    }
    char letters[PROG_WORDS_MAX + 1];
    bool narrow = *text++ == '[';
    unsigned count = 0, times = 1;
    if (*text == '*') {
        times = 1 + draft_random(draft, 4);
        text++;
    }
    for (; times > 0; times--) {
        for (const char *at = text; *at != 0 && count < PROG_WORDS_MAX; at++) {
            letters[count++] = *at;
        }
    }
    struct prog_value value = {.kind = PROG_WORDS, .extra = narrow, .count = (uint8_t)count};
    if (!draft_values(draft, count, &value.first)) {
        return draft_number(0);
    }
    for (unsigned i = 0; i < count; i++) {
        struct prog_value word = letter(spot, letters[i]);
        draft->program.values[value.first + i] = word;
    }
    return value;
}

static const char *layout_of(uint16_t number, unsigned argument)
{
    for (unsigned i = 0; i < COUNT(layouts); i++) {
        if (layouts[i].call == number && layouts[i].argument == argument) {
            return layouts[i].text;
        }
    }
    return NULL;
}

// --- by kind -------------------------------------------------------------------------------------------------------

static struct prog_value vector(const struct spot *spot)
{
    struct draft *draft = spot->draft;
    unsigned count = 1 + draft_random(draft, 4);
    struct prog_value value = {.kind = PROG_WORDS, .count = (uint8_t)(2 * count)};
    if (!draft_values(draft, 2 * count, &value.first)) {
        return draft_number(0);
    }
    for (unsigned i = 0; i < count; i++) {
        bool own = draft_chance(draft, 60);
        struct prog_value bytes = own ? value_data(draft) : somewhere(draft);
        draft->program.values[value.first + 2 * i] = bytes;
        draft->program.values[value.first + 2 * i + 1] =
            bytes.kind == PROG_BYTES && draft_chance(draft, 80) ? draft_number(bytes.count) : value_length(draft);
    }
    return value;
}

// A length as long as its buffer, mostly.
static struct prog_value size_of_buffer(const struct spot *spot, const struct prog_description *about)
{
    struct draft *draft = spot->draft;
    const struct prog_call *call = &draft->program.calls[spot->call];
    for (unsigned i = 0; i < spot->argument; i++) {
        uint8_t kind = about->arguments[i].kind;
        bool counts = kind == PROG_ARG_BUF_IN || kind == PROG_ARG_BUF_OUT || kind == PROG_ARG_VEC_IN;
        const struct prog_value *value = &draft->program.values[call->first + i];
        if (counts && about->arguments[i].param == spot->argument) {
            unsigned size = value->kind == PROG_WORDS   ? value->count / 2u
                            : value->kind == PROG_BYTES ? value->count * (value->extra != 0 ? 16u : 1u)
                                                        : 8u << draft_random(draft, 10);
            return draft_chance(draft, 85) ? draft_number(size) : value_length(draft);
        }
    }
    return value_length(draft);
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name), tail = strlen(end);
    return size >= tail && strcmp(name + size - tail, end) == 0;
}

static struct prog_value plain_number(const struct spot *spot, const struct prog_argument *about)
{
    struct draft *draft = spot->draft;
    if (ends_with(about->name, "mode")) {
        uint64_t type = spot->number == CALL_mknodat ? value_named(draft, "MODE").number : 0;
        return draft_number(type | (draft_chance(draft, 60) ? 0666 : draft_random(draft, 010000)));
    }
    if (strstr(about->name, "size") != NULL || strstr(about->name, "len") != NULL || ends_with(about->name, "count") ||
        ends_with(about->name, "bytes")) {
        return value_length(draft);
    }
    if (strstr(about->name, "off") != NULL || strstr(about->name, "pos_l") != NULL) {
        return letter(spot, 'o');
    }
    return small(draft);
}

static struct prog_value generate_by_kind(const struct spot *spot, const struct prog_description *call)
{
    struct draft *draft = spot->draft;
    const struct prog_argument *about = &call->arguments[spot->argument];
    int set = prog_set_of(spot->number, spot->argument);
    switch (about->kind) {
    case PROG_ARG_FD:
        return about->param != 0 && draft_chance(draft, 75) ? draft_number((uint64_t)-100) : descriptor(spot);
    case PROG_ARG_SIZE:
        return size_of_buffer(spot, call);
    case PROG_ARG_FLAGS:
        return set >= 0 ? value_from_set(draft, (unsigned)set, true)
                        : draft_number(draft_chance(draft, 50) ? 0 : about->param & draft_random(draft, UINT32_MAX));
    case PROG_ARG_ENUM:
        return set >= 0 ? value_from_set(draft, (unsigned)set, true)
                        : draft_number(draft_random(draft, about->param + 2));
    case PROG_ARG_PID:
        return letter(spot, 'p');
    case PROG_ARG_SIGNAL:
        return letter(spot, 'g');
    case PROG_ARG_PATH:
        return path(draft);
    case PROG_ARG_BUF_IN:
        return draft_chance(draft, 70) ? value_data(draft) : somewhere(draft);
    case PROG_ARG_BUF_OUT:
        return letter(spot, 'B');
    case PROG_ARG_STRUCT_IN_OPT:
    case PROG_ARG_STRUCT_OUT_OPT:
        if (draft_chance(draft, 35)) {
            return draft_number(0);
        }
        return draft_chance(draft, 85) ? draft_zeroes(draft, about->param) : somewhere(draft);
    case PROG_ARG_STRUCT_IN:
    case PROG_ARG_STRUCT_OUT:
        return draft_chance(draft, 90) ? draft_zeroes(draft, about->param) : somewhere(draft);
    case PROG_ARG_VEC_IN:
        return vector(spot);
    case PROG_ARG_ADDRESS:
        return letter(spot, 'a');
    default:
        return set >= 0 ? value_from_set(draft, (unsigned)set, true) : plain_number(spot, about);
    }
}

struct prog_value draft_generate(struct draft *draft, unsigned call, unsigned argument)
{
    uint16_t number = draft->program.calls[call].number;
    const struct spot spot = {draft, call, number, argument};
    const struct prog_description *about = prog_describe(number);
    if (about == NULL || argument >= about->argument_count) {
        return value_special(draft);
    }
    const char *text = layout_of(number, argument);
    if (prog_set_of(number, argument) == prog_set_named("PROT") && draft_chance(draft, 60)) {
        return draft_number(draft_chance(draft, 80) ? 3 : 1);
    }
    if (number == CALL_openat && argument == 2 && draft_chance(draft, 60)) {
        return PICK(draft, 2, 2, 0102, 0102, 0, 1, 02001, 01102, 0302, 04002);
    }
    if (number >= PROG_LOAD) {
        return argument == 0   ? (draft_chance(draft, 50) ? mapped(&spot) : letter(&spot, 'w'))
               : argument == 1 ? small(draft)
                               : PICK(draft, 1, 2, 4, 8);
    }
    if (draft_chance(draft, 2)) {
        return value_special(draft);
    }
    return text != NULL ? layout(&spot, text) : generate_by_kind(&spot, about);
}

struct prog_value draft_generate_word(struct draft *draft, unsigned call, unsigned argument, unsigned word)
{
    uint16_t number = draft->program.calls[call].number;
    const struct spot spot = {draft, call, number, argument};
    const char *text = layout_of(number, argument);
    text = text != NULL && *text == '?' ? text + 1 : text;
    if (text == NULL || (*text != '{' && *text != '[') || text[1] == '*') {
        return draft_chance(draft, 50) ? value_special(draft) : somewhere(draft);
    }
    return word < strlen(text + 1) ? letter(&spot, text[1 + word]) : value_special(draft);
}

// --- calls ---------------------------------------------------------------------------------------------------------

static uint16_t any_call(struct draft *draft)
{
    if (draft->calls != NULL && draft_chance(draft, 90)) {
        return draft->calls[draft_random(draft, draft->call_count)];
    }
    return prog_descriptions[draft_random(draft, prog_description_count)].number;
}

static bool make_call(struct draft *draft, unsigned index, uint8_t list, uint16_t number)
{
    const struct prog_description *about = prog_describe(number);
    uint16_t first;
    if (!draft_values(draft, about->argument_count, &first) || draft_insert(draft, index) == NULL) {
        return false;
    }
    draft->program.calls[index] =
        (struct prog_call){.number = number, .list = list, .argument_count = about->argument_count, .first = first};
    for (unsigned i = 0; i < about->argument_count; i++) {
        struct prog_value value = draft_generate(draft, index, i);
        draft->program.values[first + i] = value;
    }
    if (draft_chance(draft, 4)) {
        draft->program.calls[index].fail_nth = (uint8_t)(1 + draft_random(draft, 8));
    }
    return true;
}

// The resource that an argument of the call wants and nobody gives yet.
static uint16_t missing(struct draft *draft, uint16_t number)
{
    static const uint16_t first_givers[] = {
        [FD] = CALL_openat, [PID] = CALL_clone, [TIMER] = CALL_timer_create, [MEMORY] = CALL_mmap};
    const struct prog_description *about = prog_describe(number);
    for (unsigned i = 0; i < about->argument_count; i++) {
        const char *text = layout_of(number, i);
        char one = text != NULL ? *text : 0;
        int what = about->arguments[i].kind == PROG_ARG_FD && about->arguments[i].param == 0 ? FD
                   : one == 't'                                                              ? TIMER
                   : one == 'm'                                                              ? MEMORY
                                                                                             : -1;
        uint16_t wanted = preferred(number, i);
        if (what < 0) {
            continue;
        }
        wanted = wanted != 0 ? wanted : first_givers[what];
        for (unsigned j = 0; j < draft->program.call_count; j++) {
            wanted = draft->program.calls[j].number == wanted ? 0 : wanted;
        }
        if (wanted != 0 && wanted != number) {
            return wanted;
        }
    }
    return 0;
}

unsigned draft_generate_call(struct draft *draft, unsigned index, uint8_t list)
{
    uint16_t number = any_call(draft);
    uint16_t before = draft_chance(draft, 75) ? missing(draft, number) : 0;
    unsigned made = 0;
    if (before != 0) {
        made += make_call(draft, index, list, before);
    }
    made += make_call(draft, index + made, list, number);
    return made;
}
