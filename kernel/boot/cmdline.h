// The boot line: words fault=PLAN, run=COMMAND;COMMAND…, loglevel=N, quiet, noaslr. Unknown words are kept to be named.
// Pure. run= takes the rest of the line, since commands have spaces: it comes last.
#pragma once

#include "kernel/base/types.h"

#define CMDLINE_VALUE_MAX 200u

struct cmdline {
    char fault[CMDLINE_VALUE_MAX]; // empty: none
    char run[CMDLINE_VALUE_MAX];
    unsigned log_level; // enum log_level
    bool noaslr;        // programs lie where they always lie
    const char *error;  // what is wrong with the line, or NULL
    char wrong[32];     // the word that is wrong, cut
};

// Takes what it understands; *out always holds usable values.
void cmdline_parse(const char *line, struct cmdline *out);
