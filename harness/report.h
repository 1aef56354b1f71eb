// What a replayed run tells its parent, and the JSON made of it.
#pragma once

#include <fault/fault.h>

#include "kernel/base/types.h"

void report_init(void);                          // before the first fork: shared memory
void report_clear(void);                         // before each file
void report_plan(const struct fault_plan *plan); // in the child, before a run that may not end
void report_collect(void);                       // in the child, after a run
void report_run(void);                           // in the child, after each run: it lives
unsigned report_runs(void);                      // how many have ended
bool report_persistent(void);                    // in the child: a persistent plan has failed something in this run
void report_json(const char *path, const char *verdict, const char *text, double seconds);
