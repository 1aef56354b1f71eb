// Values that calls want, without a look at what is around them: between generate.c and values.c.
#pragma once

#include "harness/draft.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(draft, ...) value_pick((draft), (const uint64_t[]){__VA_ARGS__}, COUNT(((const uint64_t[]){__VA_ARGS__})))
#define PAGE 4096u

struct prog_value value_pick(struct draft *draft, const uint64_t *from, unsigned count);
struct prog_value value_special(struct draft *draft);
struct prog_value value_from_set(struct draft *draft, unsigned set, bool may_be_wrong);
struct prog_value value_named(struct draft *draft, const char *set);
struct prog_value value_clone_flags(struct draft *draft);
struct prog_value value_map_flags(struct draft *draft);
struct prog_value value_length(struct draft *draft);
struct prog_value value_pages(struct draft *draft);
struct prog_value value_nanoseconds(struct draft *draft);
struct prog_value value_seconds(struct draft *draft);
struct prog_value value_signals(struct draft *draft);
struct prog_value value_text(struct draft *draft);
struct prog_value value_data(struct draft *draft);
