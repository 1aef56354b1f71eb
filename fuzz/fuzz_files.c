// Programs on the whole kernel: files, directories, descriptors.
#include "harness/world.h"

const struct fuzz_target fuzz_target = {.name = "fuzz_files", .boots = true, .setup = world_setup, .run = world_run};
