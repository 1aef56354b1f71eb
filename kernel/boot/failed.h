// The one place where a boot that cannot go on ends.
#pragma once

#include "kernel/base/types.h"

// Any context. Tells people and programs, then powers off.
_Noreturn void boot_failed(const char *what, int error);
