// The line discipline: what is typed, what is shown, what is read.
#include "kernel/tty/tty.h"

#include "kernel/debug/ktest.h"
#include "kernel/proc/signal.h"

static struct tty tty;
static char shown[512];
static size_t shown_size;
static int last_signal;

static void show(struct tty *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size && shown_size < sizeof(shown); i++) {
        shown[shown_size++] = text[i];
    }
}

static void note_signal(struct tty *from, int signal)
{
    last_signal = from == &tty ? signal : -1;
}

static void type(const char *text)
{
    while (*text != 0) {
        (void)tty_input(&tty, *text++);
    }
}

static void fresh(void)
{
    static const struct tty_ops ops = {.send = show, .signal = note_signal};
    tty_init(&tty, &ops, 0);
    shown_size = 0;
    last_signal = 0;
}

static bool was_shown(const char *text)
{
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    bool same = length == shown_size && __builtin_memcmp(text, shown, length) == 0;
    shown_size = 0;
    return same;
}

// What one read gives, as text; "!" for -EAGAIN.
static bool reads(const char *wanted)
{
    char got[64];
    struct io io = {.kernel = got, .left = sizeof(got)};
    int64_t size = tty_read(&tty, &io, true);
    if (size == -EAGAIN) {
        return wanted[0] == '!';
    }
    for (int64_t i = 0; i < size; i++) {
        if (got[i] != wanted[i]) {
            return false;
        }
    }
    return size >= 0 && wanted[size] == 0;
}

TEST(tty, lines_are_edited_and_shown)
{
    fresh();
    type("ab");
    EXPECT(reads("!"));
    type("x\177c\r");
    EXPECT(was_shown("abx\b \bc\r\n"));
    EXPECT(reads("abc\n"));
    type("one two\027six\r");
    EXPECT(reads("one six\n"));
    type("gone\025kept\n");
    EXPECT(reads("kept\n"));
    type("\026\003\r"); // a literal ^C
    EXPECT(reads("\003\n") && last_signal == 0);
    shown_size = 0;
    type("\303\244\177z\r"); // a letter of two bytes goes at once
    EXPECT(was_shown("\303\244\b \bz\r\n"));
    EXPECT(reads("z\n"));
}

TEST(tty, end_of_file_and_two_lines)
{
    fresh();
    type("ab\004");
    EXPECT(reads("ab"));
    type("\004");
    EXPECT(reads(""));
    type("one\rtwo\r");
    EXPECT(reads("one\n"));
    EXPECT(reads("two\n"));
    EXPECT(reads("!"));
}

TEST(tty, signals)
{
    fresh();
    type("lost\003");
    EXPECT_EQ(last_signal, SIGINT);
    EXPECT(was_shown("lost^C"));
    EXPECT(reads("!"));
    type("\032");
    EXPECT_EQ(last_signal, SIGTSTP);
    type("\034");
    EXPECT_EQ(last_signal, SIGQUIT);
}

TEST(tty, raw_mode_gives_bytes_as_they_come)
{
    fresh();
    type("half");
    struct condition *changed;
    EXPECT_EQ(tty_poll(&tty, &changed), POLL_OUT);
    tty.termios.local = 0;
    type("\003\177");
    EXPECT_EQ(tty_poll(&tty, &changed), POLL_IN | POLL_OUT);
    EXPECT(reads("half\003\177"));
    EXPECT_EQ(last_signal, 0);
    EXPECT(was_shown("half"));
}

TEST(tty, a_line_that_is_too_long_ends)
{
    fresh();
    for (unsigned i = 0; i < TTY_LINE_MAX + 100; i++) {
        (void)tty_input(&tty, 'x');
    }
    (void)tty_input(&tty, '\n');
    static char got[TTY_LINE_MAX + 1];
    struct io io = {.kernel = got, .left = sizeof(got)};
    EXPECT_EQ(tty_read(&tty, &io, true), TTY_LINE_MAX);
    EXPECT_EQ(got[TTY_LINE_MAX - 1], '\n');
}

TEST(tty, output_is_cooked)
{
    fresh();
    char text[] = "a\nb";
    struct io io = {.kernel = text, .left = 3};
    EXPECT_EQ(tty_write(&tty, &io, true), 3);
    EXPECT(was_shown("a\r\nb"));
}
