// What the parts of the interpreter on Linux share.
#pragma once

#include <stdint.h>

int64_t linux_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
_Noreturn void linux_start(const uint64_t *stack);
