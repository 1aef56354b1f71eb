#include "kernel/debug/record.h"

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"

TEST(record, crc32_is_ieee)
{
    EXPECT_EQ(crc32(0, "", 0), 0);
    EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926); // the check value of the CRC catalogues
    EXPECT_EQ(crc32(0, "a", 1), 0xe8b7be43);
    EXPECT_EQ(crc32(0, "\0\0\0\0", 4), 0x2144df1c);
    EXPECT_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926); // in pieces
}

TEST(record, crc32_sees_each_bit)
{
    char text[32];
    __builtin_memset(text, 0x55, sizeof(text));
    uint32_t whole = crc32(0, text, sizeof(text));
    for (unsigned bit = 0; bit < sizeof(text) * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        EXPECT(crc32(0, text, sizeof(text)) != whole);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
}

static bool quoted(const char *text, const char *expected)
{
    char out[64];
    return json_quote(out, sizeof(out), text) == __builtin_strlen(expected) && text_equal(out, expected);
}

TEST(record, json_quote)
{
    EXPECT(quoted("", "\"\""));
    EXPECT(quoted("plain", "\"plain\""));
    EXPECT(quoted("a\"b\\c", "\"a\\\"b\\\\c\""));
    EXPECT(quoted("\x01\n\t\x1e", "\"????\""));
    EXPECT(quoted("\\\\\"\"", "\"\\\\\\\\\\\"\\\"\""));
}

// However small the room: a whole JSON string, or nothing at all; never a byte beyond.
TEST(record, json_quote_is_cut_to_a_whole_string)
{
    for (size_t size = 0; size < 24; size++) {
        char out[32];
        __builtin_memset(out, '#', sizeof(out));
        size_t length = json_quote(out, size, "\"\"\"\"\"\"\"\"\"\"\"\"");
        EXPECT(out[size] == '#');
        EXPECT(size < 3 ? length == 0 : length >= 2 && length < size && out[length] == 0);
        EXPECT(length == 0 || (out[0] == '"' && out[length - 1] == '"'));
        EXPECT_EQ(length % 2, 0); // no half of an escape
    }
}
