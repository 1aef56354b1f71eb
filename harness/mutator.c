#include "harness/mutator.h"

#include "harness/draft.h"

static struct draft draft;

size_t mutator_mutate(uint8_t *data, size_t size, size_t room, uint64_t seed, const char *group)
{
    draft_begin(&draft, seed, group);
    draft_load(&draft, data, size);
    draft_mutate(&draft);
    return draft_save(&draft, data, room);
}

size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t room,
                     uint64_t seed, const char *group)
{
    draft_begin(&draft, seed, group);
    draft_load(&draft, a, a_size);
    draft_cross(&draft, b, b_size);
    return draft_save(&draft, out, room);
}

size_t mutator_generate(uint8_t *out, size_t room, uint64_t seed, const char *group, int unprivileged)
{
    draft_begin(&draft, seed, group);
    draft.portable = true;
    draft_new(&draft);
    draft.program.unprivileged = unprivileged != 0;
    return draft_save(&draft, out, room);
}
