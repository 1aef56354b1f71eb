// Between the files of this folder only.
#pragma once

#include "kernel/base/types.h"

// vmsplice(2) into a pipe; the descriptor is one.
int64_t io_give_to_pipe(const uint64_t arguments[6]);
