// AFL++'s custom mutator: a shared object that afl-fuzz loads (AFL_CUSTOM_MUTATOR_LIBRARY). FAULTLINE_GROUP names the
// target without "fuzz_".
#include "harness/mutator.h"

#include "user/prog/prog.h"

#include <stdlib.h>
#include <string.h>

#define CROSS_ONE_IN 4u

struct mutator {
    uint64_t seed;
    const char *group;
    uint8_t out[PROG_FILE_MAX];
};

void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(void *data);
size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t room);

void *afl_custom_init(void *afl, unsigned seed)
{
    struct mutator *mutator = calloc(1, sizeof(*mutator));
    if (mutator != NULL) {
        mutator->seed = (uint64_t)seed << 32;
        mutator->group = getenv("FAULTLINE_GROUP");
    }
    return mutator;
}

void afl_custom_deinit(void *data)
{
    free(data);
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t room)
{
    struct mutator *mutator = data;
    size_t most = room < sizeof(mutator->out) ? room : sizeof(mutator->out);
    *out = mutator->out;
    mutator->seed++;
    if (other != NULL && other_size > 0 && mutator->seed % CROSS_ONE_IN == 0) {
        return mutator_cross(bytes, size, other, other_size, mutator->out, most, mutator->seed, mutator->group);
    }
    size = size < most ? size : most;
    memcpy(mutator->out, bytes, size);
    return mutator_mutate(mutator->out, size, most, mutator->seed, mutator->group);
}
