// Whatever a thread waits for, the end of its process ends the wait, and so does an execve(2) or exit_group(2) of
// another thread.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>

#include "facts.h"

static const char *const names[] = {"vfork",
                                    "clone(CLONE_VFORK)",
                                    "pause",
                                    "nanosleep",
                                    "sleep by the time of day",
                                    "sleep on processor time",
                                    "futex",
                                    "a pi futex",
                                    "read a pipe",
                                    "write a pipe",
                                    "open a fifo",
                                    "poll",
                                    "epoll",
                                    "wait4",
                                    "waitid",
                                    "sigwait",
                                    "sigsuspend",
                                    "flock",
                                    "a lock of fcntl",
                                    "eventfd",
                                    "timerfd"};
#define KINDS (sizeof(names) / sizeof(*names))

static int word, pi_word;
static char fifo[] = "/tmp/ends-fifo", locked[] = "/tmp/ends-lock";

static int hold(void *unused)
{
    for (;;) {
        pause();
    }
    return 0;
}

static void *waits(void *argument)
{
    static char stack[65536] __attribute__((aligned(16))), bytes[1 << 20];
    long kind = (long)argument;
    int ends[2], fd;
    uint64_t count = 0;
    sigset_t set;
    struct timespec far = {1000, 0};
    struct flock lock = {.l_type = F_WRLCK};
    struct epoll_event event;
    pipe(ends);
    sigfillset(&set);
    switch (kind) {
    case 0:
        if (vfork() == 0) {
            hold(NULL);
        }
        break;
    case 1:
        clone(hold, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        break;
    case 3:
        nanosleep(&far, NULL);
        break;
    case 4:
        far.tv_sec += time(NULL);
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &far, NULL);
        break;
    case 5:
        clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &far, NULL);
        break;
    case 6:
        syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
        break;
    case 7:
        syscall(SYS_futex, &pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
        break;
    case 8:
        read(ends[0], bytes, 1);
        break;
    case 9:
        write(ends[1], bytes, sizeof(bytes));
        break;
    case 10:
        open(fifo, O_RDONLY);
        break;
    case 11:
        poll(NULL, 0, -1);
        break;
    case 12:
        epoll_wait(epoll_create1(0), &event, 1, -1);
        break;
    case 13:
    case 14:
        if (fork() == 0) {
            hold(NULL);
        }
        kind == 13 ? (void)waitpid(-1, NULL, 0) : (void)waitid(P_ALL, 0, NULL, WEXITED);
        break;
    case 15:
        syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8);
        break;
    case 16:
        sigsuspend(&set);
        break;
    case 17:
        flock(open(locked, O_RDWR), LOCK_EX);
        break;
    case 18:
        fcntl(open(locked, O_RDWR), F_SETLKW, &lock);
        break;
    case 19:
        read(eventfd(0, 0), &count, sizeof(count));
        break;
    case 20:
        fd = timerfd_create(CLOCK_MONOTONIC, 0);
        read(fd, &count, sizeof(count));
        break;
    default:
        pause();
    }
    return NULL;
}

// how 0: another thread runs a program, 1: ends all, 2: is killed.
static int ends_after(long kind, int how)
{
    int status, ready[2];
    char byte;
    pipe(ready);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        setpgid(0, 0);
        pi_word = (int)syscall(SYS_gettid);
        pthread_create(&thread, NULL, waits, (void *)kind);
        usleep(20000);
        if (how == 0) {
            execl("/proc/self/exe", "ends", "again", NULL);
        }
        if (how == 2) {
            write(ready[1], "x", 1);
            pause();
        }
        syscall(SYS_exit_group, 9);
    }
    if (how == 2) {
        read(ready[0], &byte, 1);
        kill(child, SIGKILL);
    }
    for (int i = 0; i < 200; i++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            kill(-child, SIGKILL); // its children
            close(ready[0]), close(ready[1]);
            return status;
        }
        usleep(5000);
    }
    kill(-child, SIGKILL);
    waitpid(child, &status, 0);
    close(ready[0]), close(ready[1]);
    return 0x7f00; // it hung
}

int main(int count, char **arguments)
{
    static const char *const hows[] = {"an exec elsewhere", "exit_group", "a kill"};
    char what[100];
    struct flock lock = {.l_type = F_WRLCK};
    if (count > 1) {
        _exit(9);
    }
    mkfifo(fifo, 0600);
    int fd = open(locked, O_RDWR | O_CREAT, 0600), other = open(locked, O_RDWR);
    flock(fd, LOCK_EX);
    fcntl(other, F_SETLK, &lock);
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (int how = 0; how < 3; how++) {
            snprintf(what, sizeof(what), "%s, ended by %s", names[kind], hows[how]);
            fact_status(what, ends_after((long)kind, how));
        }
    }
    unlink(fifo), unlink(locked);
    return 0;
}
