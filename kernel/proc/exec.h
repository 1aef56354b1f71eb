// Programs: from a file into a space. Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/mm/space.h"

#define ARGUMENTS_MAX KIB(128)
#define INTERPRETERS_MAX 4u // of scripts, one inside the other

// Arguments and environment as they go on the stack: NUL-terminated, one after the other.
struct exec_strings {
    char *bytes; // ARGUMENTS_MAX
    size_t size;
    uint32_t argc, envc; // the first argc are arguments
};

[[nodiscard]] int exec_strings_init(struct exec_strings *strings); // -ENOMEM
void exec_strings_free(struct exec_strings *strings);
[[nodiscard]] int exec_strings_add(struct exec_strings *strings, const char *text); // -E2BIG

struct program {
    uint64_t entry, sp;
    struct credentials *as; // those that the program starts with; the caller's to put or to become
    bool hidden;            // its file may not be read, or who starts it acts for somebody else: not dumpable
    bool wary;              // AT_SECURE
};
// A regular file that may be executed. Errors of file_open(); -EACCES.
[[nodiscard]] int program_open(const struct path_start *start, const char *path, struct file **out);
// Fills an empty space from a program or a script, for start->as. no_gain: whoever the file belongs to, no right is won
// by it (PR_SET_NO_NEW_PRIVS). -ENOEXEC, -ENOMEM, -E2BIG, errors of files. The space must be destroyed then.
[[nodiscard]] int program_load(struct space *space, const struct path_start *start, struct file *file, const char *path,
                               const struct exec_strings *strings, bool no_gain, struct program *out);
