// Buddy allocator over one contiguous range of page frames: orders 0 to 10, eager merging.
// No locks of its own: the caller serialises (kernel/mm/page_alloc.h). Any context. Never touches the pages themselves.
#pragma once

#include "kernel/base/types.h"

#define BUDDY_MAX_ORDER 10u
#define BUDDY_ORDERS (BUDDY_MAX_ORDER + 1)
#define BUDDY_NONE UINT32_MAX

enum page_state {
    PAGE_RESERVED,  // 0: not the allocator's to give: holes, the image, the page array
    PAGE_FREE_HEAD, // first frame of a free block of 2^order pages
    PAGE_TAIL,      // any other frame of a block, free or used
    PAGE_USED_HEAD, // first frame of a block given out
    PAGE_CACHED,    // first frame of a block that waits in a CPU's cache: free to people, used to the buddy
};

// One per page frame. While a block is in use its links and the last three fields are its owner's.
struct page {
    uint32_t next, prev;   // frame numbers in the free list of this order; BUDDY_NONE ends it
    uint8_t state;         // enum page_state
    uint8_t order;         // of the block, in its head
    uint16_t used;         // objects in use in a slab; valid descriptors in a table
    void *owner;           // the slab cache
    uint64_t free_bits[4]; // bit per object of a slab: free
};

struct buddy {
    struct page *pages; // [frames]
    paddr_t base;       // of frame 0; aligned to PAGE_SIZE << BUDDY_MAX_ORDER
    uint32_t frames;    // size of the range in pages
    uint32_t free_frames;
    uint32_t managed_frames; // given by buddy_add()
    uint32_t nonempty;       // bit per order: the free list is not empty
    uint32_t head[BUDDY_ORDERS];
};

// All frames start reserved. pages: frames entries, any contents. -EINVAL: base misaligned, frames 0 or above 2^31.
// Nothing changed then.
[[nodiscard]] int buddy_init(struct buddy *buddy, paddr_t base, uint64_t frames, struct page *pages);
// Gives reserved pages to the allocator. -EINVAL: outside the range or misaligned; -EEXIST: part of it already given.
// Nothing changed then.
[[nodiscard]] int buddy_add(struct buddy *buddy, paddr_t start, uint64_t frames);
// A naturally aligned block of 2^order pages. -EINVAL: order too large; -ENOMEM: no block. *out and the allocator
// unchanged then.
[[nodiscard]] int buddy_alloc(struct buddy *buddy, unsigned order, paddr_t *out);
// The same by frame number, order known to be good; the block's head gets that state. BUDDY_NONE: no block.
uint32_t buddy_take(struct buddy *buddy, unsigned order, enum page_state state);
// Takes back a block exactly as it was given. Anything else is a kernel bug and panics, naming the block.
void buddy_free(struct buddy *buddy, paddr_t block, unsigned order);
// The same for a caller that has checked: frame is the first of a used or cached block of that order.
void buddy_release(struct buddy *buddy, uint32_t frame, unsigned order);

// `check-walks`: NULL when every invariant holds, else a sentence naming the broken one. O(frames).
[[nodiscard]] const char *buddy_check(const struct buddy *buddy);

static inline uint32_t buddy_frame(const struct buddy *buddy, paddr_t address)
{
    return (uint32_t)((address.raw - buddy->base.raw) >> PAGE_SHIFT);
}
static inline paddr_t buddy_address(const struct buddy *buddy, uint32_t frame)
{
    return paddr_add(buddy->base, (uint64_t)frame << PAGE_SHIFT);
}
