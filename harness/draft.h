// A program while it is being changed, and what fits where in it. No state but in the draft: equal seeds, equal drafts.
#pragma once

#include "user/prog/text.h"

#define DRAFT_BYTES (2 * PROG_FILE_MAX)

struct draft {
    struct program program; // its file: bytes
    uint8_t bytes[DRAFT_BYTES];
    size_t used; // of bytes
    uint8_t choices[PROG_FILE_MAX];
    size_t choice_count;
    uint64_t random;
    bool portable;         // only what Linux could have, too
    const uint16_t *calls; // of the group; NULL: all
    unsigned call_count;
};

// group: "vm", ..., as grammar.def has them; what has no such group is all calls.
void draft_begin(struct draft *draft, uint64_t seed, const char *group);
// Replaces what is there by what the file says.
void draft_load(struct draft *draft, const uint8_t *file, size_t size);
// Drops calls at the end, then choices, until it fits. Bytes written.
size_t draft_save(struct draft *draft, uint8_t *out, size_t room);

uint32_t draft_random(struct draft *draft, uint32_t bound); // 0 to bound - 1
bool draft_chance(struct draft *draft, unsigned percent);

// Values: false or a zero when there is no room.
bool draft_values(struct draft *draft, unsigned count, uint16_t *first);
struct prog_value draft_number(uint64_t number);
struct prog_value draft_zeroes(struct draft *draft, unsigned size);
struct prog_value draft_bytes(struct draft *draft, const void *bytes, unsigned size);

// Calls. insert makes room at index and keeps what refers to others; its arguments are the caller's. NULL: no room.
struct prog_call *draft_insert(struct draft *draft, unsigned index);
void draft_remove(struct draft *draft, unsigned index);
// A copy of a call of another program; its results are those offset further on.
bool draft_copy_call(struct draft *draft, unsigned index, const struct program *from, unsigned call, int offset);

// generate.c: by the grammar.
unsigned draft_generate_call(struct draft *draft, unsigned index, uint8_t list); // calls that came to be there
struct prog_value draft_generate(struct draft *draft, unsigned call, unsigned argument);
struct prog_value draft_generate_word(struct draft *draft, unsigned call, unsigned argument, unsigned word);

// mutate.c: the changes themselves.
void draft_mutate(struct draft *draft);
void draft_cross(struct draft *draft, const uint8_t *other, size_t size);
void draft_new(struct draft *draft); // a program from nothing
