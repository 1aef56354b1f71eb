// Address space identifiers: the tags of TLB entries. Any context. 8 bits, which every implementation has (Arm ARM
// D8.15).
#pragma once

#include "kernel/base/types.h"

[[nodiscard]] int
asid_alloc(uint16_t *out);     // never 0, which tags what runs without a user space. -EAGAIN: none is free
void asid_free(uint16_t asid); // nothing of it is in any TLB any more
