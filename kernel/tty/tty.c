#include "kernel/tty/tty.h"

#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"

// c_iflag
#define ISTRIP 0000040u
#define INLCR 0000100u
#define IGNCR 0000200u
#define ICRNL 0000400u
#define IUTF8 0040000u
// c_oflag
#define OPOST 0000001u
#define ONLCR 0000004u
// c_lflag
#define ISIG 0000001u
#define ICANON 0000002u
#define ECHO 0000010u
#define ECHOE 0000020u
#define ECHOK 0000040u
#define ECHONL 0000100u
#define NOFLSH 0000200u
#define ECHOCTL 0001000u
#define ECHOKE 0004000u
#define IEXTEN 0100000u
// c_cc
#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VTIME 5
#define VMIN 6
#define VSUSP 10
#define VEOL 11
#define VWERASE 14
#define VLNEXT 15
#define VEOL2 16
#define DISABLED 0

#define END_OF_FILE ((char)0xff) // in the ring: VEOF was typed here; never shown

static const struct termios fresh = {
    .input = ICRNL | IUTF8,
    .output = OPOST | ONLCR,
    .control = 0000060u | 0000200u | 0010001u, // CS8, CREAD, 57600
    .local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .characters = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0},
};

void tty_init(struct tty *tty, void (*send)(const char *text, size_t size), void (*signal)(struct tty *tty, int signal))
{
    *tty = (struct tty){.termios = fresh, .window = {24, 80, 0, 0}, .send = send, .signal = signal};
    mutex_init(&tty->lock, "tty");
    condition_init(&tty->changed, "tty");
}

// --- echo ----------------------------------------------------------------------------------------------------------

static bool has(const struct tty *tty, uint32_t flag)
{
    return (tty->termios.local & flag) != 0;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t' && c != '\n') || c == 127;
}

static void put(struct tty *tty, char c)
{
    bool cooked = (tty->termios.output & OPOST) != 0;
    if (c == '\n' && cooked && (tty->termios.output & ONLCR) != 0) {
        tty->send("\r\n", 2);
        tty->column = 0;
        return;
    }
    tty->send(&c, 1);
    if (c == '\r' || c == '\n') {
        tty->column = 0;
    } else if (c == '\t') {
        tty->column = (tty->column | 7) + 1;
    } else if (c == '\b') {
        tty->column -= tty->column > 0;
    } else if (!is_control(c) && ((unsigned char)c & 0xc0) != 0x80) {
        tty->column++;
    }
}

static void echo(struct tty *tty, char c)
{
    if (!has(tty, ECHO) && !(c == '\n' && has(tty, ECHONL) && has(tty, ICANON))) {
        return;
    }
    if (is_control(c) && has(tty, ECHOCTL)) {
        put(tty, '^');
        put(tty, (char)(c ^ 0x40));
    } else {
        put(tty, c);
    }
}

// --- editing -------------------------------------------------------------------------------------------------------

static char *slot(struct tty *tty, uint32_t at)
{
    return &tty->bytes[at % TTY_LINE_MAX];
}

static unsigned width_of(const struct tty *tty, char c)
{
    return is_control(c) ? (has(tty, ECHOCTL) ? 2 : 0) : ((unsigned char)c & 0xc0) == 0x80 ? 0 : 1;
}

