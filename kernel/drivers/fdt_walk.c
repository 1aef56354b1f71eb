// A walk over the structure block before libfdt sees it: libfdt 1.6 adds a property's length to its offset without
// looking, and a length near 2^32 leads it back to where it was, for ever.
#include "kernel/drivers/fdt_walk.h"

#include <libfdt.h>

static uint32_t word_at(const char *block, uint32_t at)
{
    return fdt32_ld((const fdt32_t *)(const void *)(block + at));
}

// The offset behind the name at at, or 0: it does not end in the block.
static uint32_t skip_name(const char *block, uint32_t size, uint32_t at)
{
    while (at < size && block[at] != 0) {
        at++;
    }
    return at < size ? (uint32_t)round_up(at + 1, FDT_TAGSIZE) : 0;
}

// The offset behind the property whose tag ends at at, or 0.
static uint32_t skip_property(const char *block, uint32_t size, uint32_t at)
{
    const uint32_t head = 2 * FDT_TAGSIZE; // length, name
    if (size - at < head) {
        return 0;
    }
    uint32_t length = word_at(block, at);
    return length <= size - at - head ? (uint32_t)round_up(at + head + length, FDT_TAGSIZE) : 0;
}

bool fdt_walk_ends(const void *fdt)
{
    const char *block = (const char *)fdt + fdt_off_dt_struct(fdt);
    uint32_t size = fdt_size_dt_struct(fdt);
    for (uint32_t at = 0; at <= size && size - at >= FDT_TAGSIZE;) {
        uint32_t tag = word_at(block, at);
        at += FDT_TAGSIZE;
        if (tag == FDT_END) {
            return true;
        }
        if (tag == FDT_BEGIN_NODE) {
            at = skip_name(block, size, at);
        } else if (tag == FDT_PROP) {
            at = skip_property(block, size, at);
        } else if (tag != FDT_END_NODE && tag != FDT_NOP) {
            return false;
        }
        if (at == 0) {
            return false;
        }
    }
    return false;
}
