// Changed and generated programs: whole, within their room, the same from the same seed, and of all calls.
#include "harness/mutator.h"

#include "user/prog/text.h"

#include "kernel/debug/ktest.h"

#include <string.h>

#define RUNS 3000u

static uint8_t data[PROG_FILE_MAX], again[PROG_FILE_MAX], third[PROG_FILE_MAX];
static struct program program;

// As it would be written down by encoding it.
static bool is_encoding(const uint8_t *file, size_t size)
{
    prog_decode(file, size, &program);
    return prog_encode(&program, third, sizeof(third)) == size && memcmp(third, file, size) == 0;
}

TEST(mutator, programs_stay_programs_however_often_they_are_changed)
{
    size_t size = mutator_generate(data, sizeof(data), 7, NULL, 0);
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        size_t room = seed % 5 == 0 ? 100 : 1024;
        memcpy(again, data, size);
        size_t changed = mutator_mutate(data, size, room, seed, NULL);
        EXPECT(changed > 0 && changed <= room);
        EXPECT(is_encoding(data, changed));
        EXPECT_EQ(mutator_mutate(again, size, room, seed, NULL), changed);
        EXPECT(memcmp(again, data, changed) == 0);
        size = changed;
    }
}

TEST(mutator, any_bytes_may_be_changed_and_crossed)
{
    uint8_t bytes[256], other[256];
    uint64_t state = 5;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        size_t size = seed % sizeof(bytes);
        for (size_t i = 0; i < size; i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            bytes[i] = (uint8_t)(state >> 33);
            other[i] = (uint8_t)(state >> 41) & 63;
        }
        size_t made = mutator_cross(bytes, size, other, size, data, sizeof(data), seed, "vm");
        EXPECT(made > 0 && is_encoding(data, made));
        made = mutator_mutate(bytes, size, sizeof(bytes), seed, "vm");
        EXPECT(made > 0 && made <= sizeof(bytes) && is_encoding(bytes, made));
    }
}

TEST(mutator, every_call_is_generated_and_groups_keep_to_theirs)
{
    static uint16_t made[PROG_ADD + 1];
    unsigned all = 0, of_memory = 0;
    memset(made, 0, sizeof(made));
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        prog_decode(data, mutator_generate(data, sizeof(data), seed, NULL, 0), &program);
        for (unsigned i = 0; i < program.call_count; i++) {
            EXPECT(prog_describe(program.calls[i].number) != NULL);
            made[program.calls[i].number]++;
        }
        prog_decode(data, mutator_generate(data, sizeof(data), seed, "vm", 1), &program);
        EXPECT(program.unprivileged);
        for (unsigned i = 0; i < program.call_count; i++) {
            all++;
            of_memory += program.calls[i].number == CALL_mmap || program.calls[i].number == CALL_munmap;
        }
    }
    for (unsigned i = 0; i < prog_description_count; i++) {
        EXPECT(made[prog_descriptions[i].number] > 0);
    }
    EXPECT(of_memory > all / 20);
}
