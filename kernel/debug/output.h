// Output of a command: lines for people, or records for a program, whichever asked. Task context, one command at a
// time.
#pragma once

#include "kernel/base/types.h"

void output_begin(uint32_t record_id); // 0: people
void output_end(int status);           // the status record, where a program asked
bool output_for_program(void);
void output_line(const char *text, ...) __attribute__((format(printf, 1, 2)));
void output_json(const char *text, ...) __attribute__((format(printf, 1, 2))); // programs only; nothing for people
