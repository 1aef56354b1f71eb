// Programs on the whole kernel: threads, futexes, scheduling.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_threads", .boots = true, .setup = world_setup, .run = world_run};
