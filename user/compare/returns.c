// What a signal leaves of the program that it interrupts: its registers, its status word, the call that was under way.
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "facts.h"

#define MS 1000000ll

static volatile int hits;
static volatile uint64_t set_bits;

static void count(int signal)
{
    hits++;
}

// x0 of a program that computes may look like an interrupted call.
static void computes(long value, int flags)
{
    struct sigaction action = {.sa_handler = count, .sa_flags = flags};
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};
    hits = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    register long x0 __asm__("x0") = value;
    register long x8 __asm__("x8") = 172;
    register volatile int *at __asm__("x9") = &hits;
    register long turns __asm__("x10") = 0;
    __asm__ volatile("mov x11, #0\n1: add x10, x10, #1\n add x11, x11, #1\n ldr w12, [x9]\n cmp w12, #10\n b.lt 1b\n"
                     "sub x10, x10, x11\n"
                     : "+r"(x0), "+r"(turns), "+r"(x8)
                     : "r"(at)
                     : "x11", "x12", "cc", "memory");
    long result = x0, rest = turns, number = x8;
    setitimer(ITIMER_REAL, &never, NULL);
    fact("x0, turns done twice, x8", "%ld %ld %ld", result, rest, number);
}

// The status word that a handler gives back.
static void change_status(int signal, siginfo_t *info, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.pstate |= set_bits;
}

static void status_word(const char *what, uint64_t bits)
{
    int status;
    if (fork() == 0) {
        struct sigaction action = {.sa_sigaction = change_status, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR1, &action, NULL);
        set_bits = bits;
        raise(SIGUSR1);
        set_bits = 0;
        raise(SIGUSR1); // its frame holds what the first one left
        _exit(3);
    }
    wait(&status);
    fact_status(what, status);
}

static void status_words(void)
{
    status_word("the condition flags", 0xf0000000);
    status_word("BTYPE", 3 << 10);
    status_word("SSBS", 1 << 12);
    status_word("DIT", 1 << 24);
    status_word("TCO", 1 << 25);
    status_word("PAN", 1 << 22);
    status_word("UAO", 1 << 23);
    status_word("IL", 1 << 20);
    status_word("SS", 1 << 21);
    status_word("reserved ones", 0xc0fe020ull | 0xffffffffull << 32);
    status_word("AArch32", 0x10);
    status_word("another level", 4);
    status_word("F", 1 << 6);
    status_word("I", 1 << 7);
    status_word("A", 1 << 8);
    status_word("D", 1 << 9);
}

// Functions are called through pointers all the time, and a timer ticks meanwhile.
static __attribute__((noinline)) long next(long x)
{
    return x + 1;
}

static void calls(void)
{
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
    long (*volatile call)(long) = next;
    long x = 0;
    signal(SIGALRM, count);
    hits = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    while (hits < 100) {
        for (int i = 0; i < 1000; i++) {
            x = call(x);
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    fact("calls through a pointer", "%s", x > 0 ? "done" : "not done");
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static long long slept_ms;

// Its own sleep is its own, and not the rest of the call that it came into.
static void sleep_in_handler(int signal)
{
    struct timespec span = {0, 60 * MS};
    long long before = now();
    nanosleep(&span, NULL);
    slept_ms = (now() - before) / MS;
}

static void handler_sleeps(const char *what, int call)
{
    struct sigaction action = {.sa_handler = sleep_in_handler, .sa_flags = SA_RESTART};
    struct itimerval soon = {{0, 0}, {0, 20000}};
    struct timespec span = {0, 40 * MS};
    int word = 0, ends[2];
    char byte;
    long result;
    pipe(ends);
    sigaction(SIGALRM, &action, NULL);
    slept_ms = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    errno = 0;
    switch (call) {
    case 0:
        result = nanosleep(&span, NULL);
        break;
    case 1:
        result = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &span, NULL, 0);
        break;
    case 2:
        result = poll(NULL, 0, 40);
        break;
    default:
        if (fork() == 0) {
            usleep(150000);
            write(ends[1], "x", 1);
            _exit(0);
        }
        result = read(ends[0], &byte, 1);
        wait(NULL);
        break;
    }
    fact_result(what, result);
    fact("its handler slept", "%s", slept_ms >= 60 ? "its time" : "less");
    close(ends[0]), close(ends[1]);
}

// Stopped and continued, a call goes on, and ends when it was to end.
static void stopped_call(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct timespec span = {0, 200 * MS};
        long long before = now();
        errno = 0;
        long result = nanosleep(&span, NULL);
        long long took = (now() - before) / MS;
        fact_result("stopped and continued in nanosleep", result);
        fact("and took", "%s", took >= 200 && took < 290 ? "its time" : "another");
        _exit(0);
    }
    usleep(50000);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    usleep(50000);
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
}

// Two threads wait, one takes the signal: the other's call ends as it should, and its mask is what it was.
static void *suspended(void *unused)
{
    sigset_t none, now_blocked;
    sigemptyset(&none);
    sigsuspend(&none);
    pthread_sigmask(SIG_SETMASK, NULL, &now_blocked);
    return sigismember(&now_blocked, SIGUSR2) ? "blocked" : "open";
}

static void shared_signal(void)
{
    pthread_t threads[4];
    const char *found;
    sigset_t set;
    int wrong = 0;
    signal(SIGUSR2, count);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, suspended, NULL);
    }
    usleep(50000);
    for (int i = 0; i < 4; i++) {
        kill(getpid(), SIGUSR2);
        usleep(20000);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], (void **)&found);
        wrong += strcmp(found, "blocked") != 0;
    }
    fact("masks not given back", "%d", wrong);
}

int main(void)
{
    static const long values[] = {-512, -513, -514, -516, -4, -38};
    for (unsigned i = 0; i < 6; i++) {
        computes(values[i], 0);
        computes(values[i], SA_RESTART);
    }
    status_words();
    calls();
    handler_sleeps("nanosleep", 0);
    handler_sleeps("futex", 1);
    handler_sleeps("poll", 2);
    handler_sleeps("read", 3);
    stopped_call();
    shared_signal();
    return 0;
}
