// Backtraces by frame pointers, and names from the table that the second link puts into the image (symbols.py).
#include <hal/mmu.h>
#include <hal/trace.h>

#include "internal.h"

// Sorted by offset from image_start. Made by symbols.py; empty in the first link.
extern const uint32_t symbol_count;
extern const uint32_t symbol_offsets[], symbol_name_offsets[];
extern const char symbol_names[];

static bool readable(uint64_t address)
{
    paddr_t ignored;
    return is_aligned(address, 16) && (address >> 48) == 0xffff && mmu_probe(vaddr(address), MMU_KERNEL_READ, &ignored);
}

size_t trace_capture_from(uint64_t frame_pointer, uint64_t *pcs, size_t max)
{
    size_t count = 0;
    while (count < max && readable(frame_pointer)) {
        const uint64_t *record = (const uint64_t *)frame_pointer; // AAPCS64 6.4.6; 16-byte aligned: never across a page
        if (record[1] == 0) {
            break;
        }
        pcs[count++] = record[1];
        if (record[0] == frame_pointer) {
            break;
        }
        frame_pointer = record[0];
    }
    return count;
}

size_t trace_capture(uint64_t *pcs, size_t max)
{
    size_t count = trace_capture_from((uint64_t)__builtin_frame_address(0), pcs, max);
    asm volatile(""); // no tail call: it would pop the frame that the walk starts from
    return count;
}

const char *trace_symbol(uint64_t pc, uint64_t *offset)
{
    uint64_t at = pc - (uint64_t)image_start;
    if (pc < (uint64_t)text_start || pc >= (uint64_t)text_end || symbol_count == 0 || at < symbol_offsets[0]) {
        return NULL;
    }
    uint32_t low = 0, high = symbol_count; // symbol_offsets[low] <= at < symbol_offsets[high]
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (symbol_offsets[middle] <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *offset = at - symbol_offsets[low];
    return &symbol_names[symbol_name_offsets[low]];
}
