// Programs as text, for people and for seeds; for the host. What parse makes of what print has written is the same
// program. An example (everything above the calls may be left out):
//
//     cpus 2
//     schedule priorities 3          or turns, or choices; then the depth
//     start t1 thread                or process
//     unprivileged
//     faults 0107000100000000        the plan: the file's first eight bytes
//     choices 07ff                   the machine's, as they lie in the file
//     t0: r0 = openat(AT_FDCWD, "a", O_RDWR|O_CREAT, 0600)
//     t1: write(r0, <"text\n">, 5)   fail_nth 2     # a comment
//
// Values: numbers and Linux's names for them; r0 the result of the call named so, r0.2 the second 32-bit word of what
// it gave out; arena+0x40; "a" a path of the table, <"a\x00"> any bytes, <8> so many zeroes, <8 * 16> sixteen times;
// {1, r0} words of 64 bits, [1, 2] of 32.
#pragma once

#include "user/prog/calls.h"

#define PROG_TEXT_MAX 32768u // characters of a program, at most; longer ones are cut

size_t prog_print(const struct program *program, char *out, size_t room);
// One call, without its list and newline: "r0 = openat(...)".
size_t prog_print_call(const struct program *program, unsigned index, char *out, size_t room);
// "EBADF" for -9; NULL: no error.
const char *prog_error_name(int64_t result);

struct prog_parsed {
    uint8_t file[PROG_FILE_MAX];
    size_t size;
    struct program program; // which this file decodes to
    char wrong[160];        // what is wrong, with its line
};
bool prog_parse(const char *text, struct prog_parsed *out);

// names.def. A set: numbers below prog_set_count; -1: this argument has none.
struct prog_name {
    const char *name;
    uint64_t value;
    uint8_t set;
    bool bit;
};
extern const struct prog_name prog_names[];
extern const unsigned prog_name_count, prog_set_count;
int prog_set_of(uint64_t number, unsigned argument);
int prog_set_named(const char *name);
