// Programs: files and what they decode to; the interpreter against a machine that only writes down what it is asked.
#include "user/prog/text.h"

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

// --- text ----------------------------------------------------------------------------------------------------------

static struct prog_parsed parsed;

TEST(programs, what_is_printed_is_parsed_to_the_same)
{
    static uint8_t file[PROG_FILE_MAX], encoded[PROG_FILE_MAX];
    static char printed[PROG_TEXT_MAX];
    static struct program program;
    uint64_t state = 7;
    for (unsigned run = 0; run < RUNS; run++) {
        size_t size = random_file(&state, file, 300);
        prog_decode(file, size, &program);
        size_t length = prog_print(&program, printed, sizeof(printed));
        EXPECT(length < sizeof(printed) - 1);
        if (!prog_parse(printed, &parsed)) {
            ktest_fail(__FILE__, __LINE__, "%s in\n%s", parsed.wrong, printed);
            return;
        }
        size_t wanted = prog_encode(&program, encoded, sizeof(encoded));
        EXPECT_EQ(parsed.size, wanted);
        EXPECT(memcmp(parsed.file, encoded, wanted) == 0);
    }
}

TEST(programs, text_is_read_as_people_write_it)
{
    EXPECT(prog_parse("# an example\n"
                      "cpus 2\nschedule priorities 3\n\nstart t1 process\n"
                      "t0: r7 = openat(AT_FDCWD, \"a\", O_RDWR | O_CREAT, 0600)   # 3\n"
                      "t1:write( r7 ,<\"a\\n\\x00\">, -3 ) fail_nth 2\n"
                      "  t2: futex(arena+0x10, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 0, {0, {r7.2}})",
                      &parsed));
    const struct program *program = &parsed.program;
    EXPECT_EQ(program->call_count, 3);
    EXPECT(program->cpus == 2 && program->depth == 3 && program->starts[1] == PROG_PROCESS);
    EXPECT_EQ(program->values[0].number, -100);
    EXPECT_EQ(program->values[2].number, 0102);
    EXPECT(program->calls[1].fail_nth == 2 && program->calls[1].list == 1);
    EXPECT_EQ(program->values[6].number, -3);
    EXPECT_EQ(program->values[8].number, 128);
    EXPECT(program->value_count == 14 && program->values[13].kind == PROG_RESULT && program->values[13].extra == 2);
}

TEST(programs, wrong_text_is_refused_with_its_line)
{
    static const struct {
        const char *text, *wrong;
    } cases[] = {
        {"t0: read(r0)", "line 1: no call is named r0"},
        {"\nt0: raed(1)", "line 2: no system call is called raed"},
        {"t0: read(1", "line 1: ',' is missing before ''"},
        {"t0: read({{{{1}}}})", "line 1: words in words in words"},
        {"t4: read(1)", "line 1: what is t4?"},
        {"t0: read(O_FOO)", "line 1: nothing is called O_FOO"},
        {"t0: chdir(\"/etc\")", "line 1: \"/etc\" is no path"},
        {"t0: read(1) x", "line 1: only fail_nth"},
        {"cpus 5", "line 1: cpus 1 to 4"},
        {"t0: r1 = sync()\nt0: r1 = sync()", "line 2: r0 to r999, each once"},
        {"t0: read(<256>)", "line 1: more than 255 bytes"},
        {"t0: read(arena+0x40000)", "line 1: beyond the arena's end"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        EXPECT(!prog_parse(cases[i].text, &parsed));
        if (strncmp(parsed.wrong, cases[i].wrong, strlen(cases[i].wrong)) != 0) {
            ktest_fail(__FILE__, __LINE__, "'%s' instead of '%s'", parsed.wrong, cases[i].wrong);
            return;
        }
    }
}
