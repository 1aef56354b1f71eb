#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"

static bool gives(const char *expected, size_t length, const char *got)
{
    return text_equal(expected, got) && length == __builtin_strlen(expected);
}

TEST(format, numbers)
{
    char out[64];
    EXPECT(gives("-5 5 ff FF", format(out, sizeof(out), "%d %u %x %X", -5, 5u, 255u, 255u), out));
    EXPECT(gives("00042|42   |   42", format(out, sizeof(out), "%05d|%-5d|%5d", 42, 42, 42), out));
    EXPECT(gives("-9223372036854775808", format(out, sizeof(out), "%ld", INT64_MIN), out));
    EXPECT(gives("18446744073709551615", format(out, sizeof(out), "%lu", UINT64_MAX), out));
}

TEST(format, strings)
{
    char out[64];
    EXPECT(gives("ab|abc  |  abc|%", format(out, sizeof(out), "%.2s|%-5s|%5s|%%", "abc", "abc", "abc"), out));
}

TEST(format, cuts_and_says_how_long_it_would_be)
{
    char out[4] = "xxx";
    EXPECT_EQ(format(out, sizeof(out), "%s", "abcdef"), 6);
    EXPECT(text_equal(out, "abc"));
    EXPECT_EQ(format(NULL, 0, "%d", 1234), 4);
}

TEST(format, parse_u64)
{
    uint64_t value = 7;
    EXPECT_EQ(parse_u64("", &value), -EINVAL);
    EXPECT_EQ(parse_u64("0x", &value), -EINVAL);
    EXPECT_EQ(parse_u64("12a", &value), -EINVAL);
    EXPECT_EQ(parse_u64("-1", &value), -EINVAL);
    EXPECT_EQ(parse_u64("18446744073709551616", &value), -ERANGE);
    EXPECT_EQ(value, 7);
    EXPECT_EQ(parse_u64("18446744073709551615", &value), 0);
    EXPECT(value == UINT64_MAX);
    EXPECT_EQ(parse_u64("0xfF", &value), 0);
    EXPECT_EQ(value, 255);
}
