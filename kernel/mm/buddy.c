#include "kernel/mm/buddy.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

static void list_push(struct buddy *buddy, struct page *pages, uint32_t frame, unsigned order)
{
    struct page *page = &pages[frame];
    uint32_t head = buddy->head[order];
    page->state = PAGE_FREE_HEAD;
    page->order = (uint8_t)order;
    page->prev = BUDDY_NONE;
    page->next = head;
    if (head != BUDDY_NONE) {
        pages[head].prev = frame;
    }
    buddy->head[order] = frame;
    buddy->nonempty |= 1u << order;
}

static void list_take(struct buddy *buddy, struct page *pages, uint32_t frame, unsigned order)
{
    uint32_t next = pages[frame].next, prev = pages[frame].prev;
    if (prev != BUDDY_NONE) {
        pages[prev].next = next;
    } else {
        buddy->head[order] = next;
    }
    if (next != BUDDY_NONE) {
        pages[next].prev = prev;
    } else if (prev == BUDDY_NONE) {
        buddy->nonempty &= ~(1u << order);
    }
}

int buddy_init(struct buddy *buddy, paddr_t base, uint64_t frames, struct page *pages)
{
    if (!is_aligned(base.raw, PAGE_SIZE << BUDDY_MAX_ORDER) || frames == 0 || frames > 1UL << 31) {
        return -EINVAL;
    }
    *buddy = (struct buddy){.pages = pages, .base = base, .frames = (uint32_t)frames};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        buddy->head[order] = BUDDY_NONE;
    }
    static_assert(PAGE_RESERVED == 0, "a zeroed page array is all reserved");
    __builtin_memset(pages, 0, frames * sizeof(*pages));
    return 0;
}

// The block that starts at frame becomes free; joins its buddy as long as that is free and whole.
static void insert_merged(struct buddy *buddy, uint32_t frame, unsigned order)
{
    struct page *pages = buddy->pages;
    for (; order < BUDDY_MAX_ORDER; order++) {
        uint32_t other = frame ^ (1u << order);
        // Its owner may change it from used to cached and back meanwhile, but nobody makes it free or takes it.
        if (other >= buddy->frames || READ_ONCE(pages[other].state) != PAGE_FREE_HEAD || pages[other].order != order) {
            break;
        }
        list_take(buddy, pages, other, order);
        pages[frame | other].state = PAGE_TAIL; // the upper half's head is one no longer
        frame &= other;
    }
    list_push(buddy, pages, frame, order);
}

int buddy_add(struct buddy *buddy, paddr_t start, uint64_t frames)
{
    if (start.raw < buddy->base.raw || !is_aligned(start.raw, PAGE_SIZE)) {
        return -EINVAL;
    }
    uint64_t first = (start.raw - buddy->base.raw) >> PAGE_SHIFT;
    if (first > buddy->frames || frames > buddy->frames - first) {
        return -EINVAL;
    }
    for (uint64_t frame = first; frame < first + frames; frame++) {
        if (buddy->pages[frame].state != PAGE_RESERVED) {
            return -EEXIST;
        }
    }
    for (uint64_t frame = first; frame < first + frames; frame++) {
        buddy->pages[frame].state = PAGE_TAIL;
    }
    // The largest aligned blocks that fit, so that the cost is that of the blocks, not of the pages.
    for (uint64_t frame = first, left = frames; left > 0;) {
        unsigned order = frame == 0 ? BUDDY_MAX_ORDER : (unsigned)__builtin_ctzll(frame);
        unsigned fits = 63u - (unsigned)__builtin_clzll(left);
        order = order < fits ? order : fits;
        order = order < BUDDY_MAX_ORDER ? order : BUDDY_MAX_ORDER;
        insert_merged(buddy, (uint32_t)frame, order);
        frame += 1u << order;
        left -= 1u << order;
    }
    buddy->free_frames += (uint32_t)frames;
    buddy->managed_frames += (uint32_t)frames;
    return 0;
}

// Gives back the upper halves of the block of order from that starts at frame, until it has the order wanted.
static __attribute__((noinline)) uint32_t split(struct buddy *buddy, uint32_t frame, unsigned from, unsigned order)
{
    struct page *pages = buddy->pages;
    while (from > order) {
        from--;
        list_push(buddy, pages, frame + (1u << from), from);
    }
    return frame;
}

uint32_t buddy_take(struct buddy *buddy, unsigned order, enum page_state state)
{
    uint32_t candidates = buddy->nonempty & (~0u << order);
    if (unlikely(candidates == 0)) {
        return BUDDY_NONE;
    }
    unsigned from = (unsigned)__builtin_ctz(candidates);
    struct page *pages = buddy->pages;
    uint32_t frame = buddy->head[from], next = pages[frame].next;
    buddy->head[from] = next; // as list_take(), for the first of a list
    if (next != BUDDY_NONE) {
        pages[next].prev = BUDDY_NONE;
    } else {
        buddy->nonempty &= ~(1u << from);
    }
    pages[frame].state = (uint8_t)state;
    pages[frame].order = (uint8_t)order;
    COUNT_ADD(buddy->free_frames, -(1u << order)); // others look without the lock
    return likely(from == order) ? frame : split(buddy, frame, from, order);
}

