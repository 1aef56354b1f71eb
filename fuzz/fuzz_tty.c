// The line discipline against one that was written apart from it: what is shown, what is read, who is signalled.
#include "harness/fuzz.h"

#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"
#include "kernel/tty/tty_internal.h"
#include <string.h>

#define SHOWN_MAX 32768u // between two comparisons: a long line that is wiped
#define TYPED_MAX 16384u

static struct thread me;
static struct tty tty;

// What the kernel shows and signals, and what it should.
static struct {
    char bytes[SHOWN_MAX];
    unsigned size;
    int signals[64];
} shown, wanted;

// The model: everything that was ever typed and kept, in one line of bytes.
static struct {
    char bytes[TYPED_MAX];
    bool ends[TYPED_MAX];
    unsigned read, ready, typed;
    unsigned column;
    bool literal, stopped;
    uint32_t input, output, local;
    uint8_t characters[19];
} model;

static void send(struct tty *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size && shown.size < SHOWN_MAX; i++) {
        shown.bytes[shown.size++] = text[i];
    }
}

static void signal_group(struct tty *from, int signal)
{
    shown.signals[signal]++;
}

static const struct tty_ops ops = {.send = send, .signal = signal_group};

static void setup(void)
{
    this_cpu()->queue.current = &me; // mutexes ask who takes them
}

// --- the model's output --------------------------------------------------------------------------------------------

static void out(char c)
{
    if (wanted.size < SHOWN_MAX) {
        wanted.bytes[wanted.size++] = c;
    }
}

static bool control_character(char c)
{
    return c == 127 || (c >= 0 && c < 32 && c != '\t' && c != '\n');
}

static void put(char c)
{
    bool cooked = (model.output & OPOST) != 0;
    if (cooked && c == '\n' && (model.output & ONLCR) != 0) {
        out('\r');
        out('\n');
        model.column = 0;
        return;
    }
    if (cooked && c == '\r') {
        if ((model.output & ONOCR) != 0 && model.column == 0) {
            return;
        }
        if ((model.output & OCRNL) != 0) {
            c = '\n';
        }
    }
    if (cooked && c == '\t' && (model.output & XTABS) == XTABS) {
        do {
            out(' ');
            model.column++;
        } while (model.column % 8 != 0);
        return;
    }
    out(c);
    switch (c) {
    case '\r':
        model.column = 0;
        break;
    case '\n':
        model.column = (model.output & ONLRET) != 0 ? 0 : model.column;
        break;
    case '\t':
        model.column += 8 - model.column % 8;
        break;
    case '\b':
        model.column = model.column > 0 ? model.column - 1 : 0;
        break;
    default:
        model.column += !control_character(c) && (c & 0xc0) != 0x80;
    }
}

static void echo(char c)
{
    if ((model.local & ECHO) != 0 || (c == '\n' && (model.local & ECHONL) != 0 && (model.local & ICANON) != 0)) {
        if (control_character(c) && (model.local & ECHOCTL) != 0) {
            put('^');
            put(c == 127 ? '?' : (char)(c + 64));
        } else {
            put(c);
        }
    }
}

// --- the model's input ---------------------------------------------------------------------------------------------

static bool keep(char c, bool ends)
{
    unsigned held = model.typed - model.read;
    if (held >= (ends ? 4096u : 4095u) || model.typed == TYPED_MAX) {
        return false;
    }
    model.bytes[model.typed] = c;
    model.ends[model.typed++] = ends;
    return true;
}

static bool take_back(void)
{
    if (model.typed == model.ready) {
        return false;
    }
    char c = model.bytes[--model.typed];
    while ((model.input & IUTF8) != 0 && (c & 0xc0) == 0x80 && model.typed > model.ready) {
        c = model.bytes[--model.typed];
    }
    if ((model.local & (ECHO | ECHOE)) != (ECHO | ECHOE)) {
        echo((char)model.characters[VERASE]);
        return true;
    }
    unsigned columns = control_character(c) ? ((model.local & ECHOCTL) != 0 ? 2 : 0) : (c & 0xc0) == 0x80 ? 0 : 1;
    for (unsigned i = 0; i < columns; i++) {
        put('\b');
        put(' ');
        put('\b');
    }
    return true;
}

static bool is(char c, unsigned which)
{
    return model.characters[which] != 0 && (uint8_t)c == model.characters[which];
}

static void kill_all(void)
{
    const uint32_t visual = ECHOE | ECHOK | ECHOKE;
    if ((model.local & ECHO) == 0 || (model.local & visual) == visual) {
        while (take_back()) {
        }
        return;
    }
    model.typed = model.ready;
    echo((char)model.characters[VKILL]);
    if ((model.local & ECHOK) != 0) {
        put('\n');
    }
}

