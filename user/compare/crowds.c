// Many of everything: processes in a group, children, threads that wait for the same, timers that a jump of the clock
// concerns, memory in pieces.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "facts.h"

#define CHILDREN 300
#define THREADS 300

static int word, event;
static volatile int woken;

static void nothing(int signal)
{
}

static void children(void)
{
    pid_t pids[CHILDREN];
    int status, right = 0;
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            pause();
            _exit(0);
        }
        setpgid(pids[i], pids[0]);
    }
    FACT_OK(getpriority(PRIO_PGRP, pids[0]));
    FACT_OK(setpriority(PRIO_PGRP, pids[0], 5));
    FACT_OK(setpriority(PRIO_USER, 0, 3));
    FACT_OK(kill(-pids[0], 0));
    FACT_OK(kill(-pids[0], SIGSTOP));
    for (int i = CHILDREN - 1; i >= 0; i--) {
        right += waitpid(pids[i], &status, WUNTRACED) == pids[i] && WIFSTOPPED(status);
    }
    FACT_OK(kill(-pids[0], SIGCONT));
    FACT(waitpid(-1, &status, WNOHANG));
    FACT_OK(kill(-pids[0], SIGKILL));
    for (int i = CHILDREN - 1; i >= 0; i--) {
        right += waitpid(pids[i], &status, 0) == pids[i] && WIFSIGNALED(status);
    }
    fact("children", "%d", right);
}

// A process ends whose children go to another.
static void orphans(void)
{
    int status;
    if (fork() == 0) {
        for (int i = 0; i < CHILDREN; i++) {
            if (fork() == 0) {
                usleep(20000);
                _exit(0);
            }
        }
        _exit(4);
    }
    wait(&status);
    fact_status("a parent of many", status);
    usleep(100000);
}

static void *waiter(void *how)
{
    uint64_t count;
    struct pollfd one = {.fd = event, .events = POLLIN};
    switch ((long)how) {
    case 0:
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        break;
    case 1:
        poll(&one, 1, -1);
        break;
    case 2:
        read(event, &count, sizeof(count));
        break;
    default:
        for (;;) {
            pause();
        }
    }
    __atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void threads(const char *what, long how)
{
    pthread_t all[THREADS];
    pthread_attr_t small;
    uint64_t many = THREADS;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    woken = word = 0;
    event = eventfd(0, how == 2 ? EFD_SEMAPHORE : 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&all[i], &small, waiter, (void *)how);
    }
    usleep(200000);
    if (how == 0) {
        word = 1;
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    } else {
        write(event, &many, sizeof(many));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(all[i], NULL);
    }
    fact(what, "%d", woken);
    close(event);
}

// All its threads end with it, or by its next program; a signal that they all block waits.
static void many_threads_end(const char *what, bool exec)
{
    int status;
    if (fork() == 0) {
        pthread_t thread;
        pthread_attr_t small;
        sigset_t all;
        struct rusage usage;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 65536);
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        for (int i = 0; i < THREADS; i++) {
            pthread_create(&thread, &small, waiter, (void *)3L);
        }
        usleep(100000);
        for (int i = 0; i < 100; i++) {
            kill(getpid(), SIGUSR1), kill(getpid(), SIGRTMIN), kill(getpid(), SIGTSTP), kill(getpid(), SIGCONT);
            getrusage(RUSAGE_SELF, &usage);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &(struct timespec){0});
        if (exec) {
            execl("/proc/self/exe", "crowds", "again", NULL);
        }
        _exit(9);
    }
    wait(&status);
    fact_status(what, status);
}

static void jump(void)
{
    struct timespec now;
    int made = 0, fds = 0;
    struct itimerspec far = {{0}, {0}};
    clock_gettime(CLOCK_REALTIME, &now);
    far.it_value.tv_sec = now.tv_sec + 1000;
    setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){2000, 2000});
    signal(SIGALRM, nothing);
    for (timer_t timer; made < 1500 && timer_create(CLOCK_REALTIME, NULL, &timer) == 0; made++) {
        timer_settime(timer, TIMER_ABSTIME, &far, NULL);
    }
    for (int fd; fds < 900 && (fd = timerfd_create(CLOCK_REALTIME, 0)) >= 0; fds++) {
        timerfd_settime(fd, TFD_TIMER_ABSTIME, &far, NULL);
    }
    fact("timers", "%d, %d", made, fds);
    now.tv_sec += 2;
    FACT(clock_settime(CLOCK_REALTIME, &now));
    now.tv_sec += 2000;
    FACT(clock_settime(CLOCK_REALTIME, &now));
    now.tv_sec -= 2002;
    FACT(clock_settime(CLOCK_REALTIME, &now));
}

static void read_all(const char *path)
{
    static char bytes[65536];
    int fd = open(path, O_RDONLY);
    while (fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0) {
    }
    close(fd);
}

// Every other page goes: free memory is in as many pieces as it can be.
static void pieces(void)
{
    size_t size = 64ul << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    for (size_t at = 0; at < size; at += 2 * PAGE) {
        madvise(memory + at, PAGE, MADV_DONTNEED);
    }
    static const char *const paths[] = {"/proc/meminfo",   "/proc/buddyinfo",   "/proc/slabinfo",   "/proc/vmstat",
                                        "/proc/stat",      "/proc/zoneinfo",    "/proc/loadavg",    "/proc/self/smaps",
                                        "/proc/self/maps", "/proc/self/status", "/proc/self/statm", "/proc/interrupts"};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        read_all(paths[i]);
    }
    FACT(munmap(memory, size));
}

int main(int count, char **arguments)
{
    if (count > 1) {
        return 9;
    }
    children();
    orphans();
    threads("futex", 0);
    threads("poll", 1);
    threads("read", 2);
    many_threads_end("ends", false);
    many_threads_end("another program", true);
    pieces();
    jump();
    return 0;
}
