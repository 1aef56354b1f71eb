// For exception handlers: a panic whose frames are those of the fault, not of the handler.
#pragma once

#include "kernel/base/assert.h"

_Noreturn void panic_at(const uint64_t *pcs, size_t count, const char *text, ...) __attribute__((format(printf, 3, 4)));

bool panic_under_way(void); // some CPU is reporting or has reported: the others stop
