// Programs of a user on the whole kernel, beside a process and files of root that they may neither read nor change.
#include "harness/neighbour.h"

static void setup(void)
{
    world_has_neighbour = true;
    world_setup();
}

const struct fuzz_target fuzz_target = {.name = "fuzz_neighbour", .boots = true, .setup = setup, .run = world_run};
