#include "kernel/debug/log.h"

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"

struct seen {
    uint32_t lines, ours, last;
    bool rising, whole;
};

static void look(const char *line, void *argument)
{
    struct seen *seen = argument;
    size_t length = __builtin_strlen(line);
    uint64_t number;
    seen->lines++;
    seen->whole = seen->whole && length < 128;
    const char *at = line + length;
    while (at > line && at[-1] != ' ') {
        at--;
    }
    if (length > 18 && line[15] == 'D' && parse_u64(at, &number) == 0) {
        seen->rising = seen->rising && (seen->ours == 0 || number == seen->last + 1);
        seen->last = (uint32_t)number;
        seen->ours++;
    }
}

TEST(log, the_ring_keeps_the_newest_lines_in_order)
{
    for (uint32_t i = 0; i < 300; i++) {
        log_line(LOG_DEBUG, "ring %u", i);
    }
    struct seen seen = {.rising = true, .whole = true};
    log_for_each(look, &seen);
    EXPECT_EQ(seen.lines, 128);
    EXPECT(seen.ours >= 120 && seen.rising && seen.whole); // another CPU may have had to say something
    EXPECT_EQ(seen.last, 299);
}

TEST(log, long_lines_are_cut)
{
    static char text[400];
    __builtin_memset(text, 'x', sizeof(text) - 1);
    log_line(LOG_DEBUG, "%s", text);
    struct seen seen = {.rising = true, .whole = true};
    log_for_each(look, &seen);
    EXPECT(seen.whole);
}
