// What a user may have of pipes, watches and open files; and whose a pipe is.
#include <fcntl.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "facts.h"

static void set(const char *name, const char *value)
{
    char path[80];
    snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
    int fd = open(path, O_WRONLY);
    long result = write(fd, value, strlen(value));
    snprintf(path, sizeof(path), "%s is set to %s", name, value);
    fact_success(path, result);
    close(fd);
}

static void get(const char *name)
{
    char path[80], value[40] = "";
    snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
    int fd = open(path, O_RDONLY);
    long got = read(fd, value, sizeof(value) - 1);
    close(fd);
    value[got > 0 ? got - 1 : 0] = 0;
    fact(name, "%s", value);
}

static void apart(void (*body)(void), unsigned user)
{
    fflush(stdout);
    if (fork() == 0) {
        setgroups(0, NULL);
        setresgid(user, user, user);
        setresuid(user, user, user);
        body();
        _exit(0);
    }
    wait(NULL);
}

// --- pipes ---------------------------------------------------------------------------------------------------------

static int given[2], ends[2];

static void opens(const char *what, int fd, int flags)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    errno = 0;
    int other = open(path, flags | O_NONBLOCK);
    fact_success(what, other < 0 ? -1 : 0);
    close(other);
}

static void of_another(void)
{
    struct stat stat;
    opens("the reading end to write", given[0], O_WRONLY);
    opens("the writing end to read", given[1], O_RDONLY);
    opens("the reading end to read", given[0], O_RDONLY);
    opens("an event", ends[0], O_RDWR);
    fstat(given[0], &stat);
    fact("whose it is", "%u:%u %o", stat.st_uid, stat.st_gid, stat.st_mode);
    int own[2];
    pipe(own);
    fstat(own[0], &stat);
    fact("whose his own is", "%u:%u %o", stat.st_uid, stat.st_gid, stat.st_mode);
    opens("his own the other way", own[0], O_WRONLY);
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", own[0]);
    fact("and by its link", "%d",
         lstat(path, &stat) == 0 && syscall(SYS_newfstatat, AT_FDCWD, path, &stat, 0) == 0 && stat.st_uid == getuid());
}

static void reopened(void)
{
    char path[40], c;
    int p[2];
    pipe(p);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    close(p[0]);
    FACT(read(reader, &c, 1));
    FACT(write(p[1], "x", 1));
    close(p[1]);
    FACT(read(reader, &c, 1));
    FACT(read(reader, &c, 1));
    close(reader);
    pipe2(p, O_NONBLOCK);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
    int place = open(path, O_PATH);
    close(p[1]);
    FACT(read(p[0], &c, 1));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    int again = open(path, O_WRONLY);
    FACT(read(p[0], &c, 1));
    FACT(write(again, "y", 1));
    close(p[0]);
    close(again);
    again = open(path, O_RDWR | O_NONBLOCK);
    FACT(read(again, &c, 1));
    FACT(write(again, "z", 1));
    FACT(read(again, &c, 1));
}

static void many_pipes(void)
{
    int p[2], large = 0, small = 0, other = 0;
    errno = 0;
    while (large + small + other < 600 && pipe(p) == 0) {
        int size = fcntl(p[0], F_GETPIPE_SZ);
        large += size == 65536;
        small += size == 8192;
        other += size != 65536 && size != 8192;
    }
    fact("pipes", "%d large, %d small, %d other, then %s", large, small, other, strerrorname_np(errno));
    FACT(fcntl(3, F_SETPIPE_SZ, 4096));
    FACT(fcntl(3, F_SETPIPE_SZ, 65536));
    FACT(fcntl(3, F_SETPIPE_SZ, 1 << 20));
    FACT(fcntl(3, F_SETPIPE_SZ, 1 << 21));
}

static void one_pipe(void)
{
    int p[2];
    pipe(p);
    FACT(fcntl(p[0], F_GETPIPE_SZ));
    FACT(fcntl(p[0], F_SETPIPE_SZ, 0));
    FACT(fcntl(p[0], F_SETPIPE_SZ, 4097));
    FACT(fcntl(p[0], F_SETPIPE_SZ, 1 << 17));
    FACT(fcntl(p[0], F_SETPIPE_SZ, 1 << 18));
    FACT(fcntl(p[0], F_SETPIPE_SZ, 1 << 21));
    FACT(fcntl(p[0], F_SETPIPE_SZ, (1u << 31) + 1));
}

static void pipes(void)
{
    pipe(given);
    ends[0] = eventfd(0, 0);
    apart(of_another, 1000);
    apart(reopened, 1000);
    get("pipe-max-size");
    get("pipe-user-pages-soft");
    get("pipe-user-pages-hard");
    apart(one_pipe, 1000);
    apart(one_pipe, 0);
    set("pipe-user-pages-soft", "160");
    apart(many_pipes, 1000);
    set("pipe-user-pages-hard", "200");
    apart(many_pipes, 1000);
    apart(many_pipes, 1001);
    apart(many_pipes, 0);
    set("pipe-max-size", "100000");
    get("pipe-max-size");
    apart(one_pipe, 1000);
    apart(one_pipe, 0);
    set("pipe-max-size", "8192");
    apart(one_pipe, 1000);
    set("pipe-max-size", "0");
    set("pipe-max-size", "1048576");
    set("pipe-user-pages-soft", "16384");
    set("pipe-user-pages-hard", "0");
}

// --- watches -------------------------------------------------------------------------------------------------------

static void watches(void)
{
    struct epoll_event in = {.events = EPOLLIN};
    int one = epoll_create1(0), two = epoll_create1(0), count = 0;
    errno = 0;
    while (count < 100 && epoll_ctl(count % 2 ? one : two, EPOLL_CTL_ADD, eventfd(0, 0), &in) == 0) {
        count++;
    }
    fact("watches", "%d, then %s", count, strerrorname_np(errno));
    close(one);
    FACT(epoll_ctl(two, EPOLL_CTL_ADD, eventfd(0, 0), &in));
}

static void files(void)
{
    int count = 0;
    errno = 0;
    while (count < 900 && dup(open("/", O_RDONLY)) >= 0) {
        count++;
    }
    fact("too many files", "%d, %s", count < 900, strerrorname_np(errno));
    FACT(close(2));
    FACT_OK(pipe2(given, 0));
}

int main(void)
{
    struct rlimit limit = {4096, 4096};
    setrlimit(RLIMIT_NOFILE, &limit);
    pipes();
    set("epoll/max_user_watches", "50");
    apart(watches, 1000);
    apart(watches, 0);
    set("file-max", "500");
    apart(files, 1000);
    set("file-max", "100000");
    return 0;
}
