// Programs that come inside the image. Any context.
#pragma once

#include "kernel/base/types.h"

// False: no program has that name.
bool user_program_find(const char *name, const void **data, size_t *size);
const char *user_program_name(size_t index); // NULL after the last
