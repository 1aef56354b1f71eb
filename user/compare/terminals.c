// Pseudo-terminals: both sides, the line discipline between them, sessions, jobs, hang-ups.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>

#include "facts.h"

static char text[8192], slave_name[64];

static int open_pair(int *slave)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    grantpt(master);
    unlockpt(master);
    ptsname_r(master, slave_name, sizeof(slave_name));
    *slave = open(slave_name, O_RDWR | O_NOCTTY);
    return master;
}

static const char *shown(const char *bytes, long size)
{
    static char out[512];
    size_t at = 0;
    for (long i = 0; i < size && at < sizeof(out) - 8; i++) {
        unsigned char c = (unsigned char)bytes[i];
        at += (size_t)snprintf(out + at, sizeof(out) - at, c >= ' ' && c < 127 ? "%c" : "\\%o", c);
    }
    out[at] = 0;
    return out;
}

// What there is to read, at most for a moment.
static void reads(const char *what, int fd)
{
    struct pollfd polled = {fd, POLLIN, 0};
    long got = poll(&polled, 1, 300) > 0 ? read(fd, text, sizeof(text)) : -2;
    if (got == -2) {
        fact(what, "nothing");
    } else if (got < 0) {
        fact(what, "%s", strerrorname_np(errno));
    } else {
        fact(what, "%ld %s", got, shown(text, got));
    }
}

static void types(int master, const char *bytes)
{
    write(master, bytes, strlen(bytes));
}