static bool edited(char c)
{
    bool extended = (model.local & IEXTEN) != 0;
    if (is(c, VERASE)) {
        (void)take_back();
    } else if (is(c, VKILL)) {
        kill_all();
    } else if (is(c, VREPRINT) && extended && (model.local & ECHO) != 0) {
        echo((char)model.characters[VREPRINT]);
        put('\n');
        for (unsigned i = model.ready; i < model.typed; i++) {
            echo(model.bytes[i]);
        }
    } else if (is(c, VWERASE) && extended) {
        while (model.typed > model.ready && model.bytes[model.typed - 1] == ' ') {
            (void)take_back();
        }
        while (model.typed > model.ready && model.bytes[model.typed - 1] != ' ') {
            (void)take_back();
        }
    } else if (is(c, VLNEXT) && extended) {
        model.literal = true;
        if ((model.local & (ECHO | ECHOCTL)) == (ECHO | ECHOCTL)) {
            put('^');
            put('\b');
        }
    } else if (is(c, VEOF)) {
        (void)keep(0, true);
        model.ready = model.typed;
    } else {
        return false;
    }
    return true;
}

static bool signalled(char c)
{
    int signal = is(c, VINTR) ? SIGINT : is(c, VQUIT) ? SIGQUIT : is(c, VSUSP) ? SIGTSTP : 0;
    if (signal == 0) {
        return false;
    }
    if ((model.local & NOFLSH) == 0) {
        model.read = model.ready = model.typed;
    }
    echo(c);
    wanted.signals[signal]++;
    return true;
}

static void model_type(char c)
{
    bool raw = (model.local & ICANON) == 0;
    if (raw && model.typed - model.read >= 4095 && (model.local & ISIG) == 0 && (model.input & IXON) == 0) {
        return;
    }
    c = (model.input & ISTRIP) != 0 ? c & 0x7f : c;
    if (model.literal) {
        model.literal = false;
        if (keep(c, false)) {
            echo(c);
        }
        return;
    }
    if ((model.input & IXON) != 0) {
        bool start = is(c, VSTART), stop = !start && is(c, VSTOP);
        if (start || stop || (model.stopped && (model.input & IXANY) != 0)) {
            model.stopped = stop;
        }
        if (start || stop) {
            return;
        }
    }
    if (((model.local & ISIG) != 0 && signalled(c)) || (c == '\r' && (model.input & IGNCR) != 0)) {
        return;
    }
    if (c == '\r' && (model.input & ICRNL) != 0) {
        c = '\n';
    } else if (c == '\n' && (model.input & INLCR) != 0) {
        c = '\r';
    }
    if (!raw && edited(c)) {
        return;
    }
    bool ends = !raw && (c == '\n' || is(c, VEOL) || (is(c, VEOL2) && (model.local & IEXTEN) != 0));
    if (keep(c, ends)) {
        echo(c);
    }
    if (raw || ends) {
        model.ready = model.typed;
    }
}

static void compare(void);

// --- operations ----------------------------------------------------------------------------------------------------

static void type(char c, unsigned times)
{
    times = (uint8_t)c < ' ' || c == 127 ? 1 + times / 140 : times; // orders may cost a line each
    OP("type 0x%02x %u times", (uint8_t)c, times);
    for (unsigned i = 0; i < times; i++) {
        (void)tty_input(&tty, c);
        model_type(c);
        if (i % 256 == 255) {
            compare();
        }
    }
}

static void read_some(unsigned size)
{
    char got[300];
    struct io io = {.kernel = got, .left = size};
    bool raw = (model.local & ICANON) == 0;
    unsigned least = raw ? model.characters[VMIN] : 1, there = model.ready - model.read;
    least = raw && least > size ? size : least;
    int64_t expected = there >= (least > 0 ? least : 1) ? 0 : raw && (least == 0 || there > 0) ? 0 : -EAGAIN;
    if (raw && least == 0 && there == 0 && model.characters[VTIME] != 0) {
        expected = -EAGAIN;
    }
    int64_t result = size > 0 ? tty_read(&tty, &io, true) : 0;
    OP("read %u = %lld", size, (long long)result);
    if (size == 0 || expected < 0) {
        EXPECT_MODEL(result == (size == 0 ? 0 : expected), "read gave %lld, not %lld", (long long)result,
                     (long long)expected);
        return;
    }
    int64_t count = 0;
    while (count < size && model.read < model.ready) {
        bool ends = model.ends[model.read] && !raw;
        char c = model.bytes[model.read++];
        if (ends && c == 0) {
            break;
        }
        EXPECT_MODEL(count >= result || got[count] == c, "byte %lld is 0x%02x, not 0x%02x", (long long)count,
                     (uint8_t)got[count], (uint8_t)c);
        count++;
        if (ends) {
            break;
        }
    }
    EXPECT_MODEL(result == count, "read gave %lld bytes, not %lld", (long long)result, (long long)count);
}

