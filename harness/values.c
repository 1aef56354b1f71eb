// Numbers and bytes that mean something to some call.
#include "harness/values.h"

#include <string.h>

struct prog_value value_pick(struct draft *draft, const uint64_t *from, unsigned count)
{
    return draft_number(from[draft_random(draft, count)]);
}

struct prog_value value_special(struct draft *draft)
{
    switch (draft_random(draft, 4)) {
    case 0:
        return draft_number(prog_specials[draft_random(draft, prog_special_count)]);
    case 1:
        return draft_number(1ull << draft_random(draft, 64));
    case 2:
        return draft_number(draft_random(draft, 40));
    default:
        return draft_number((uint64_t)0 - draft_random(draft, 12));
    }
}

struct prog_value value_from_set(struct draft *draft, unsigned set, bool may_be_wrong)
{
    uint64_t value = 0;
    unsigned ones = 0, bits = 0;
    for (unsigned i = 0; i < prog_name_count; i++) {
        if (prog_names[i].set == set) {
            ones += !prog_names[i].bit;
            bits += prog_names[i].bit;
        }
    }
    unsigned one = draft_random(draft, ones), wanted = draft_chance(draft, 30) ? 3 : draft_chance(draft, 60) ? 1 : 0;
    for (unsigned i = 0; i < prog_name_count; i++) {
        if (prog_names[i].set != set) {
            continue;
        }
        if (!prog_names[i].bit) {
            value |= one-- == 0 ? prog_names[i].value : 0;
        } else if (draft_random(draft, bits) < wanted) {
            value |= prog_names[i].value;
        }
    }
    if (may_be_wrong && draft_chance(draft, 3)) {
        value ^= 1ull << draft_random(draft, 32);
    }
    return draft_number(value);
}

struct prog_value value_named(struct draft *draft, const char *set)
{
    return value_from_set(draft, (unsigned)prog_set_named(set), true);
}

struct prog_value value_clone_flags(struct draft *draft)
{
    static const uint64_t usual[] = {0x50f00, 0x3d0f00, 17, 17, 0x4111, 0x111, 0x1200011, 0x411, 0x311};
    uint64_t flags = usual[draft_random(draft, COUNT(usual))];
    if (draft_chance(draft, 25)) {
        flags ^= value_named(draft, "CLONE").number;
    }
    return draft_number(flags);
}

struct prog_value value_map_flags(struct draft *draft)
{
    static const uint64_t usual[] = {0x22, 0x22, 0x21, 0x32, 0x31, 0x01, 0x02, 0x12, 0x11, 0x122, 0x8022, 0x2022};
    uint64_t flags = usual[draft_random(draft, COUNT(usual))];
    if (draft_chance(draft, 15)) {
        flags ^= value_named(draft, "MAP").number;
    }
    return draft_number(flags);
}

struct prog_value value_length(struct draft *draft)
{
    switch (draft_random(draft, 8)) {
    case 0:
        return value_special(draft);
    case 1:
        return PICK(draft, PAGE, PAGE - 1, PAGE + 1, 2 * PAGE, 65536, 65535, 512);
    case 2:
        return draft_number(0);
    case 3:
        return draft_number(draft_random(draft, 10000));
    default:
        return draft_number(draft_random(draft, 64));
    }
}

struct prog_value value_pages(struct draft *draft)
{
    if (draft_chance(draft, 6)) {
        return value_special(draft);
    }
    uint64_t count = draft_chance(draft, 80) ? 1 + draft_random(draft, 4) : draft_random(draft, 80);
    return draft_number(count * PAGE + (draft_chance(draft, 4) ? draft_random(draft, PAGE) : 0));
}

struct prog_value value_nanoseconds(struct draft *draft)
{
    return draft_chance(draft, 85) ? draft_number(draft_random(draft, 100) * 1000) : value_special(draft);
}

struct prog_value value_seconds(struct draft *draft)
{
    return draft_chance(draft, 90) ? draft_number(0) : draft_chance(draft, 50) ? draft_number(1) : value_special(draft);
}

struct prog_value value_signals(struct draft *draft) // a mask
{
    uint64_t mask = draft_chance(draft, 10) ? ~0ull : 0;
    for (unsigned i = draft_random(draft, 4); i > 0; i--) {
        mask ^= 1ull << ((value_named(draft, "SIGNAL").number - 1) & 63);
    }
    return draft_number(mask);
}

struct prog_value value_text(struct draft *draft)
{
    uint8_t bytes[64];
    unsigned size = draft_random(draft, sizeof(bytes));
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)("abcdefgh 0123-\n\x03\x1a"[draft_random(draft, 17)]);
    }
    return draft_bytes(draft, bytes, size);
}

// To /proc/sys, fail-nth, comm, a terminal: what files of the kernel want written.
struct prog_value value_data(struct draft *draft)
{
    static const char *const known[] = {"0\n", "1\n", "-5\n", "1000\n", "name", "#!/bin/prog\n", "\177ELF", "a\nb\n"};
    if (draft_chance(draft, 30)) {
        const char *text = known[draft_random(draft, COUNT(known))];
        return draft_bytes(draft, text, (unsigned)strlen(text));
    }
    struct prog_value value = value_text(draft);
    value.extra = value.kind == PROG_BYTES && draft_chance(draft, 10);
    return value;
}
