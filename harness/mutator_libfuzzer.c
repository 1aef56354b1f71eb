// libFuzzer's custom mutator; linked into the targets whose inputs are programs.
#include "harness/fuzz.h"
#include "harness/mutator.h"

#include <string.h>

#define PLAIN_ONE_IN 16u // bytes changed without knowing what they mean

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t room, unsigned seed);

static const char *group(void)
{
    return fuzz_target.name + strlen("fuzz_");
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (seed % PLAIN_ONE_IN == 0) {
        return LLVMFuzzerMutate(data, size, room);
    }
    size_t changed = mutator_mutate(data, size, room, seed, group());
    return changed > 0 ? changed : LLVMFuzzerMutate(data, size, room);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t room, unsigned seed)
{
    return mutator_cross(a, a_size, b, b_size, out, room, seed, group());
}
