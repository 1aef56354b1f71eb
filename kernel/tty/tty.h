// Terminals: the line discipline between a device that sends bytes and programs that read lines. Source: termios(3),
// ioctl_tty(2); constants as asm-generic/termbits.h. Task context; may sleep.
#pragma once

#include "kernel/base/list.h"
#include "kernel/fs/file.h"
#include "kernel/sync/condition.h"

#define TTY_LINE_MAX 4096u // as N_TTY_BUF_SIZE
#define TTY_PUT_MAX 8u     // bytes that one character of output may become

struct termios {
    uint32_t input, output, control, local; // c_iflag, c_oflag, c_cflag, c_lflag
    uint8_t discipline, characters[19];
};

struct window_size {
    uint16_t rows, columns, x, y;
};

struct tty;
struct tty_ops {
    void (*send)(struct tty *tty, const char *text, size_t size); // to the device; with the lock held
    void (*signal)(struct tty *tty, int signal);                  // to the foreground group; likewise
    // How many bytes send() would not lose, with the lock held; whoever makes room signals tty->changed. NULL: any.
    size_t (*room)(struct tty *tty);
    void (*tell)(struct tty *tty); // somebody has read: there may be room for input. NULL: nobody waits for that
    int (*open)(struct tty *tty,
                struct file *file); // as file_ops.opened, for /dev/tty; the list of terminals is locked
};

struct tty {
    struct mutex lock; // covers the rest
    struct condition changed;
    const struct tty_ops *ops; // constant
    uint64_t number;           // of its device; constant
    struct list link;          // of all terminals that may be somebody's; lock of the list
    struct termios termios;
    struct window_size window;
    int32_t foreground, session; // process groups; 0: none
    bool stopped;                // output waits for ^Q
    bool hung_up;                // the device is gone
    // A ring; what canonical mode may still edit lies between ready and written.
    char bytes[TTY_LINE_MAX];
    uint8_t ends[TTY_LINE_MAX / 8]; // a bit for each byte that ends a line; 0 then stands for the end of the file
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

void tty_init(struct tty *tty, const struct tty_ops *ops, uint64_t number);
// From the device. False: it is full of bytes that nobody has read, and this one is not taken.
bool tty_input(struct tty *tty, char byte);
int64_t tty_read(struct tty *tty, struct io *io, bool nonblock);
unsigned tty_poll(struct tty *tty, struct condition **changed);
int64_t tty_write(struct tty *tty, struct io *io, bool nonblock);
int64_t tty_ioctl(struct tty *tty, unsigned request, uint64_t argument);
[[nodiscard]] const char *tty_check(struct tty *tty);

// Terminals that may be somebody's controlling terminal.
void tty_enlist(struct tty *tty);
void tty_delist(struct tty *tty);
void tty_opened(struct tty *tty, uint32_t flags); // becomes the opener's, if it leads a session that has none
void tty_hang_up(struct tty *tty);                // the device is gone: its session is told, and nobody reads or writes
void tty_set_window(struct tty *tty, const struct window_size *size); // with the lock; tells the foreground group

// Whether a request is for the line discipline, and what it says: for the other side of a pair.
size_t tty_request_size(unsigned request);
int64_t tty_control(struct tty *tty, unsigned request, uint64_t argument, const void *taken); // with the lock
