// Sets of files and what feeds them: epoll, eventfd, timerfd, signalfd, select, poll.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#include "facts.h"

static struct epoll_event events[64];

// What one wait gives, in order of their data.
static void waits(const char *what, int set, int max, int timeout)
{
    char said[256] = "";
    int count = epoll_wait(set, events, max, timeout);
    for (int wanted = 0; wanted < 100; wanted++) {
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == (uint64_t)wanted) {
                snprintf(said + strlen(said), sizeof(said) - strlen(said), " %d:%x", wanted, events[i].events);
            }
        }
    }
    fact(what, "%d%s", count, said);
}

static int control(int set, int op, int fd, uint32_t wanted, uint64_t data)
{
    return epoll_ctl(set, op, fd, &(struct epoll_event){.events = wanted, .data.u64 = data});
}

static void counters(void)
{
    uint64_t value = 7;
    int fd = eventfd(3, EFD_NONBLOCK);
    FACT(read(fd, &value, 8));
    fact("value", "%lu", (unsigned long)value);
    FACT(read(fd, &value, 8));
    FACT(read(fd, &value, 7));
    value = UINT64_MAX;
    FACT(write(fd, &value, 8));
    value = UINT64_MAX - 1;
    FACT(write(fd, &value, 8));
    struct pollfd polled = {fd, POLLIN | POLLOUT, 0};
    FACT(poll(&polled, 1, 0));
    fact("full", "%x", polled.revents);
    value = 1;
    FACT(write(fd, &value, 8));
    FACT(write(fd, &value, 4));
    FACT(lseek(fd, 0, SEEK_CUR));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_CLOEXEC);
    FACT(read(fd, &value, 8));
    fact("one at a time", "%lu", (unsigned long)value);
    FACT(read(fd, &value, 8));
    FACT(fcntl(fd, F_GETFD));
    close(fd);
    FACT(eventfd(0, 0x1000));
}

static void levels_and_edges(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC), ends[2];
    pipe2(ends, O_NONBLOCK);
    FACT(epoll_create1(1));
    FACT(control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
    FACT(control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1));
    FACT(control(set, EPOLL_CTL_MOD, ends[1], EPOLLIN, 1));
    FACT(control(set, EPOLL_CTL_DEL, ends[1], 0, 0));
    FACT(control(set, EPOLL_CTL_ADD, set, EPOLLIN, 1));
    FACT(control(set, EPOLL_CTL_ADD, 77, EPOLLIN, 1));
    FACT(control(set, 9, ends[0], EPOLLIN, 1));
    FACT(control(ends[0], EPOLL_CTL_ADD, ends[1], EPOLLIN, 1));
    int file = open("watched", O_CREAT | O_RDWR, 0600);
    FACT(control(set, EPOLL_CTL_ADD, file, EPOLLIN, 1));
    FACT(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], NULL));
    FACT(epoll_wait(set, events, 0, 0));
    FACT(epoll_wait(set, events, -1, 0));
    FACT(epoll_wait(file, events, 1, 0));
    FACT(epoll_wait(set, (void *)8, 1, 0));
    waits("nothing", set, 8, 0);
    write(ends[1], "abc", 3);
    FACT(epoll_wait(set, (void *)8, 1, 0));
    waits("a level", set, 8, 0);
    waits("stays", set, 8, -1);
    FACT(control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 2));
    waits("an edge", set, 8, 0);
    waits("passes", set, 8, 0);
    write(ends[1], "d", 1);
    waits("the next", set, 8, 0);
    waits("passes", set, 8, 0);
    FACT(control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 3));
    waits("once", set, 8, 0);
    write(ends[1], "e", 1);
    waits("no more", set, 8, 0);
    FACT(control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 4));
    waits("again", set, 8, 0);
    FACT(control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT, 5));
    waits("room", set, 8, 0);
    FACT(control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLRDHUP | EPOLLRDNORM, 6));
    close(ends[1]); // and its watch with it
    waits("hung up", set, 8, 0);
    FACT(control(set, EPOLL_CTL_DEL, ends[0], 0, 0));
    waits("empty", set, 8, 0);
    close(ends[0]);
    close(file);
    close(set);
}

