// Terminals: the line discipline between a device that sends bytes and programs that read lines. Source: termios(3),
// ioctl_tty(2); constants as asm-generic/termbits.h. Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"
#include "kernel/sync/condition.h"

#define TTY_LINE_MAX 4096u // as N_TTY_BUF_SIZE

struct termios {
    uint32_t input, output, control, local; // c_iflag, c_oflag, c_cflag, c_lflag
    uint8_t discipline, characters[19];
};

struct window_size {
    uint16_t rows, columns, x, y;
};

struct tty {
    struct mutex lock; // covers the rest
    struct condition changed;
    struct termios termios;
    struct window_size window;
    int32_t foreground, session;                 // process groups; 0: none
    void (*send)(const char *text, size_t size); // to the device; may be called with the lock held
    void (*signal)(struct tty *tty, int signal); // to the foreground group
    // A ring; what canonical mode may still edit lies between ready and written.
    char bytes[TTY_LINE_MAX];
    uint32_t read, ready, written;
    unsigned column; // of the cursor, for erasing tabs
    bool literal;    // the last character was VLNEXT
};

// The terminal of a session, as /proc tells it; number 0: it has none.
struct tty_place {
    uint64_t number; // major and minor, as DEVICE()
    int32_t foreground;
};
void tty_of_session(int32_t session, struct tty_place *out);

void tty_init(struct tty *tty, void (*send)(const char *text, size_t size),
              void (*signal)(struct tty *tty, int signal));
void tty_input(struct tty *tty, char byte); // from the device
int64_t tty_read(struct tty *tty, struct io *io, bool nonblock);
unsigned tty_poll(struct tty *tty, struct condition **changed);
int64_t tty_write(struct tty *tty, struct io *io);
int64_t tty_ioctl(struct tty *tty, unsigned request, uint64_t argument);
