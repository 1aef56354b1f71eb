// Between the files of this folder only.
#pragma once

#include "kernel/tty/tty.h"

// c_iflag
#define ISTRIP 0000040u
#define INLCR 0000100u
#define IGNCR 0000200u
#define ICRNL 0000400u
#define IXON 0002000u
#define IXANY 0004000u
#define IUTF8 0040000u
// c_oflag
#define OPOST 0000001u
#define ONLCR 0000004u
#define OCRNL 0000010u
#define ONOCR 0000020u
#define ONLRET 0000040u
#define XTABS 0014000u
// c_lflag
#define ISIG 0000001u
#define ICANON 0000002u
#define ECHO 0000010u
#define ECHOE 0000020u
#define ECHOK 0000040u
#define ECHONL 0000100u
#define NOFLSH 0000200u
#define TOSTOP 0000400u
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
#define VSTART 8
#define VSTOP 9
#define VSUSP 10
#define VEOL 11
#define VREPRINT 12
#define VWERASE 14
#define VLNEXT 15
#define VEOL2 16
#define DISABLED 0

static inline bool tty_has(const struct tty *tty, uint32_t flag)
{
    return (tty->termios.local & flag) != 0;
}

static inline bool tty_ends_line(const struct tty *tty, uint32_t at)
{
    at %= TTY_LINE_MAX;
    return (tty->ends[at / 8] >> at % 8 & 1) != 0;
}

extern const struct file_ops tty_mine_ops; // of /dev/tty
void tty_put(struct tty *tty, char c);     // output, cooked
void tty_forget_input(struct tty *tty);
void tty_take_line(struct tty *tty); // what was typed so far can be read
// What the terminal allows to those in front only: 0, -EIO, -ERESTART. Without the lock.
[[nodiscard]] int tty_check_background(struct tty *tty, int signal);
