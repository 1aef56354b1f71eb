// Programs: files and what they decode to; the interpreter against a machine that only writes down what it is asked.
#include "user/prog/calls.h"

#include "kernel/debug/ktest.h"

#include <setjmp.h>
#include <string.h>

#define RUNS 20000u

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return *state >> 33;
}

static bool same_value(const struct program *a, const struct prog_value *x, const struct program *b,
                       const struct prog_value *y)
{
    if (x->kind != y->kind || x->extra != y->extra || x->count != y->count || x->number != y->number) {
        return false;
    }
    return x->kind == PROG_BYTES ? memcmp(a->file + x->first, b->file + y->first, x->count) == 0 : x->first == y->first;
}

static bool same(const struct program *a, const struct program *b)
{
    if (a->cpus != b->cpus || a->schedule != b->schedule || a->depth != b->depth ||
        a->unprivileged != b->unprivileged || memcmp(a->starts, b->starts, sizeof(a->starts)) != 0 ||
        a->call_count != b->call_count || a->value_count != b->value_count ||
        a->size - a->choices != b->size - b->choices) {
        return false;
    }
    for (unsigned i = 0; i < a->call_count; i++) {
        const struct prog_call *x = &a->calls[i], *y = &b->calls[i];
        if (x->number != y->number || x->list != y->list || x->argument_count != y->argument_count ||
            x->fail_nth != y->fail_nth || x->first != y->first) {
            return false;
        }
    }
    for (unsigned i = 0; i < a->value_count; i++) {
        if (!same_value(a, &a->values[i], b, &b->values[i])) {
            return false;
        }
    }
    return memcmp(a->file + a->choices, b->file + b->choices, a->size - a->choices) == 0;
}

// Mostly bytes that make long programs of many kinds.
static size_t random_file(uint64_t *state, uint8_t *file, size_t room)
{
    size_t size = next_random(state) % room;
    unsigned taste = next_random(state) % 3;
    for (size_t i = 0; i < size; i++) {
        uint64_t random = next_random(state);
        file[i] = (uint8_t)(taste == 0 ? random : taste == 1 ? random % 32 : random % 8 + (random >> 12) % 2 * 5);
    }
    return size;
}

TEST(programs, any_bytes_are_a_program_that_survives_encoding)
{
    static uint8_t file[PROG_FILE_MAX + 64], again[PROG_FILE_MAX], third[PROG_FILE_MAX];
    static struct program program, other;
    uint64_t state = 1;
    unsigned encoded = 0;
    for (unsigned run = 0; run < RUNS; run++) {
        size_t size = random_file(&state, file, run % 16 == 0 ? sizeof(file) : 200);
        prog_decode(file, size, &program);
        EXPECT(program.choices <= program.size && program.size <= size && program.size <= PROG_FILE_MAX);
        EXPECT(program.cpus >= 1 && program.cpus <= 4 && program.schedule <= PROG_PRIORITIES);
        size_t written = prog_encode(&program, again, sizeof(again));
        if (written == 0) {
            EXPECT(program.size > PROG_FILE_MAX / 2); // there was no room
            continue;
        }
        encoded++;
        prog_decode(again, written, &other);
        EXPECT(same(&program, &other));
        EXPECT_EQ(prog_encode(&other, third, sizeof(third)), written); // and is its own encoding from then on
        EXPECT(memcmp(again, third, written) == 0);
        EXPECT_EQ(prog_encode(&program, third, written - 1), 0);
    }
    EXPECT(encoded > RUNS / 2);
}

TEST(programs, a_file_as_it_is_written_down)
{
    // openat(AT_FDCWD, "b", 0x42, 0600) of t0, then write(r0, <3 bytes>, 3) of t1 with fail_nth 2; two CPUs, PCT of
    // depth 3, t1 a thread, not as root; choices 7 8.
    static const uint8_t file[] = {0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   1 | PROG_PRIORITIES << 2 | 3 << 4,
                                   65,
                                   24,
                                   0,
                                   56,
                                   0,
                                   4 << 2,
                                   PROG_SPECIAL,
                                   8,
                                   PROG_PATH,
                                   1,
                                   PROG_NUMBER,
                                   66,
                                   9,
                                   0x80,
                                   1,
                                   64,
                                   0,
                                   1 | 3 << 2 | 32,
                                   2,
                                   PROG_RESULT,
                                   0,
                                   PROG_BYTES,
                                   3,
                                   'x',
                                   'y',
                                   'z',
                                   PROG_SMALL | 3 << 3,
                                   7,
                                   8};
    struct program program;
    prog_decode(file, sizeof(file), &program);
    EXPECT_EQ(program.call_count, 2);
    EXPECT_EQ(program.cpus, 2);
    EXPECT(program.schedule == PROG_PRIORITIES && program.depth == 3 && program.unprivileged);
    EXPECT_EQ(program.starts[1], PROG_THREAD);
    EXPECT_EQ(program.choices, sizeof(file) - 2);
    EXPECT(program.calls[1].list == 1 && program.calls[1].fail_nth == 2 && program.calls[1].argument_count == 3);
    EXPECT_EQ(program.values[3].number, 0600);
    EXPECT(memcmp(program.file + program.values[5].first, "xyz", 3) == 0 && program.values[5].count == 3);
    prog_decode(file, sizeof(file) - 5, &program); // cut in the middle of "xyz": what is missing is zero
    EXPECT(program.call_count == 2 && program.values[5].count == 1 && program.values[6].kind == PROG_SMALL);
}

TEST(programs, the_table_knows_every_call)
{
    for (unsigned i = 0; i < prog_description_count; i++) {
        const struct prog_description *call = &prog_descriptions[i];
        EXPECT(prog_describe(call->number) == call);
        EXPECT(i == 0 || call->number > prog_descriptions[i - 1].number);
        for (unsigned j = 0; j < PROG_ARGUMENTS; j++) {
            EXPECT((call->arguments[j].kind != PROG_ARG_END) == (j < call->argument_count));
        }
    }
    EXPECT(prog_describe(18) == NULL && prog_describe(512) == NULL && prog_describe(PROG_ADD + 1) == NULL);
    EXPECT(prog_path_count <= 256 && prog_special_count <= 256);
    EXPECT(strcmp(prog_paths[10], "p") == 0 && strcmp(prog_paths[82], "/bin/prog") == 0);
}