static void wipe(struct tty *tty, unsigned columns)
{
    while (columns-- > 0) {
        put(tty, '\b');
        put(tty, ' ');
        put(tty, '\b');
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
    if (has(tty, ECHO) && has(tty, ECHOE)) {
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

static void erase_line(struct tty *tty)
{
    while (erase_one(tty)) {
    }
}

static void append(struct tty *tty, char c)
{
    // The last byte is kept for the end of a line.
    bool room = tty->written - tty->read < TTY_LINE_MAX - 1 || (c == '\n' && tty->written - tty->read < TTY_LINE_MAX);
    if (room) {
        *slot(tty, tty->written++) = c;
    }
}

static void finish_line(struct tty *tty)
{
    tty->ready = tty->written;
    condition_signal(&tty->changed);
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
    if (!has(tty, NOFLSH)) {
        tty->written = tty->ready = tty->read;
    }
    echo(tty, c);
    tty->signal(tty, signal);
    return true;
}

// True: the character was an order, and is not part of the line.
static bool edit(struct tty *tty, char c)
{
    if (is_character(tty, c, VERASE) || c == '\b') {
        (void)erase_one(tty);
    } else if (is_character(tty, c, VKILL)) {
        erase_line(tty);
    } else if (is_character(tty, c, VWERASE) && has(tty, IEXTEN)) {
        erase_word(tty);
    } else if (is_character(tty, c, VLNEXT) && has(tty, IEXTEN)) {
        tty->literal = true;
    } else if (is_character(tty, c, VEOF)) {
        append(tty, END_OF_FILE);
        finish_line(tty);
    } else {
        return false;
    }
    return true;
}

static void take(struct tty *tty, char c)
{
    if (tty->literal) {
        tty->literal = false;
        append(tty, c);
        echo(tty, c);
        return;
    }
    if (has(tty, ISIG) && raise_signal(tty, c)) {
        return;
    }
    if (c == '\r' && (tty->termios.input & IGNCR) != 0) {
        return;
    }
    if (c == '\r' && (tty->termios.input & ICRNL) != 0) {
        c = '\n';
    } else if (c == '\n' && (tty->termios.input & INLCR) != 0) {
        c = '\r';
    }
    if (has(tty, ICANON)) {
        if (edit(tty, c)) {
            return;
        }
        append(tty, c);
        echo(tty, c);
        if (c == '\n' || is_character(tty, c, VEOL) || is_character(tty, c, VEOL2)) {
            finish_line(tty);
        }
        return;
    }
    append(tty, c);
    echo(tty, c);
    finish_line(tty);
}

void tty_input(struct tty *tty, char byte)
{
    mutex_lock(&tty->lock);
    take(tty, (tty->termios.input & ISTRIP) != 0 ? byte & 0x7f : byte);
    mutex_unlock(&tty->lock);
}

// --- reading and writing -------------------------------------------------------------------------------------------

// One line, or in raw mode what is there. With the lock.
static int64_t read_ready(struct tty *tty, struct io *io)
{
    int64_t done = 0;
    while (io->left > 0 && tty->read != tty->ready) {
        char c = *slot(tty, tty->read);
        if (c == END_OF_FILE && has(tty, ICANON)) {
            tty->read++;
            break;
        }
        int error = io_give(io, &c, 1);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        tty->read++;
        done++;
        if (has(tty, ICANON) && (c == '\n' || is_character(tty, c, VEOL) || is_character(tty, c, VEOL2))) {
            break;
        }
    }
    return done;
}

// Who is not in front may not read. With the lock.
static bool is_behind(const struct tty *tty)
{
    const struct process *process = process_current();
    return process != NULL && process->session == tty->session && tty->foreground != 0 &&
           process->group != tty->foreground;
}

int64_t tty_read(struct tty *tty, struct io *io, bool nonblock)
{
    int64_t result = 0;
    mutex_lock(&tty->lock);
    if (is_behind(tty)) {
        mutex_unlock(&tty->lock);
        result = signal_send_group(process_current()->group, SIGTTIN);
        return result != 0 ? result : -ERESTART;
    }
    while (tty->read == tty->ready && io->left > 0 && result == 0) {
        if (nonblock) {
            result = -EAGAIN;
        } else if (!has(tty, ICANON) && tty->termios.characters[VMIN] == 0) {
            break; // VTIME is not waited for
        } else if (condition_wait_interruptible(&tty->changed, &tty->lock) != 0) {
            result = -ERESTART;
        }
    }
    if (result == 0) {
        result = read_ready(tty, io);
    }
    mutex_unlock(&tty->lock);
    return result;
}

unsigned tty_poll(struct tty *tty, struct condition **changed)
{
    mutex_lock(&tty->lock);
    unsigned ready = POLL_OUT | (tty->read != tty->ready ? POLL_IN : 0);
    mutex_unlock(&tty->lock);
    *changed = &tty->changed;
    return ready;
}

int64_t tty_write(struct tty *tty, struct io *io)
{
    char chunk[128];
    int64_t done = 0;
    mutex_lock(&tty->lock);
    while (io->left > 0) {
        uint64_t part = min_u64(io->left, sizeof(chunk));
        int error = io_take(io, chunk, part);
        if (error != 0) {
            done = done > 0 ? done : error;
            break;
        }
        for (uint64_t i = 0; i < part; i++) {
            put(tty, chunk[i]);
        }
        done += (int64_t)part;
    }
    mutex_unlock(&tty->lock);
    return done;
}

// --- control -------------------------------------------------------------------------------------------------------

#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSW 0x5403u
#define TCSETSF 0x5404u
#define TCFLSH 0x540bu
#define TIOCSCTTY 0x540eu
#define TIOCGPGRP 0x540fu
#define TIOCSPGRP 0x5410u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define FIONREAD 0x541bu
#define TIOCGSID 0x5429u

static void set_termios(struct tty *tty, const struct termios *wanted, bool flush)
{
    bool was_canonical = has(tty, ICANON);
    tty->termios = *wanted;
    if (flush) {
        tty->read = tty->ready = tty->written;
    } else if (was_canonical && !has(tty, ICANON)) {
        finish_line(tty); // what was typed can be read now
    }
}

static int give(uint64_t to, const void *from, size_t size)
{
    return copy_to_user(uaddr(to), from, size);
}

static int64_t control(struct tty *tty, unsigned request, uint64_t argument, const void *taken)
{
    uint32_t count = tty->ready - tty->read;
    switch (request) {
    case TCGETS:
        return give(argument, &tty->termios, sizeof(tty->termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        set_termios(tty, taken, request == TCSETSF);
        return 0;
    case TCFLSH:
        tty->read = tty->ready = tty->written;
        return 0;
    case TIOCSCTTY:
        tty->session = process_current()->session;
        return 0;
    case TIOCGPGRP:
        return give(argument, &tty->foreground, sizeof(tty->foreground));
    case TIOCSPGRP:
        tty->foreground = *(const int32_t *)taken;
        return 0;
    case TIOCGWINSZ:
        return give(argument, &tty->window, sizeof(tty->window));
    case TIOCSWINSZ:
        tty->window = *(const struct window_size *)taken;
        return 0;
    case FIONREAD:
        return give(argument, &count, sizeof(count));
    case TIOCGSID:
        return give(argument, &tty->session, sizeof(tty->session));
    default:
        return -ENOTTY;
    }
}

static size_t taken_by(unsigned request)
{
    switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return sizeof(struct termios);
    case TIOCSPGRP:
        return sizeof(int32_t);
    case TIOCSWINSZ:
        return sizeof(struct window_size);
    default:
        return 0;
    }
}

int64_t tty_ioctl(struct tty *tty, unsigned request, uint64_t argument)
{
    struct termios taken; // the largest of them
    size_t size = taken_by(request);
    int error = size > 0 ? copy_from_user(&taken, uaddr(argument), size) : 0;
    if (error != 0) {
        return error;
    }
    mutex_lock(&tty->lock);
    int64_t result = control(tty, request, argument, &taken);
    mutex_unlock(&tty->lock);
    return result;
}