static void sets_of_sets(void)
{
    int sets[8], event = eventfd(0, 0);
    uint64_t value = 1;
    for (int i = 0; i < 8; i++) {
        sets[i] = epoll_create1(0);
    }
    FACT(control(sets[0], EPOLL_CTL_ADD, event, EPOLLIN, 1));
    for (int i = 1; i < 8; i++) {
        fact("inside", "%d", control(sets[i], EPOLL_CTL_ADD, sets[i - 1], EPOLLIN, (uint64_t)i + 1));
    }
    FACT(control(sets[0], EPOLL_CTL_ADD, sets[3], EPOLLIN, 9));
    waits("quiet", sets[3], 8, 0);
    write(event, &value, 8);
    waits("the outermost", sets[4], 8, 0);
    waits("and the innermost", sets[0], 8, 0);
    struct pollfd polled = {sets[2], POLLIN, 0};
    FACT(poll(&polled, 1, 0));
    fact("polled", "%x", polled.revents);
    read(event, &value, 8);
    waits("quiet again", sets[4], 8, 0);
    FACT(poll(&polled, 1, 0));
    for (int i = 0; i < 8; i++) {
        close(sets[i]);
    }
    FACT(control(sets[0], EPOLL_CTL_ADD, event, EPOLLIN, 1));
    int set = epoll_create1(0), other = epoll_create1(0);
    FACT(control(set, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE, 1));
    FACT(control(other, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
    FACT(control(other, EPOLL_CTL_ADD, set, EPOLLIN | EPOLLEXCLUSIVE, 1));
    FACT(control(set, EPOLL_CTL_MOD, event, EPOLLIN, 1));
    write(event, &value, 8);
    waits("exclusive", set, 8, 0);
    close(set);
    close(other);
    close(event);
}

static void many(void)
{
    int set = epoll_create1(0), fds[40], seen[40] = {0}, all = 0;
    for (int i = 0; i < 40; i++) {
        fds[i] = eventfd(i % 2, 0);
        control(set, EPOLL_CTL_ADD, fds[i], EPOLLIN, (uint64_t)i);
    }
    FACT(epoll_wait(set, events, 64, 0));
    for (int round = 0; round < 5; round++) { // everybody's turn comes
        int count = epoll_wait(set, events, 4, 0);
        for (int i = 0; i < count; i++) {
            seen[events[i].data.u64]++;
        }
    }
    for (int i = 0; i < 40; i++) {
        all += seen[i] == i % 2;
        close(fds[i]);
    }
    fact("turns", "%d", all);
    FACT(epoll_wait(set, events, 64, 0));
    close(set);
}

static void *later(void *argument)
{
    uint64_t value = 1;
    usleep(20000);
    write(*(int *)argument, &value, 8);
    return NULL;
}

static void woken(void)
{
    int event = eventfd(0, 0), inner = epoll_create1(0), outer = epoll_create1(0);
    pthread_t thread;
    control(inner, EPOLL_CTL_ADD, event, EPOLLIN, 1);
    control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 2);
    pthread_create(&thread, NULL, later, &event);
    waits("woken through two sets", outer, 8, 5000);
    pthread_join(thread, NULL);
    uint64_t value;
    read(event, &value, 8);
    waits("a time-out", outer, 8, 10);
    struct timespec little = {0, 10000000};
    FACT(syscall(441, outer, events, 8, &little, NULL, 0));
    little.tv_nsec = -1;
    FACT(syscall(441, outer, events, 8, &little, NULL, 0));
    FACT(syscall(22, outer, events, 8, 0, &little, 4));
    close(event);
    close(inner);
    close(outer);
}

static void timers(void)
{
    uint64_t count = 0;
    struct itimerspec setting = {{0, 0}, {0, 20000000}}, old;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    FACT(timerfd_create(99, 0));
    FACT(timerfd_create(CLOCK_MONOTONIC, 1));
    FACT(read(fd, &count, 8));
    FACT(timerfd_settime(fd, 0, &setting, &old));
    fact("was", "%ld %ld", (long)old.it_value.tv_sec, old.it_value.tv_nsec);
    FACT(timerfd_gettime(fd, &old));
    fact("is", "%d", old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 20000000);
    FACT(read(fd, &count, 7));
    struct pollfd polled = {fd, POLLIN, 0};
    FACT(poll(&polled, 1, 5000));
    FACT(read(fd, &count, 8));
    fact("once", "%lu", (unsigned long)count);
    FACT(read(fd, &count, 8));
    FACT(timerfd_gettime(fd, &old));
    fact("over", "%ld %ld", (long)old.it_value.tv_sec, old.it_value.tv_nsec);
    setting = (struct itimerspec){{0, 10000000}, {0, 1}};
    FACT(timerfd_settime(fd, 0, &setting, NULL));
    usleep(45000);
    FACT(read(fd, &count, 8));
    fact("several", "%d", count >= 4);
    setting.it_value.tv_nsec = 1000000000;
    FACT(timerfd_settime(fd, 0, &setting, NULL));
    setting = (struct itimerspec){{0, 0}, {1, 0}};
    FACT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL)); // long ago, or soon
    setting = (struct itimerspec){{0, 0}, {0, 0}};
    FACT(timerfd_settime(fd, 0, &setting, NULL));
    FACT(read(fd, &count, 8));
    FACT(timerfd_settime(fd, 4, &setting, NULL));
    FACT(timerfd_settime(0, 0, &setting, NULL));
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    setting = (struct itimerspec){{0, 0}, {now.tv_sec - 100, 0}};
    FACT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    FACT(read(fd, &count, 8));
    fact("in the past", "%lu", (unsigned long)count);
    close(fd);
}

