// The world that a program finds, and what is left of its files afterwards.
#include "user/prog/internal.h"

#define AT_FDCWD_ ((uint64_t)-100)
#define O_RDONLY 0u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_TRUNC 01000u
#define O_NONBLOCK 04000u
#define O_NOFOLLOW 0100000u
#define S_IFIFO 0010000u
#define PROT_READ_WRITE 3u
#define MAP_FIXED_PRIVATE_ANONYMOUS 0x32u
#define RLIMIT_FSIZE 1u
#define RLIMIT_CORE 4u
#define RLIMIT_NOFILE 7u
#define RLIMIT_NPROC 6u
#define RLIMIT_AS 9u
#define RLIMIT_SIGPENDING 11u
#define PR_SET_DUMPABLE 4u
#define TEXT_ROOM 1024u

// The first of two places in the first task's scratch memory. Always the same: one task, one at a time.
static uint64_t text_at(unsigned which, const char *text)
{
    uint64_t at = PROG_SCRATCH_BASE + which * TEXT_ROOM, size = 1;
    while (text[size - 1] != 0) {
        size++;
    }
    prog_machine_write(at, text, size);
    return at;
}

static int64_t call5(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    const uint64_t arguments[PROG_ARGUMENTS] = {a, b, c, d, e};
    return prog_machine_call(number, arguments);
}

static int map_memory(void)
{
    static const struct {
        uint64_t base, size;
    } areas[] = {{PROG_ARENA_BASE, PROG_ARENA_SIZE},
                 {PROG_SCRATCH_BASE, PROG_SCRATCH_SIZE * PROG_TASKS_MAX},
                 {PROG_STACK_BASE, PROG_STACK_SIZE * PROG_TASKS_MAX},
                 {PROG_STATE_BASE, PROG_STATE_SIZE}};
    for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        const uint64_t arguments[PROG_ARGUMENTS] = {
            areas[i].base, areas[i].size, PROT_READ_WRITE, MAP_FIXED_PRIVATE_ANONYMOUS, (uint64_t)-1, 0};
        int64_t result = prog_machine_call(CALL_mmap, arguments);
        if (result != (int64_t)areas[i].base) {
            return failed(result) ? (int)result : -EINVAL_;
        }
    }
    // No call has given anything yet.
    uint64_t none[16];
    _Static_assert((offsetof(struct prog_state, running)) % sizeof(none) == 0, "whole parts");
    __builtin_memset(none, 0xff, sizeof(none));
    for (uint64_t at = 0; at < offsetof(struct prog_state, running); at += sizeof(none)) {
        prog_machine_write(PROG_STATE_BASE + at, none, sizeof(none));
    }
    return 0;
}

static int64_t make_file(const char *name, uint64_t mode, const char *text, unsigned times)
{
    int64_t fd = call5(CALL_openat, AT_FDCWD_, text_at(0, name), O_RDWR | O_CREAT | O_TRUNC, mode, 0);
    uint64_t size = 0, at = PROG_SCRATCH_BASE + TEXT_ROOM;
    while (text[size] != 0) {
        size++;
    }
    for (unsigned i = 0; i < times; i++) {
        prog_machine_write(at + i * size, text, size);
    }
    int64_t result = fd < 0 ? fd : call3(CALL_write, (uint64_t)fd, at, size * times);
    if (fd >= 0) {
        call3(CALL_close, (uint64_t)fd, 0, 0);
    }
    return result;
}

// Where it is not there. 0 or an error.
static int64_t make_directory(const char *name, uint64_t mode)
{
    int64_t result = call3(CALL_mkdirat, AT_FDCWD_, text_at(0, name), mode);
    return result == ERROR(EEXIST_) ? 0 : result;
}

static int64_t make_link(const char *target, const char *name)
{
    return call3(CALL_symlinkat, text_at(1, target), AT_FDCWD_, text_at(0, name));
}

static int64_t make_files(void)
{
    int64_t result = make_directory("/w", 0777);
    result = failed(result) ? result : call3(CALL_chdir, text_at(0, "/w"), 0, 0);
    result = failed(result) ? result : make_file("a", 0644, "the first file\n", 7);
    result = failed(result) ? result : make_file("b", 0666, "0123456789abcdefghijklmnopqrstuvwxyz.,:;\n", 122);
    result = failed(result) ? result : make_file("s", 0600, "secret\n", 1);
    result = failed(result) ? result : make_file("x", 0755, "#!/bin/prog -x\n", 1);
    result = failed(result) ? result : make_directory("d", 0777);
    result = failed(result) ? result : make_file("d/a", 0666, "below\n", 1);
    result = failed(result) ? result : make_directory("e", 0700);
    result = failed(result) ? result : make_link("a", "l");
    result = failed(result) ? result : make_link("d", "m");
    result = failed(result) ? result : make_link("loop", "loop");
    result = failed(result) ? result : call5(CALL_mknodat, AT_FDCWD_, text_at(0, "p"), S_IFIFO | 0666, 0, 0);
    return result;
}

static int64_t set_limit(uint64_t which, uint64_t most)
{
    const uint64_t limit[2] = {most, most};
    prog_machine_write(PROG_SCRATCH_BASE, limit, sizeof(limit));
    return call3(CALL_setrlimit, which, PROG_SCRATCH_BASE, 0);
}

static int64_t open_null(void)
{
    int64_t result = call3(CALL_close_range, 0, ~0u, 0);
    for (int64_t i = 0; i < 3 && result >= 0; i++) {
        result = call5(CALL_openat, AT_FDCWD_, text_at(0, "/dev/null"), O_RDWR, 0, 0);
    }
    return result;
}

int prog_setup(void)
{
    int error = map_memory();
    if (error != 0) {
        return error;
    }
    call3(CALL_setsid, 0, 0, 0); // who leads a group already does without
    call3(CALL_umask, 0, 0, 0);
    int64_t result = make_files();
    result = failed(result) ? result : open_null();
    result = failed(result) ? result : call3(CALL_sethostname, text_at(0, "prog"), 4, 0);
    result = failed(result) ? result : call3(CALL_setdomainname, text_at(0, "(none)"), 6, 0);
    result = failed(result) ? result : set_limit(RLIMIT_CORE, 0);
    result = failed(result) ? result : set_limit(RLIMIT_FSIZE, 0x80000);
    result = failed(result) ? result : set_limit(RLIMIT_NOFILE, 64);
    result = failed(result) ? result : set_limit(RLIMIT_AS, 0x8000000);
    result = failed(result) ? result : set_limit(RLIMIT_NPROC, 20); // these depend on the machine's memory
    result = failed(result) ? result : set_limit(RLIMIT_SIGPENDING, 20);
    call3(CALL_umask, 022, 0, 0);
    return failed(result) ? (int)result : 0;
}

int prog_setup_for(const struct program *program)
{
    int64_t result = 0;
    if (program->unprivileged) {
        result = call3(CALL_setgroups, 0, 0, 0);
        result = failed(result) ? result : call3(CALL_setresgid, PROG_USER, PROG_USER, PROG_USER);
        result = failed(result) ? result : call3(CALL_setresuid, PROG_USER, PROG_USER, PROG_USER);
        call3(CALL_prctl, PR_SET_DUMPABLE, 1, 0); // its files in /proc are its own, wherever that has to be said
    }
    return failed(result) ? (int)result : 0;
}
