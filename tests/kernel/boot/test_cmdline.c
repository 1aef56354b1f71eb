#include "kernel/base/format.h"
#include "kernel/boot/cmdline.h"
#include "kernel/debug/ktest.h"
#include "kernel/debug/log.h"

static struct cmdline line;

TEST(cmdline, nothing_is_the_default)
{
    cmdline_parse("", &line);
    EXPECT(line.error == NULL && line.fault[0] == 0 && line.run[0] == 0);
    EXPECT_EQ(line.log_level, LOG_WARNING);
    cmdline_parse("    ", &line);
    EXPECT(line.error == NULL);
}

TEST(cmdline, words_and_the_rest_of_the_line)
{
    cmdline_parse("loglevel=3  fault=page_alloc,nth=3 run=mem;ktest run all quiet", &line);
    EXPECT(line.error == NULL);
    EXPECT_EQ(line.log_level, 3);
    EXPECT(text_equal(line.fault, "page_alloc,nth=3"));
    EXPECT(text_equal(line.run, "mem;ktest run all quiet"));
    cmdline_parse("quiet run=", &line);
    EXPECT_EQ(line.log_level, LOG_ERROR);
    EXPECT(line.error == NULL && line.run[0] == 0);
}

static bool wrong(const char *text, const char *word)
{
    cmdline_parse(text, &line);
    return line.error != NULL && text_equal(line.wrong, word);
}

TEST(cmdline, what_is_wrong_is_named_and_the_rest_taken)
{
    EXPECT(wrong("nonsense fault=all", "nonsense"));
    EXPECT(text_equal(line.fault, "all"));
    EXPECT(wrong("first second", "first"));
    EXPECT(wrong("loglevel=4", "loglevel=4"));
    EXPECT(wrong("loglevel=", "loglevel="));
    EXPECT(wrong("loglevel=11", "loglevel=11"));
    EXPECT_EQ(line.log_level, LOG_WARNING);
    EXPECT(wrong("quiet2", "quiet2"));
    EXPECT(wrong("qui", "qui"));
    EXPECT(wrong("=", "="));
}

TEST(cmdline, long_values_are_refused_and_cut_where_named)
{
    static char text[600];
    __builtin_memcpy(text, "fault=", 6);
    __builtin_memset(text + 6, 'x', 500);
    cmdline_parse(text, &line);
    EXPECT(line.error != NULL && line.fault[0] == 0);
    EXPECT_EQ(__builtin_strlen(line.wrong), sizeof(line.wrong) - 1);
    text[6 + CMDLINE_VALUE_MAX - 1] = 0;
    cmdline_parse(text, &line);
    EXPECT(line.error == NULL);
    EXPECT_EQ(__builtin_strlen(line.fault), CMDLINE_VALUE_MAX - 1);
}

TEST(cmdline, places_can_be_fixed)
{
    struct cmdline out;
    cmdline_parse("quiet", &out);
    EXPECT(!out.noaslr);
    cmdline_parse("noaslr quiet", &out);
    EXPECT(out.noaslr && out.error == NULL);
    cmdline_parse("noaslrx", &out);
    EXPECT(!out.noaslr && out.error != NULL);
}
