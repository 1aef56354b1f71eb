// Programs on the whole kernel: memory.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_vm", .boots = true, .setup = world_setup, .run = world_run};
