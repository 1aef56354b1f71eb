// Calls that are asked for more than they could do in hours: whoever makes one can be killed, and signals are seen.
#include "facts.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <sys/uio.h>

#define PIECE (4ul << 20)
#define PIECES 4000ul // of one memory file, one behind the other
#define NOBODY 65534

static char *large;

static int memory_file(size_t size)
{
    int fd = memfd_create("x", 0);
    ftruncate(fd, size);
    return fd;
}

static void map_large(void)
{
    int fd = memory_file(PIECE);
    large = mmap(NULL, PIECE * PIECES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; i < PIECES; i++) {
        mmap(large + i * PIECE, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    }
}

static void for_ever(void (*body)(void))
{
    for (;;) { // a call that ends early is no better than one that begins again
        body();
    }
}

static void punch(void)
{
    fallocate(memory_file(1l << 60), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 1l << 60);
}

static void punch_around(void)
{
    int fd = memory_file(1l << 60);
    for (unsigned shift = 13; shift < 60; shift++) { // a page here and there
        pwrite(fd, "x", 1, 1l << shift);
    }
    fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 1, (1l << 60) - 2);
    close(fd);
}

static void random_bytes(void)
{
    getrandom(large, PIECE * PIECES, 0);
}

static void read_from(const char *name)
{
    int fd = open(name, O_RDONLY);
    struct iovec parts[64];
    for (size_t i = 0; i < 64; i++) {
        parts[i] = (struct iovec){large + i * PIECE * 60, PIECE * 60};
    }
    readv(fd, parts, 64);
    close(fd);
}

static void read_zero(void)
{
    read_from("/dev/zero");
}

static void read_full(void)
{
    read_from("/dev/full");
}

static void read_random(void)
{
    read_from("/dev/urandom");
}

static void copy_hole(void)
{
    int from = memory_file(1l << 60), to = open("/dev/null", O_WRONLY);
    sendfile(to, from, NULL, 1l << 60);
    close(from);
    close(to);
}

static void populate(void)
{
    madvise(large, PIECE * PIECES, 23); // MADV_POPULATE_WRITE
    madvise(large, PIECE * PIECES, MADV_DONTNEED);
}

static void attempt(const char *what, void (*body)(void))
{
    int status, got = 0;
    pid_t pid = fork();
    if (pid == 0) {
        setresgid(NOBODY, NOBODY, NOBODY);
        setresuid(NOBODY, NOBODY, NOBODY);
        for_ever(body);
    }
    usleep(100000);
    kill(pid, SIGKILL);
    for (int i = 0; i < 10 && got == 0; i++) {
        usleep(100000);
        got = waitpid(pid, &status, WNOHANG);
    }
    fact(what, got != 0 ? "dies of SIGKILL" : "lives on");
}

static void on_alarm(int signal)
{
}

// What is done by then is what the call gives.
static void with_alarm(const char *what, long (*body)(void))
{
    struct itimerval once = {{0, 0}, {0, 100000}};
    setitimer(ITIMER_REAL, &once, NULL);
    errno = 0;
    long done = body();
    fact(what, "%s", done < 0 ? strerrorname_np(errno) : done == 0 ? "nothing" : done >= 0x7ffff000l ? "all" : "some");
}

static long some_random(void)
{
    return getrandom(large, PIECE * PIECES, 0);
}

static long some_of_file(const char *name)
{
    int fd = open(name, O_RDONLY);
    long done = read(fd, large, PIECE * 500);
    close(fd);
    return done;
}

static long some_urandom(void)
{
    return some_of_file("/dev/urandom");
}

static long a_few(void) // no signal could come in between
{
    raise(SIGALRM);
    return getrandom(large, 256, 0);
}

int main(void)
{
    map_large();
    attempt("a hole of 2^60 bytes", punch);
    attempt("holes in a sparse file", punch_around);
    attempt("randomness", random_bytes);
    attempt("/dev/zero", read_zero);
    attempt("/dev/full", read_full);
    attempt("/dev/urandom", read_random);
    attempt("a hole, sent", copy_hole);
    attempt("populate", populate);
    signal(SIGALRM, on_alarm);
    with_alarm("getrandom with a signal", some_random);
    with_alarm("/dev/urandom with a signal", some_urandom);
    with_alarm("a few bytes", a_few);
    char text[8] = "";
    int fd = memory_file(1l << 56);
    pwrite(fd, "abcdefg", 7, (1l << 55) - 3);
    FACT(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 1, (1l << 55) - 2));
    pread(fd, text, 7, (1l << 55) - 3);
    fact("around the end of a hole", "%d%d%s", text[0], text[1], text + 2);
    return 0;
}
