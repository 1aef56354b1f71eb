// What two address spaces must say, from an array of pages each; the second is a fork of the first. And a file for them
// to map, whose pages come when they are asked for.
#pragma once

#include "harness/fuzz.h"
#include "kernel/mm/space.h"

#define VMA_PAGES 64u // of the window that is modelled, from SPACE_LOW on
#define VMA_FILE_PAGES 6u

struct vma_page {
    bool mapped, own; // own: a private page that was written
    bool file;
    uint8_t flags, value; // enum area_flags; the first byte, of an own page
    uint16_t index;       // of the page in the file
};

extern struct vma_page vma_models[2][VMA_PAGES];
extern struct backing vma_file;

static inline uint64_t vma_address(unsigned page)
{
    return SPACE_LOW + page * PAGE_SIZE;
}

void vma_reset(void);
// how: rights in bits 0 to 2; 16: of the file, from its page index % 8 on; 32: shared; 64: what is there goes.
struct space_request vma_request(unsigned first, unsigned count, uint8_t how, uint8_t index);
int vma_expect_map(unsigned which, unsigned first, unsigned count, const struct space_request *request);
void vma_note_map(unsigned which, unsigned first, unsigned count, const struct space_request *request);
// How many pages from first on are mapped without a hole, at most count.
unsigned vma_covered(unsigned which, unsigned first, unsigned count);
void vma_note_rights(unsigned which, unsigned first, unsigned count, unsigned rights);
void vma_note_forget(unsigned which, unsigned first, unsigned count);
int vma_expect_access(unsigned which, unsigned at, bool write);
// The byte that can be reached at the page now; written if write says so.
void vma_verify_byte(unsigned which, unsigned at, uint8_t *byte, bool write, uint8_t value);
void vma_finish(void); // nobody but the file itself has its pages; gives them back
