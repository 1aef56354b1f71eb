// Programs on the whole kernel: pipes, events, waiting for several things at once.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_ipc", .boots = true, .setup = world_setup, .run = world_run};
