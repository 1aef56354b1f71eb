// What is typed: editing, echo, signals. Reading and writing: tty_io.c; control: tty_control.c.
#include "kernel/tty/tty.h"

#include "kernel/proc/signal.h"
#include "kernel/tty/tty_internal.h"

static const struct termios fresh = {
    .input = ICRNL | IXON | IUTF8,
    .output = OPOST | ONLCR,
    .control = 0000060u | 0000200u | 0010001u, // CS8, CREAD, 57600
    .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .characters = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0},
};

void tty_init(struct tty *tty, const struct tty_ops *ops, uint64_t number)
{
    *tty = (struct tty){.termios = fresh, .window = {24, 80, 0, 0}, .ops = ops, .number = number};
    mutex_init(&tty->lock, "tty");
    condition_init(&tty->changed, "tty");
    list_init(&tty->link);
}

// --- echo ----------------------------------------------------------------------------------------------------------

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t' && c != '\n') || c == 127;
}

static void move_column(struct tty *tty, char c)
{
    if (c == '\r' || c == '\n') {
        tty->column = c == '\r' || (tty->termios.output & ONLRET) != 0 ? 0 : tty->column;
    } else if (c == '\t') {
        tty->column = (tty->column | 7) + 1;
    } else if (c == '\b') {
        tty->column -= tty->column > 0;
    } else if (!is_control(c) && ((unsigned char)c & 0xc0) != 0x80) {
        tty->column++;
    }
}

void tty_put(struct tty *tty, char c)
{
    uint32_t output = tty->termios.output;
    if ((output & OPOST) != 0) {
        if (c == '\n' && (output & ONLCR) != 0) {
            tty->ops->send(tty, "\r\n", 2);
            tty->column = 0;
            return;
        }
        if (c == '\r' && (output & ONOCR) != 0 && tty->column == 0) {
            return;
        }
        c = c == '\r' && (output & OCRNL) != 0 ? '\n' : c;
        if (c == '\t' && (output & XTABS) == XTABS) {
            unsigned blanks = 8 - tty->column % 8;
            tty->ops->send(tty, "        ", blanks);
            tty->column += blanks;
            return;
        }
    }
    tty->ops->send(tty, &c, 1);
    move_column(tty, c);
}

// What does not fit is lost: nobody could wait for it.
static void show(struct tty *tty, char c)
{
    if (tty->ops->room == NULL || tty->ops->room(tty) >= TTY_PUT_MAX) {
        tty_put(tty, c);
    }
}

static void echo(struct tty *tty, char c)
{
    if (!tty_has(tty, ECHO) && !(c == '\n' && tty_has(tty, ECHONL) && tty_has(tty, ICANON))) {
        return;
    }
    if (is_control(c) && tty_has(tty, ECHOCTL)) {
        show(tty, '^');
        show(tty, (char)(c ^ 0x40));
    } else {
        show(tty, c);
    }
}

// --- editing -------------------------------------------------------------------------------------------------------

static char *slot(struct tty *tty, uint32_t at)
{
    return &tty->bytes[at % TTY_LINE_MAX];
}

static unsigned width_of(const struct tty *tty, char c)
{
    return is_control(c) ? (tty_has(tty, ECHOCTL) ? 2 : 0) : ((unsigned char)c & 0xc0) == 0x80 ? 0 : 1;
}

static void wipe(struct tty *tty, unsigned columns)
{
    while (columns-- > 0) {
        show(tty, '\b');
        show(tty, ' ');
        show(tty, '\b');
    }
}

// Takes back one character, which with UTF-8 may be several bytes. False: the line is empty.
static bool erase_one(struct tty *tty)
{
    if (tty->written == tty->ready) {
        return false;
    }
    char c;
    do {
        c = *slot(tty, --tty->written);
    } while (tty->written != tty->ready && (tty->termios.input & IUTF8) != 0 && ((unsigned char)c & 0xc0) == 0x80);
    if (tty_has(tty, ECHO) && tty_has(tty, ECHOE)) {
        wipe(tty, c == '\t' ? 1 : width_of(tty, c));
    } else {
        echo(tty, (char)tty->termios.characters[VERASE]);
    }
    return true;
}

static void erase_word(struct tty *tty)
{
    while (tty->written != tty->ready && *slot(tty, tty->written - 1) == ' ') {
        (void)erase_one(tty);
    }
    while (tty->written != tty->ready && *slot(tty, tty->written - 1) != ' ') {
        (void)erase_one(tty);
    }
}

static void kill_line(struct tty *tty)
{
    if (!tty_has(tty, ECHO) || (tty_has(tty, ECHOE) && tty_has(tty, ECHOK) && tty_has(tty, ECHOKE))) {
        while (erase_one(tty)) {
        }
        return;
    }
    tty->written = tty->ready;
    echo(tty, (char)tty->termios.characters[VKILL]);
    if (tty_has(tty, ECHOK)) {
        show(tty, '\n');
    }
}

static void reprint(struct tty *tty)
{
    echo(tty, (char)tty->termios.characters[VREPRINT]);
    show(tty, '\n');
    for (uint32_t at = tty->ready; at != tty->written; at++) {
        echo(tty, *slot(tty, at));
    }
}

static void mark(struct tty *tty, uint32_t at, bool ends)
{
    at %= TTY_LINE_MAX;
    tty->ends[at / 8] = (uint8_t)((tty->ends[at / 8] & ~(1u << at % 8)) | (unsigned)ends << at % 8);
}

