// The monitor: commands on the serial line, for people at a prompt and for programs as "@ID COMMAND"
// (kernel/debug/record.h).
#pragma once

#include "kernel/base/types.h"

struct command {
    const char *name, *arguments, *summary;
    int (*run)(char *arguments); // the rest of the line, may be changed. 0 or a negative errno
};

extern const struct command monitor_commands[]; // ends with a NULL name

void monitor_main(void *unused);       // a thread's entry: prompt and commands for ever
int monitor_execute(char *line);       // one command; prints its output. -ENOENT: no such command, said so
void monitor_run_list(char *commands); // separated by ';', as the boot line's run=

// The next word of *text, ended with NUL; *text moves behind it. NULL: none left.
char *monitor_next_word(char **text);
