// Pieces of memory that a target holds: none overlaps another, each keeps what its owner wrote.
#pragma once

#include "harness/fuzz.h"

#define LIVE_MAX 96u

struct live_piece {
    uint8_t *start;
    size_t size;
    uint8_t tag, kind; // kind is the target's
};
struct live {
    uint32_t count;
    uint8_t next_tag;
    struct live_piece at[LIVE_MAX];
};

void live_expect_apart(const struct live *live, const void *start, size_t size);

static inline bool live_full(const struct live *live)
{
    return live->count == LIVE_MAX;
}

// Inline, so that the accesses are a target's, which sanitizers see.
static inline void live_add(struct live *live, void *start, size_t size, uint8_t kind)
{
    live_expect_apart(live, start, size);
    uint8_t *bytes = start;
    bytes[0] = bytes[size / 2] = bytes[size - 1] = ++live->next_tag;
    live->at[live->count++] = (struct live_piece){bytes, size, live->next_tag, kind};
}

static inline struct live_piece live_take(struct live *live, uint32_t slot)
{
    struct live_piece piece = live->at[slot];
    const uint8_t *bytes = piece.start;
    EXPECT_MODEL(bytes[0] == piece.tag && bytes[piece.size / 2] == piece.tag && bytes[piece.size - 1] == piece.tag,
                 "%p lost its contents", (const void *)bytes);
    live->at[slot] = live->at[--live->count];
    return piece;
}
