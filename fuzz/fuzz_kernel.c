// Programs on the whole kernel: all system calls.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_kernel", .boots = true, .setup = world_setup, .run = world_run};