static void write_some(struct input *input, unsigned size)
{
    char text[64];
    for (unsigned i = 0; i < size; i++) {
        text[i] = (char)input_u8(input);
    }
    struct io io = {.kernel = text, .left = size};
    int64_t result = tty_write(&tty, &io, true), expected = model.stopped && size > 0 ? -EAGAIN : (int64_t)size;
    OP("write %u = %lld", size, (long long)result);
    EXPECT_MODEL(result == expected, "write gave %lld, not %lld", (long long)result, (long long)expected);
    for (unsigned i = 0; i < size && expected > 0; i++) {
        put(text[i]);
    }
}

#define TCSETS 0x5402u
#define TCFLSH 0x540bu

static void set_modes(struct input *input)
{
    static const uint32_t inputs[] = {ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXANY, IUTF8};
    static const uint32_t outputs[] = {OPOST, ONLCR, OCRNL, ONOCR, ONLRET, XTABS};
    static const uint32_t locals[] = {ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, ECHOCTL, ECHOKE, IEXTEN};
    uint16_t first = input_u16(input), second = input_u16(input);
    uint8_t which = input_u8(input) % 17, value = input_u8(input);
    bool was_canonical = (model.local & ICANON) != 0;
    struct termios modes = tty.termios;
    modes.input = modes.output = modes.local = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(inputs); i++) {
        modes.input |= (first >> i & 1) != 0 ? inputs[i] : 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(outputs); i++) {
        modes.output |= (first >> (i + 8) & 1) != 0 ? outputs[i] : 0;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(locals); i++) {
        modes.local |= (second >> i & 1) != 0 ? locals[i] : 0;
    }
    modes.characters[which] = value;
    OP("modes %o %o %o, character %u is 0x%02x", modes.input, modes.output, modes.local, which, value);
    mutex_lock(&tty.lock);
    int64_t result = tty_control(&tty, TCSETS, 0, &modes);
    mutex_unlock(&tty.lock);
    EXPECT_MODEL(result == 0, "setting modes gave %lld", (long long)result);
    model.input = modes.input;
    model.output = modes.output;
    model.local = modes.local;
    model.characters[which] = value;
    if (was_canonical != ((model.local & ICANON) != 0)) {
        memset(&model.ends[model.read], 0, model.typed - model.read);
        model.literal = false;
        model.ready = model.typed;
    }
    model.stopped = model.stopped && (model.input & IXON) != 0;
}

static void flush(void)
{
    OP("flush");
    mutex_lock(&tty.lock);
    int64_t result = tty_control(&tty, TCFLSH, 0, NULL);
    mutex_unlock(&tty.lock);
    EXPECT_MODEL(result == 0, "flushing gave %lld", (long long)result);
    model.read = model.ready = model.typed;
}

static void compare(void)
{
    struct condition *changed;
    EXPECT_MODEL(shown.size == wanted.size && memcmp(shown.bytes, wanted.bytes, shown.size) == 0,
                 "%u bytes are shown, not %u, or others", shown.size, wanted.size);
    EXPECT_MODEL(memcmp(shown.signals, wanted.signals, sizeof(shown.signals)) == 0, "other signals are sent");
    unsigned ready = tty_poll(&tty, &changed);
    bool raw = (model.local & ICANON) == 0;
    unsigned least = raw && model.characters[VTIME] == 0 && model.characters[VMIN] > 0 ? model.characters[VMIN] : 1;
    EXPECT_MODEL(((ready & POLL_IN) != 0) == (model.ready - model.read >= least), "ready to read: 0x%x", ready);
    EXPECT_MODEL(((ready & POLL_OUT) != 0) == !model.stopped, "ready to write: 0x%x", ready);
    EXPECT_CHECK(tty_check(&tty));
    shown.size = wanted.size = 0;
}

static void run(struct input *input)
{
    shown.size = wanted.size = 0; // what lies behind is not looked at
    memset(shown.signals, 0, sizeof(shown.signals));
    memset(wanted.signals, 0, sizeof(wanted.signals));
    model.read = model.ready = model.typed = model.column = 0;
    model.literal = model.stopped = false;
    tty_init(&tty, &ops, 0);
    model.input = tty.termios.input;
    model.output = tty.termios.output;
    model.local = tty.termios.local;
    memcpy(model.characters, tty.termios.characters, sizeof(model.characters));
    while (input_more(input) && model.typed < TYPED_MAX - 5000) {
        uint8_t op = input_u8(input);
        switch (op % 8) {
        case 0:
        case 1:
        case 2:
            type((char)input_u8(input), 1);
            break;
        case 3:
            type((char)input_u8(input), 1 + (op / 8) * 140);
            break;
        case 4:
            read_some(input_u8(input));
            break;
        case 5:
            write_some(input, op / 8);
            break;
        case 6:
            set_modes(input);
            break;
        default:
            flush();
            break;
        }
        compare();
    }
}

const struct fuzz_target fuzz_target = {.name = "fuzz_tty", .setup = setup, .run = run};
