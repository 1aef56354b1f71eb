// Pipes: order, sizes, ends, blocking and not.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "facts.h"

static char big[1 << 17];

static void basics(void)
{
    int ends[2];
    char text[16] = {0};
    FACT(pipe2(ends, 1));
    FACT(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    FACT(fcntl(ends[0], F_GETFD));
    FACT(fcntl(ends[0], F_GETFL));
    FACT(fcntl(ends[1], F_GETFL));
    FACT(read(ends[0], text, 4));
    FACT(write(ends[1], "abcdef", 6));
    FACT(read(ends[0], text, 4));
    FACT(read(ends[0], text, 10));
    FACT(write(ends[0], "x", 1));
    FACT(read(ends[1], text, 1));
    FACT(lseek(ends[0], 0, SEEK_SET));
    FACT(pread(ends[0], text, 1, 0));
    FACT(pwrite(ends[1], text, 1, 0));
    FACT(ftruncate(ends[1], 0));
    FACT(fsync(ends[1]));
    FACT(write(ends[1], text, 0));
    FACT(read(ends[0], text, 0));
    struct stat status;
    FACT(fstat(ends[0], &status));
    fact("its kind", "%o", status.st_mode);
    close(ends[1]);
    FACT(read(ends[0], text, 4));
    close(ends[0]);
}

static void full(void)
{
    int ends[2];
    FACT(pipe2(ends, O_NONBLOCK));
    FACT(write(ends[1], big, sizeof(big)));
    FACT(write(ends[1], big, 1));
    FACT(read(ends[0], big, 4096));
    FACT(write(ends[1], big, 4097)); // more than fits, and more than is written in one
    FACT(read(ends[0], big, sizeof(big)));
    FACT(write(ends[1], big, 65536 - 100));
    FACT(write(ends[1], big, 4096)); // all or nothing
    int waiting = -1;
    FACT(ioctl(ends[0], FIONREAD, &waiting));
    fact("FIONREAD", "%d", waiting);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    FACT(write(ends[1], big, 1));
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
}

static void broken(void)
{
    int ends[2], status;
    pipe(ends);
    close(ends[0]);
    if (fork() == 0) {
        write(ends[1], "x", 1);
        _exit(1);
    }
    wait(&status);
    fact_status("a writer whose reader is gone", status);
    close(ends[1]);
}

static void polled(void)
{
    int ends[2];
    pipe(ends);
    struct pollfd both[3] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 7}};
    FACT(poll(both, 3, 0));
    fact("empty", "%x %x %x", both[0].revents, both[1].revents, both[2].revents);
    write(ends[1], "x", 1);
    FACT(poll(both, 2, 0));
    fact("one byte", "%x %x", both[0].revents, both[1].revents);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], big, 4096) > 0) {
    }
    FACT(poll(both, 2, 0));
    fact("full", "%x %x", both[0].revents, both[1].revents);
    close(ends[1]);
    FACT(poll(both, 2, 0));
    fact("no writer", "%x %x", both[0].revents, both[1].revents);
    close(ends[0]);
    pipe(ends);
    close(ends[0]);
    struct pollfd writer = {ends[1], POLLOUT, 0};
    FACT(poll(&writer, 1, -1));
    fact("no reader", "%x", writer.revents);
    close(ends[1]);
    struct pollfd wrong = {77, POLLIN, 0};
    FACT(poll(&wrong, 1, -1));
    fact("no descriptor", "%x", wrong.revents);
    FACT(poll(NULL, 0, 1));
}

static void through_a_child(void)
{
    int ends[2], status;
    long total = 0, sum = 0, got;
    pipe(ends);
    if (fork() == 0) {
        close(ends[0]);
        for (int i = 0; i < 300000; i += 1000) {
            unsigned char part[1000];
            memset(part, i / 1000, sizeof(part));
            write(ends[1], part, sizeof(part));
        }
        _exit(5);
    }
    close(ends[1]);
    while ((got = read(ends[0], big, 777)) > 0) {
        for (long i = 0; i < got; i++) {
            sum = (sum * 31 + (unsigned char)big[i]) % 1000003;
        }
        total += got;
    }
    wait(&status);
    fact("through a pipe", "%ld bytes, sum %ld", total, sum);
    fact_status("its writer", status);
    close(ends[0]);
}

int main(void)
{
    basics();
    full();
    broken();
    polled();
    through_a_child();
    return 0;
}