static void signals(void)
{
    sigset_t set;
    struct signalfd_siginfo infos[4];
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK), watch = epoll_create1(0);
    FACT_OK(fd);
    FACT(read(fd, infos, sizeof(infos)));
    FACT(control(watch, EPOLL_CTL_ADD, fd, EPOLLIN, 1));
    waits("no signal", watch, 4, 0);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR2);
    waits("a signal", watch, 4, 0);
    FACT(read(fd, infos, 100));
    FACT(read(fd, infos, sizeof(infos)));
    fact("which", "%u %d %d %u", infos[0].ssi_signo, infos[0].ssi_code, infos[0].ssi_pid == (uint32_t)getpid(),
         infos[1].ssi_signo);
    waits("taken", watch, 4, 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(5);
    }
    waits("a child", watch, 4, 5000);
    FACT(read(fd, infos, sizeof(infos)));
    fact("which", "%u %d %d %d", infos[0].ssi_signo, infos[0].ssi_code, infos[0].ssi_pid == (uint32_t)child,
         infos[0].ssi_status);
    wait(NULL);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42});
    FACT(read(fd, infos, sizeof(infos)));
    fact("queued", "%d %d", infos[0].ssi_code, infos[0].ssi_int);
    sigdelset(&set, SIGUSR1);
    FACT(signalfd(fd, &set, 0) == fd);
    kill(getpid(), SIGUSR1);
    FACT(read(fd, infos, sizeof(infos)));
    FACT(signalfd(0, &set, 0));
    FACT(signalfd(-1, &set, 1));
    close(fd);
    close(watch);
}