static bool append(struct tty *tty, char c, bool ends)
{
    // The last byte is kept for the end of a line.
    uint32_t used = tty->written - tty->read;
    bool room = used < TTY_LINE_MAX - 1 || (ends && used < TTY_LINE_MAX);
    if (room) {
        mark(tty, tty->written, ends);
        *slot(tty, tty->written++) = c;
    }
    return room;
}

void tty_take_line(struct tty *tty)
{
    tty->ready = tty->written;
    condition_signal(&tty->changed);
}

void tty_forget_input(struct tty *tty)
{
    tty->read = tty->ready = tty->written;
    if (tty->ops->tell != NULL) {
        tty->ops->tell(tty);
    }
}

static bool is_character(const struct tty *tty, char c, unsigned which)
{
    uint8_t wanted = tty->termios.characters[which];
    return wanted != DISABLED && (uint8_t)c == wanted;
}

static bool raise_signal(struct tty *tty, char c)
{
    int signal = is_character(tty, c, VINTR)   ? SIGINT
                 : is_character(tty, c, VQUIT) ? SIGQUIT
                 : is_character(tty, c, VSUSP) ? SIGTSTP
                                               : 0;
    if (signal == 0) {
        return false;
    }
    if (!tty_has(tty, NOFLSH)) {
        tty_forget_input(tty);
    }
    echo(tty, c);
    tty->ops->signal(tty, signal);
    return true;
}

// True: the character was an order, and is not part of the line.
static bool edit(struct tty *tty, char c)
{
    if (is_character(tty, c, VERASE)) {
        (void)erase_one(tty);
    } else if (is_character(tty, c, VKILL)) {
        kill_line(tty);
    } else if (is_character(tty, c, VREPRINT) && tty_has(tty, IEXTEN) && tty_has(tty, ECHO)) {
        reprint(tty);
    } else if (is_character(tty, c, VWERASE) && tty_has(tty, IEXTEN)) {
        erase_word(tty);
    } else if (is_character(tty, c, VLNEXT) && tty_has(tty, IEXTEN)) {
        tty->literal = true;
        if (tty_has(tty, ECHO) && tty_has(tty, ECHOCTL)) {
            show(tty, '^');
            show(tty, '\b');
        }
    } else if (is_character(tty, c, VEOF)) {
        (void)append(tty, 0, true);
        tty_take_line(tty);
    } else {
        return false;
    }
    return true;
}

// ^S and ^Q. True: the character was one of them.
static bool stop_or_start(struct tty *tty, char c)
{
    if ((tty->termios.input & IXON) == 0) {
        return false;
    }
    bool start = is_character(tty, c, VSTART), stop = is_character(tty, c, VSTOP) && !start;
    if (start || stop || (tty->stopped && (tty->termios.input & IXANY) != 0)) {
        tty->stopped = stop;
        condition_signal(&tty->changed);
    }
    return start || stop;
}

static char translate(const struct tty *tty, char c)
{
    if (c == '\r' && (tty->termios.input & ICRNL) != 0) {
        return '\n';
    }
    return c == '\n' && (tty->termios.input & INLCR) != 0 ? '\r' : c;
}

static void take(struct tty *tty, char c)
{
    if (tty->literal) {
        tty->literal = false;
        if (append(tty, c, false)) {
            echo(tty, c);
        }
        return;
    }
    if (stop_or_start(tty, c) || (tty_has(tty, ISIG) && raise_signal(tty, c)) ||
        (c == '\r' && (tty->termios.input & IGNCR) != 0)) {
        return;
    }
    c = translate(tty, c);
    if (tty_has(tty, ICANON)) {
        if (edit(tty, c)) {
            return;
        }
        bool ends = c == '\n' || is_character(tty, c, VEOL) || (is_character(tty, c, VEOL2) && tty_has(tty, IEXTEN));
        if (append(tty, c, ends)) {
            echo(tty, c);
        }
        if (ends) {
            tty_take_line(tty);
        }
        return;
    }
    if (append(tty, c, false)) {
        echo(tty, c);
    }
    tty_take_line(tty);
}

bool tty_input(struct tty *tty, char byte)
{
    mutex_lock(&tty->lock);
    bool raw = !tty_has(tty, ICANON), full = tty->written - tty->read >= TTY_LINE_MAX - 1;
    bool order = raw && (tty_has(tty, ISIG) || (tty->termios.input & IXON) != 0); // may be one, and is not kept
    bool taken = !(raw && full) || order;
    if (taken && !tty->hung_up) {
        take(tty, (tty->termios.input & ISTRIP) != 0 ? byte & 0x7f : byte);
    }
    mutex_unlock(&tty->lock);
    return taken;
}

const char *tty_check(struct tty *tty)
{
    mutex_lock(&tty->lock);
    const char *broken = tty->written - tty->read > TTY_LINE_MAX               ? "more than fits"
                         : tty->ready - tty->read > tty->written - tty->read   ? "more to read than there is"
                         : !tty_has(tty, ICANON) && tty->ready != tty->written ? "raw bytes wait for a line"
                                                                               : NULL;
    for (uint32_t at = tty->ready; at != tty->written && broken == NULL; at++) {
        broken = tty_ends_line(tty, at) ? "a line that has ended is still edited" : NULL;
    }
    mutex_unlock(&tty->lock);
    return broken;
}
