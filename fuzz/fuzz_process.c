// Programs on the whole kernel: processes: how they begin, wait and end.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_process", .boots = true, .setup = world_setup, .run = world_run};
