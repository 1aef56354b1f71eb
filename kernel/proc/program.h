// Programs that come inside the image. Any context.
#pragma once

#include "kernel/base/types.h"

// False: no program has that name.
bool user_program_find(const char *name, const void **data, size_t *size);
// The shared object that every program gets, one page at most. False: there is none.
bool user_vdso_find(const void **data, size_t *size);
const char *user_program_name(size_t index); // NULL after the last