int buddy_alloc(struct buddy *buddy, unsigned order, paddr_t *out)
{
    if (unlikely(order > BUDDY_MAX_ORDER)) {
        return -EINVAL;
    }
    uint32_t frame = buddy_take(buddy, order, PAGE_USED_HEAD);
    if (unlikely(frame == BUDDY_NONE)) {
        return -ENOMEM;
    }
    *out = buddy_address(buddy, frame);
    return 0;
}

void buddy_release(struct buddy *buddy, uint32_t frame, unsigned order)
{
    COUNT_ADD(buddy->free_frames, 1u << order);
    buddy->pages[frame].state = PAGE_TAIL; // unless it stays a head
    insert_merged(buddy, frame, order);
}

static void bad_free(const struct buddy *buddy, paddr_t block, unsigned order, const char *why)
{
    panic("page free of 0x%lx, order %u: %s", block.raw, order, why);
}

void buddy_free(struct buddy *buddy, paddr_t block, unsigned order)
{
    uint64_t offset = block.raw - buddy->base.raw;
    if (unlikely((offset >> PAGE_SHIFT) >= buddy->frames || !is_aligned(offset, PAGE_SIZE))) {
        bad_free(buddy, block, order, "not a page of this allocator");
    }
    uint32_t frame = (uint32_t)(offset >> PAGE_SHIFT);
    const struct page *page = &buddy->pages[frame];
    if (unlikely(page->state != PAGE_USED_HEAD)) {
        bad_free(buddy, block, order,
                 page->state == PAGE_RESERVED ? "reserved page" : "not the start of a used block (double free?)");
    }
    if (unlikely(page->order != order)) {
        bad_free(buddy, block, order, "allocated with another order");
    }
    buddy_release(buddy, frame, order);
}

static const char *check_list(const struct buddy *buddy, unsigned order, uint64_t *free_frames)
{
    uint32_t previous = BUDDY_NONE, seen = 0;
    for (uint32_t frame = buddy->head[order]; frame != BUDDY_NONE; frame = buddy->pages[frame].next) {
        if (frame >= buddy->frames || seen++ > buddy->frames) {
            return "a free list leaves the range or runs in a circle";
        }
        const struct page *page = &buddy->pages[frame];
        if (page->state != PAGE_FREE_HEAD || page->order != order) {
            return "a free list holds a block that is not free at its order";
        }
        if (page->prev != previous) {
            return "a free list's back link is wrong";
        }
        if (!is_aligned(frame, 1u << order)) {
            return "a free block is not aligned to its size";
        }
        previous = frame;
        *free_frames += 1u << order;
    }
    bool nonempty = (buddy->nonempty >> order & 1) != 0;
    return nonempty == (seen > 0) ? NULL : "the mask of non-empty lists is wrong";
}

// Blocks tile the range: each head is followed by its tails, and two free buddies are never left unmerged.
static const char *check_blocks(const struct buddy *buddy, uint64_t *free_frames, uint64_t *managed)
{
    const struct page *pages = buddy->pages;
    for (uint64_t frame = 0; frame < buddy->frames;) {
        const struct page *page = &pages[frame];
        if (page->state == PAGE_RESERVED) {
            frame++;
            continue;
        }
        if (page->state == PAGE_TAIL) {
            return "a tail page has no head";
        }
        uint64_t size = 1UL << page->order;
        if (page->order > BUDDY_MAX_ORDER || size > buddy->frames - frame) {
            return "a block's order is impossible";
        }
        *managed += size;
        if (page->state == PAGE_FREE_HEAD) {
            *free_frames += size;
            uint64_t other = frame ^ size;
            if (page->order < BUDDY_MAX_ORDER && other < buddy->frames && pages[other].state == PAGE_FREE_HEAD &&
                pages[other].order == page->order) {
                return "two free buddies are not merged";
            }
        }
        for (uint64_t tail = frame + 1; tail < frame + size; tail++) {
            if (pages[tail].state != PAGE_TAIL) {
                return "blocks overlap";
            }
        }
        frame += size;
    }
    return NULL;
}

const char *buddy_check(const struct buddy *buddy)
{
    uint64_t listed = 0, found = 0, managed = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        const char *broken = check_list(buddy, order, &listed);
        if (broken != NULL) {
            return broken;
        }
    }
    const char *broken = check_blocks(buddy, &found, &managed);
    if (broken != NULL) {
        return broken;
    }
    if (listed != found || listed != buddy->free_frames) {
        return "free pages are lost or counted twice";
    }
    return managed == buddy->managed_frames ? NULL : "the number of managed pages is wrong";
}
