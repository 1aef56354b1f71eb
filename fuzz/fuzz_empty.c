// Does nothing: the rate that the engine itself allows. Not a target of the nightly.
#include "harness/fuzz.h"

static void run(struct input *input)
{
}

const struct fuzz_target fuzz_target = {.name = "fuzz_empty", .not_nightly = true, .run = run};
