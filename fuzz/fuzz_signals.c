// Programs on the whole kernel: signals and timers.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_signals", .boots = true, .setup = world_setup, .run = world_run};