static void pairs(void)
{
    int slave, number = -1, locked = -1;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    FACT_OK(master);
    FACT(ioctl(master, TIOCGPTN, &number));
    snprintf(slave_name, sizeof(slave_name), "/dev/pts/%d", number);
    FACT(open(slave_name, O_RDWR | O_NOCTTY));
    FACT(ioctl(master, TIOCGPTLCK, &locked));
    fact("locked", "%d", locked);
    FACT(unlockpt(master));
    slave = open(slave_name, O_RDWR | O_NOCTTY);
    FACT_OK(slave);
    FACT(isatty(slave));
    FACT(isatty(master));
    struct stat info;
    fstat(slave, &info);
    fact("slave", "%o %u %d", info.st_mode & S_IFMT, (unsigned)info.st_rdev >> 8, (int)(info.st_rdev & 0xff) == number);
    struct winsize window = {0};
    FACT(ioctl(slave, TIOCGWINSZ, &window));
    fact("window", "%d %d", window.ws_row, window.ws_col);
    window = (struct winsize){25, 90, 1, 2};
    FACT(ioctl(master, TIOCSWINSZ, &window));
    memset(&window, 0, sizeof(window));
    FACT(ioctl(slave, TIOCGWINSZ, &window));
    fact("window", "%d %d %d %d", window.ws_row, window.ws_col, window.ws_xpixel, window.ws_ypixel);
    struct termios mode;
    tcgetattr(slave, &mode);
    fact("modes", "%o %o %o", mode.c_iflag & ~(unsigned)IUTF8, mode.c_oflag, mode.c_lflag);
    fact("characters", "%d %d %d %d %d %d", mode.c_cc[VINTR], mode.c_cc[VERASE], mode.c_cc[VEOF], mode.c_cc[VMIN],
         mode.c_cc[VTIME], mode.c_cc[VSUSP]);
    int again = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    FACT_OK(again);
    close(again);
    FACT(lseek(slave, 0, SEEK_CUR));
    FACT(ioctl(slave, TIOCGPTN, &number));
    FACT(ioctl(slave, 0x1234, &number));
    close(slave);
    reads("left alone", master);
    struct pollfd polled = {master, POLLIN | POLLOUT, 0};
    poll(&polled, 1, 0);
    fact("polled", "%x", polled.revents);
    slave = open(slave_name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    FACT(read(slave, text, 1));
    FACT(read(master, text, 0));
    close(master);
    FACT(read(slave, text, 1));
    FACT(write(slave, "x", 1));
    polled = (struct pollfd){slave, POLLIN | POLLOUT, 0};
    poll(&polled, 1, 0);
    fact("polled", "%x", polled.revents);
    FACT(tcgetattr(slave, &mode));
    FACT(open(slave_name, O_RDWR | O_NOCTTY));
    close(slave);
}

static void lines(void)
{
    int slave, master = open_pair(&slave), waiting;
    struct termios mode;
    types(master, "hello\r");
    reads("echo", master);
    reads("line", slave);
    write(slave, "a\nb\tc", 5);
    reads("cooked", master);
    types(master, "abc\177\177x\n");
    reads("erased", master);
    reads("line", slave);
    types(master, "one two\027three\n");
    reads("a word", master);
    reads("line", slave);
    types(master, "gone\025kept\n");
    reads("killed", master);
    reads("line", slave);
    types(master, "half\004");
    reads("without an end", slave);
    types(master, "\004");
    reads("the end", slave);
    types(master, "\026\003\026\004lit\n");
    reads("literal", slave);
    types(master, "\001\033[A\n");
    reads("echo", master);
    types(master, "retype\022d\n");
    reads("echo", master);
    types(master, "one\ntwo\n");
    FACT(ioctl(slave, FIONREAD, &waiting));
    fact("FIONREAD", "%d", waiting);
    reads("a line", slave);
    reads("a line", slave);
    reads("a line", slave);
    FACT(read(slave, text, 2));
    reads("in pieces", slave);
    types(master, "flushed\n");
    FACT(tcflush(slave, TCIFLUSH));
    reads("flushed", slave);
    reads("echo", master);
    tcgetattr(slave, &mode);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    mode.c_cc[VEOL] = ';';
    mode.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(slave, TCSANOW, &mode);
    types(master, "one;two;\n");
    reads("an end of its own", slave);
    reads("an end of its own", slave);
    write(slave, "raw\n", 4);
    reads("not cooked", master);
    mode.c_lflag |= ECHONL;
    tcsetattr(slave, TCSADRAIN, &mode);
    types(master, "x\n");
    reads("only the newline", master);
    mode.c_iflag &= ~(tcflag_t)ICRNL;
    mode.c_iflag |= INLCR;
    tcsetattr(slave, TCSAFLUSH, &mode);
    types(master, "a\rb\nc;");
    reads("other ends", slave);
    close(slave);
    close(master);
}

static void flow(void)
{
    int slave, master = open_pair(&slave);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    types(master, "\023");
    FACT(write(slave, "stopped", 7));
    types(master, "\021");
    FACT(write(slave, "going", 5));
    reads("went", master);
    FACT(tcflow(slave, TCOOFF));
    FACT(write(slave, "x", 1));
    FACT(tcflow(slave, TCOON));
    long total = 0, put;
    memset(text, 'o', sizeof(text));
    while ((put = write(slave, text, 1000)) > 0 && total < 1000000) {
        total += put;
    }
    fact("full", "%d %s", total >= 1000, put < 0 ? strerrorname_np(errno) : "?");
    fcntl(master, F_SETFL, O_NONBLOCK);
    long got = 0;
    while ((put = read(master, text, sizeof(text))) > 0) {
        got += put;
    }
    fact("all came", "%d", got == total);
    close(slave);
    close(master);
}

static void raw(void)
{
    int slave, master = open_pair(&slave);
    struct termios mode;
    tcgetattr(slave, &mode);
    types(master, "half");
    cfmakeraw(&mode);
    tcsetattr(slave, TCSANOW, &mode);
    reads("typed before", slave);
    reads("echo", master);
    types(master, "\003\r\377\177");
    reads("bytes", slave);
    reads("no echo", master);
    mode.c_cc[VMIN] = 3;
    tcsetattr(slave, TCSANOW, &mode);
    types(master, "ab");
    reads("not enough", slave);
    types(master, "cd");
    reads("enough", slave);
    mode.c_cc[VTIME] = 1;
    tcsetattr(slave, TCSANOW, &mode);
    types(master, "xy");
    FACT(read(slave, text, 100)); // the time between two
    mode.c_cc[VMIN] = 0;
    tcsetattr(slave, TCSANOW, &mode);
    FACT(read(slave, text, 100));
    types(master, "z");
    FACT(read(slave, text, 100));
    mode.c_cc[VTIME] = 0;
    tcsetattr(slave, TCSANOW, &mode);
    FACT(read(slave, text, 100));
    fcntl(slave, F_SETFL, O_NONBLOCK);
    FACT(read(slave, text, 100));
    mode.c_cc[VMIN] = 1;
    tcsetattr(slave, TCSANOW, &mode);
    FACT(read(slave, text, 100));
    close(slave);
    close(master);
}

static volatile sig_atomic_t got_signal;

static void note(int signal)
{
    got_signal = signal;
}

// A session of its own with the slave as its terminal, whose facts come through the pipe.
static void session(const char *what, void (*body)(int slave, int out), const char *typed)
{
    int slave, master = open_pair(&slave), ends[2], status;
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        close(master);
        body(slave, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    char ready;
    while (read(ends[0], &ready, 1) == 1 && ready != '!') {
        fact(what, "said %c", ready);
    }
    if (typed != NULL) {
        types(master, typed);
    } else {
        close(slave);
        close(master);
    }
    long got = read(ends[0], text, 100);
    fact(what, "%s", shown(text, got > 0 ? got : 0));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    fact_status(what, status);
    if (typed != NULL) {
        close(slave);
        close(master);
    }
    close(ends[0]);
}

static void say(int out, const char *what)
{
    write(out, what, strlen(what));
}

static void wait_for_signal(int slave, int out)
{
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    say(out, tcgetpgrp(slave) == getpgrp() ? "f" : "b");
    say(out, tcgetsid(slave) == getpid() ? "s" : "-");
    int mine = open("/dev/tty", O_RDWR);
    say(out, mine >= 0 && isatty(mine) ? "t" : "-");
    say(out, "!");
    while (got_signal == 0) {
        usleep(10000);
    }
    say(out, got_signal == SIGINT ? "INT" : got_signal == SIGQUIT ? "QUIT" : got_signal == SIGHUP ? "HUP" : "?");
    for (;;) {
        pause();
    }
}

static void wait_for_window(int slave, int out)
{
    struct winsize window = {10, 20, 0, 0};
    struct sigaction action = {.sa_handler = note};
    sigaction(SIGWINCH, &action, NULL);
    ioctl(slave, TIOCSWINSZ, &window);
    say(out, got_signal == SIGWINCH ? "w" : "-");
    got_signal = 0;
    ioctl(slave, TIOCSWINSZ, &window); // no change
    say(out, got_signal == 0 ? "n" : "-");
    say(out, "!");
    say(out, "done");
    pause();
}

// A child in the background reads, then writes with TOSTOP; then is an orphan.
static void behind(int slave, int out)
{
    int status;
    struct termios mode;
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        read(slave, text, 1);
        _exit(1);
    }
    setpgid(child, child);
    waitpid(child, &status, WUNTRACED);
    say(out, WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN ? "i" : "-");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTIN, SIG_IGN);
        _exit(read(slave, text, 1) == -1 && errno == EIO ? 7 : 1);
    }
    waitpid(child, &status, 0);
    say(out, WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "e" : "-");
    tcgetattr(slave, &mode);
    mode.c_lflag |= TOSTOP;
    tcsetattr(slave, TCSANOW, &mode);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        write(slave, "x", 1);
        _exit(1);
    }
    waitpid(child, &status, WUNTRACED);
    say(out, WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? "o" : "-");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        tcsetattr(slave, TCSANOW, &mode);
        _exit(1);
    }
    waitpid(child, &status, WUNTRACED);
    say(out, WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? "c" : "-");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        _exit(tcsetpgrp(slave, getpgrp()) == 0 && tcgetpgrp(slave) == getpgrp() ? 7 : 1);
    }
    waitpid(child, &status, 0);
    say(out, WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "p" : "-");
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(slave, getpgrp());
    say(out, tcsetpgrp(slave, 999999) == -1 && errno == ESRCH ? "n" : "-");
    say(out, tcsetpgrp(slave, getppid()) == -1 && errno == EPERM ? "r" : "-");
    say(out, "!");
    say(out, ioctl(slave, TIOCNOTTY) == 0 ? "given up" : "no");
    say(out, open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? " none" : " some");
    pause();
}

int main(void)
{
    mkdir("/dev/pts", 0755);
    mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
    signal(SIGHUP, SIG_IGN);
    pairs();
    lines();
    flow();
    raw();
    signal(SIGHUP, SIG_DFL);
    session("interrupt", wait_for_signal, "abc\003");
    session("quit", wait_for_signal, "\034");
    session("hang-up", wait_for_signal, NULL);
    session("window", wait_for_window, "");
    session("background", behind, "");
    return 0;
}
