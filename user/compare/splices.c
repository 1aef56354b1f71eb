// Nothing is taken from a pipe that has not arrived: splice, tee and vmsplice that stop on their way.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "facts.h"

static char text[200000] __attribute__((aligned(4096)));
static int in[2], out[2];

static void nothing(int signal)
{
}

static void soon(void)
{
    struct itimerval timer = {{0, 0}, {0, 100000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void fresh(const char *what)
{
    static int made;
    if (made++ != 0) {
        close(in[0]), close(in[1]), close(out[0]), close(out[1]);
    }
    pipe(in);
    pipe(out);
    write(in[1], what, strlen(what));
    errno = 0;
}

static void left(int fd)
{
    char got[64] = "";
    fcntl(fd, F_SETFL, O_NONBLOCK);
    long size = read(fd, got, sizeof(got) - 1);
    fact("left", "%s", size > 0 ? got : size == 0 ? "the end" : strerrorname_np(errno));
}

static void fill(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, text, 4096) > 0) {
    }
    while (write(fd, text, 1) > 0) {
    }
    fcntl(fd, F_SETFL, 0);
}

// Which devices take part.
static void devices(void)
{
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/kmsg"};
    char what[60], text[16];
    int ends[2], counter = eventfd(0, EFD_NONBLOCK);
    off_t at = 0;
    pipe2(ends, O_NONBLOCK);
    for (unsigned i = 0; i < 5; i++) {
        int fd = open(names[i], O_RDWR | O_NONBLOCK), file = open("/eight", O_CREAT | O_RDWR, 0600);
        pwrite(file, "12345678", 8, 0);
        write(ends[1], "12345678", 8);
        snprintf(what, sizeof(what), "splice to %s", names[i]);
        fact_result(what, (errno = 0, splice(ends[0], NULL, fd, NULL, 8, 0)));
        snprintf(what, sizeof(what), "sendfile to %s", names[i]);
        fact_result(what, (errno = 0, at = 0, sendfile(fd, file, &at, 8)));
        read(ends[0], text, sizeof(text));
        if (i != 4) {
            snprintf(what, sizeof(what), "splice from %s", names[i]);
            fact_success(what, (errno = 0, splice(fd, NULL, ends[1], NULL, 8, 0)));
            read(ends[0], text, sizeof(text));
        }
        close(fd);
        close(file);
    }
    write(ends[1], "12345678", 8);
    FACT(splice(ends[0], NULL, counter, NULL, 8, 0));
}

int main(void)
{
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    memset(text, 'x', sizeof(text));

    fresh("precious");
    fill(out[1]);
    soon();
    FACT(splice(in[0], NULL, out[1], NULL, 8, 0));
    left(in[0]);
    fresh("precious");
    fill(out[1]);
    FACT(splice(in[0], NULL, out[1], NULL, 8, SPLICE_F_NONBLOCK));
    fcntl(out[1], F_SETFL, O_NONBLOCK);
    FACT(splice(in[0], NULL, out[1], NULL, 8, 0));
    left(in[0]);
    fresh("precious");
    close(out[0]);
    FACT(splice(in[0], NULL, out[1], NULL, 8, 0));
    left(in[0]);
    fresh("precious");
    int event = eventfd(0, EFD_NONBLOCK);
    FACT(splice(in[0], NULL, event, NULL, 4, 0));
    left(in[0]);

    fresh("precious");
    int file = open("/limited", O_CREAT | O_RDWR, 0600);
    struct rlimit limit = {3, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    FACT(splice(in[0], NULL, file, NULL, 8, 0));
    FACT(splice(in[0], NULL, file, NULL, 8, 0));
    left(in[0]);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    int reader = open("/limited", O_RDONLY);
    fresh("");
    fill(out[1]);
    soon();
    FACT(splice(reader, NULL, out[1], NULL, 3, 0));
    FACT(lseek(reader, 0, SEEK_CUR));
    FACT(read(out[0], text, 4096));
    FACT(splice(reader, NULL, out[1], NULL, 3, 0));
    FACT(lseek(reader, 0, SEEK_CUR));

    fresh("precious");
    FACT(tee(in[0], out[1], 8, 0));
    left(in[0]);
    left(out[0]);
    fresh("precious");
    FACT(read(in[0], (void *)1, 8));
    left(in[0]);

    fresh("");
    struct iovec much = {text, 128 << 10};
    soon();
    FACT(vmsplice(out[1], &much, 1, 0));
    FACT(vmsplice(out[1], &much, 1, SPLICE_F_NONBLOCK));
    soon();
    FACT(vmsplice(out[1], &much, 1, 0));
    FACT(read(out[0], text, 8192));
    soon();
    FACT(vmsplice(out[1], &much, 1, 0));
    close(out[0]);
    FACT(vmsplice(out[1], &much, 1, 0));
    devices();
    return 0;
}
