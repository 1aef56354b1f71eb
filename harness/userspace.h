// A small user space and its model: a few pages at the bottom, a few at the very top, what each holds and allows.
#pragma once

#include "kernel/mm/pagetable.h"

#define USERSPACE_PAGES 8u
enum { USERSPACE_NOTHING, USERSPACE_READ, USERSPACE_WRITE = 3 }; // rights: a bit for each kind of access

struct userspace {
    struct page_pool *pool;
    struct pagetable table; // root 0: could not be made
    uint8_t mirror[USERSPACE_PAGES][PAGE_SIZE];
    uint8_t rights[USERSPACE_PAGES];
    paddr_t frames[USERSPACE_PAGES];
};

uint64_t userspace_va(unsigned page);
void userspace_init(struct userspace *space, struct page_pool *pool); // active afterwards
void userspace_allow(struct userspace *space, unsigned page, unsigned rights);
// How many of the bytes from start on have all those rights.
uint64_t userspace_reach(const struct userspace *space, uint64_t start, uint64_t size, unsigned rights);
uint8_t *userspace_byte(struct userspace *space, uint64_t va); // of the model
// Somebody may write what the model cannot know: a failed copy any prefix, the user's other threads anything.
void userspace_relearn(struct userspace *space);
void userspace_finish(struct userspace *space); // nothing was written unseen; gives all back
