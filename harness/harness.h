// What the drivers (libFuzzer, AFL++, replay) share.
#pragma once

#include "harness/fuzz.h"

#include <fault/fault.h>

#define HARNESS_PLAN_SIZE 8u
#define HARNESS_INPUT_MAX KIB(1024) // more is not looked at

extern bool harness_lazy; // set before harness_setup(): many runs in this process
void harness_setup(void);
// One run, from nothing to the last check. plan replaces the input's own when not NULL.
void harness_run(const uint8_t *data, size_t size, const struct fault_plan *plan);
struct fault_plan harness_plan(const uint8_t *data, size_t size, bool *armed);
// The bytes at the start of an input that mean plan. False: they cannot say it all.
bool harness_plan_bytes(const struct fault_plan *plan, uint8_t out[HARNESS_PLAN_SIZE]);
extern bool harness_observing;           // count fault sites as reached
extern void (*harness_on_finding)(void); // before the process dies of a finding
void harness_say_faults(void);           // to stdout while tracing, else to stderr
