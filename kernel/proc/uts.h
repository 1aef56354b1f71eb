// What the system calls itself. Source: uname(2). Any context but interrupts.
#pragma once

#include "kernel/base/types.h"

#define UTS_LENGTH 65u // with the NUL
struct uts_names {     // as struct new_utsname
    char system[UTS_LENGTH], node[UTS_LENGTH], release[UTS_LENGTH], version[UTS_LENGTH], machine[UTS_LENGTH],
        domain[UTS_LENGTH];
};

void uts_get(struct uts_names *out);
void uts_set_node(const char *name, size_t length);   // length < UTS_LENGTH
void uts_set_domain(const char *name, size_t length); // likewise
