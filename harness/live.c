#include "harness/live.h"

void live_expect_apart(const struct live *live, const void *start, size_t size)
{
    uintptr_t first = (uintptr_t)start;
    for (uint32_t i = 0; i < live->count; i++) {
        uintptr_t other = (uintptr_t)live->at[i].start;
        EXPECT_MODEL(first + size <= other || other + live->at[i].size <= first, "%p overlaps %p, in use", start,
                     (const void *)live->at[i].start);
    }
}