static void selected(void)
{
    int ends[2];
    fd_set in, out, odd;
    pipe(ends);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&odd);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    FD_SET(ends[0], &odd);
    struct timeval zero = {0, 0};
    FACT(select(ends[1] + 1, &in, &out, &odd, &zero));
    fact("sets", "%d %d %d", FD_ISSET(ends[0], &in) != 0, FD_ISSET(ends[1], &out) != 0, FD_ISSET(ends[0], &odd) != 0);
    write(ends[1], "x", 1);
    FD_SET(ends[0], &in);
    FACT(select(ends[1] + 1, &in, NULL, NULL, NULL));
    fact("sets", "%d", FD_ISSET(ends[0], &in) != 0);
    FACT(select(-1, NULL, NULL, NULL, &zero));
    FACT(select(0, NULL, NULL, NULL, &zero));
    FD_ZERO(&in);
    FD_SET(60, &in);
    FACT(select(61, &in, NULL, NULL, &zero));
    struct timespec span = {0, 10000000};
    FACT(syscall(72, 0, NULL, NULL, NULL, &span, NULL));
    fact("left", "%ld %ld", (long)span.tv_sec, span.tv_nsec);
    FACT(select(5000, (void *)8, NULL, NULL, &zero));
    struct pollfd polled[4] = {
        {ends[0], POLLIN | POLLRDNORM, 0}, {ends[1], POLLOUT | POLLWRNORM, 0}, {90, POLLIN, 0}, {-5, POLLIN, 0}};
    FACT(poll(polled, 4, 0));
    fact("polled", "%x %x %x %x", polled[0].revents, polled[1].revents, polled[2].revents, polled[3].revents);
    close(ends[0]);
    FACT(poll(polled + 1, 1, 0));
    fact("polled", "%x", polled[1].revents);
    close(ends[1]);
}

// Descriptors that are places only, and none at all.
static void places(void)
{
    int place = open("/", O_PATH), file = open("watched", O_CREAT | O_RDWR, 0600), set = epoll_create1(0);
    uint64_t mask = 0;
    struct pollfd polled[3] = {{place, POLLIN, 0}, {file, POLLIN, 0}, {900, POLLIN, 0}};
    FACT(poll(polled, 3, 0));
    fact("each", "%x %x %x", polled[0].revents, polled[1].revents, polled[2].revents);
    fd_set in, out, except;
    FD_ZERO(&in);
    FD_SET(place, &in);
    out = except = in;
    FACT(select(place + 1, &in, &out, &except, &(struct timeval){0, 0}));
    fact("in which", "%d %d %d", FD_ISSET(place, &in), FD_ISSET(place, &out), FD_ISSET(place, &except));
    FACT(control(set, EPOLL_CTL_ADD, place, EPOLLIN, 1));
    FACT(control(place, EPOLL_CTL_ADD, file, EPOLLIN, 1));
    FACT(epoll_wait(place, events, 1, 0));
    FACT(fchmod(place, 0755));
    FACT(fchown(place, 0, 0));
    FACT(futimens(place, NULL));
    FACT(ftruncate(place, 0));
    FACT(lseek(place, 0, SEEK_SET));
    FACT(fcntl(place, F_SETFL, 0));
    FACT_OK(fcntl(place, F_GETFL));
    FACT(fcntl(place, 99));
    FACT(fcntl(place, F_GETPIPE_SZ));
    FACT_OK(dup2(place, 90));
    FACT(close(90));
    FACT(fchdir(place));
    FACT(fallocate(place, 0, 0, 1));
    FACT(posix_fadvise(place, 0, 0, 0));
    FACT(readahead(place, 0, 1));
    FACT(timerfd_gettime(place, &(struct itimerspec){}));
    FACT(signalfd(place, &(sigset_t){}, 0));
    FACT(vmsplice(place, &(struct iovec){&mask, 8}, 1, 0));
    const struct timespec now = {0, 0};
    FACT(syscall(SYS_ppoll, polled, 1, &now, NULL, -1L));
    FACT(syscall(SYS_ppoll, polled, 1, &now, &mask, -1L));
    FACT(syscall(SYS_ppoll, polled, (1L << 32) + 1, &now, NULL, 0L));
    FACT(syscall(SYS_epoll_pwait, set, events, 1, 0, NULL, -1L));
    close(set);
    close(file);
    close(place);
}

int main(void)
{
    counters();
    levels_and_edges();
    sets_of_sets();
    many();
    woken();
    timers();
    signals();
    selected();
    places();
    return 0;
}
