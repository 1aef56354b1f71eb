// Timers by the hundred whose signals nobody takes, or whose clocks stand still: the machine goes on. Intervals that no
// clock will ever see the end of.
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include "facts.h"

#define MS 1000000ll

static volatile int heard;
static volatile int overruns;

static void hear(int signal, siginfo_t *info, void *context)
{
    heard++;
    overruns = info->si_overrun;
}

static void catch (int signal)
{
    struct sigaction action = {.sa_sigaction = hear, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
    heard = 0;
}

static void mask(int how, int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, NULL);
}

static long long now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static void spin(long long ms)
{
    long long until = now(CLOCK_MONOTONIC) + ms * MS;
    while (now(CLOCK_MONOTONIC) < until) {
    }
}

// What the rest of the machine has left for a program that computes.
static void work(const char *what)
{
    long long before = now(CLOCK_MONOTONIC);
    for (volatile long i = 0; i < 2000000; i++) {
    }
    fact(what, "%s", now(CLOCK_MONOTONIC) - before < 3000 * MS ? "a moment" : "long");
}

static timer_t make(clockid_t clock, int signal)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
    timer_t timer = NULL;
    timer_create(clock, &event, &timer);
    return timer;
}

static void start(timer_t timer, int flags, long long ns, long long interval)
{
    struct itimerspec set = {{interval / (1000 * MS), interval % (1000 * MS)}, {ns / (1000 * MS), ns % (1000 * MS)}};
    timer_settime(timer, flags, &set, NULL);
}

static void nobody_takes(const char *what, clockid_t clock)
{
    timer_t timers[300];
    mask(SIG_BLOCK, SIGRTMIN);
    for (int i = 0; i < 300; i++) {
        timers[i] = make(clock, SIGRTMIN);
        start(timers[i], 0, 1, 1);
    }
    work(what);
    for (int i = 0; i < 300; i++) {
        timer_delete(timers[i]);
    }
    signal(SIGRTMIN, SIG_IGN); // whatever waits is forgotten
    mask(SIG_UNBLOCK, SIGRTMIN);
}

static void interval_timers(const char *what, int which, int signal)
{
    struct itimerval often = {{0, 1}, {0, 1}}, left;
    pid_t children[60];
    for (int i = 0; i < 60; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            mask(SIG_BLOCK, signal);
            setitimer(which, &often, NULL);
            pause();
            _exit(0);
        }
    }
    work(what);
    for (int i = 0; i < 60; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    mask(SIG_BLOCK, signal);
    catch (signal);
    setitimer(which, &often, NULL);
    spin(20);
    getitimer(which, &left);
    if (which == ITIMER_REAL) {
        fact("one that waits to be taken has left", "%ld %ld", (long)left.it_value.tv_sec, (long)left.it_value.tv_usec);
    }
    setitimer(which, &(struct itimerval){0}, NULL);
    mask(SIG_UNBLOCK, signal);
    fact("and comes", "%d", heard);
}

static void *sleeper(void *unused)
{
    sigset_t all; // they are the others' to take
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pause();
    return NULL;
}

static void clock_stands_still(void)
{
    pthread_t thread;
    clockid_t clock;
    pthread_create(&thread, NULL, sleeper, NULL);
    usleep(20000);
    pthread_getcpuclockid(thread, &clock);
    long long at = now(clock);
    mask(SIG_BLOCK, SIGRTMIN);
    for (int i = 0; i < 700; i++) {
        start(make(clock, SIGRTMIN), TIMER_ABSTIME, at + 1000, 0);
    }
    work("on a clock that stands still");
    timer_t passed = make(clock, SIGRTMIN + 1);
    catch (SIGRTMIN + 1);
    start(passed, TIMER_ABSTIME, 1, 0);
    fact("what has passed on it", "%d", heard);
}

static void processor_time(void)
{
    timer_t process = make(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN + 2),
            thread = make(CLOCK_THREAD_CPUTIME_ID, SIGRTMIN + 3);
    struct itimerspec left;
    catch (SIGRTMIN + 2);
    start(process, 0, 20 * MS, 0);
    spin(60);
    fact("once by the process's clock", "%d", heard);
    catch (SIGRTMIN + 3);
    start(thread, 0, 20 * MS, 20 * MS);
    spin(150);
    fact("often by the thread's clock", "%s", heard >= 4 && heard <= 7 ? "often" : "wrong");
    timer_gettime(thread, &left);
    fact("left of it", "%s",
         left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 20 * MS ? "a part"
                                                                                                    : "wrong");
    timer_delete(process), timer_delete(thread);
}

// Expiries that nobody has heard of are counted.
static void counted(clockid_t clock)
{
    timer_t timer = make(clock, SIGRTMIN + 4);
    struct itimerspec left;
    mask(SIG_BLOCK, SIGRTMIN + 4);
    catch (SIGRTMIN + 4);
    start(timer, 0, 2 * MS, 2 * MS);
    spin(101);
    timer_gettime(timer, &left);
    fact("while it waits, left", "%s",
         left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 2 * MS ? "a part" : "wrong");
    fact("overruns before it is taken", "%d", timer_getoverrun(timer));
    mask(SIG_UNBLOCK, SIGRTMIN + 4);
    int now_told = timer_getoverrun(timer);
    start(timer, 0, 0, 0);
    fact("overruns", "%s", now_told >= 40 && now_told <= 60 ? "as many as passed" : "wrong");
    fact("told", "%s", overruns == now_told || heard > 1 ? "the same" : "another number");
    timer_delete(timer);
}

static void ignored(void)
{
    timer_t timer = make(CLOCK_MONOTONIC, SIGRTMIN + 5);
    struct itimerspec left;
    signal(SIGRTMIN + 5, SIG_IGN);
    start(timer, 0, 5 * MS, 5 * MS);
    spin(30);
    timer_gettime(timer, &left);
    fact("ignored, left", "%s", left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5 * MS ? "a part" : "wrong");
    catch (SIGRTMIN + 5);
    spin(30);
    fact("heard after it was ignored", "%s", heard >= 3 ? "often" : heard > 0 ? "seldom" : "never");
    timer_delete(timer);
    timer = make(CLOCK_MONOTONIC, SIGCHLD); // ignored by itself
    start(timer, 0, 5 * MS, 5 * MS);
    spin(30);
    catch (SIGCHLD);
    spin(30);
    fact("heard after its default", "%s", heard >= 3 ? "often" : heard > 0 ? "seldom" : "never");
    timer_delete(timer);
    signal(SIGCHLD, SIG_DFL);
}

static void endless(void)
{
    struct itimerval interval = {{INT64_MAX, 0}, {0, 2000}}, none = {0}, left;
    struct itimerspec long_one = {{INT64_MAX, 0}, {0, 2 * MS}}, later;
    int reads = 0, fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    catch (SIGALRM);
    setitimer(ITIMER_REAL, &interval, NULL);
    spin(30);
    getitimer(ITIMER_REAL, &left);
    setitimer(ITIMER_REAL, &none, NULL);
    fact("an endless interval of setitimer", "%d, %s", heard,
         left.it_value.tv_sec > 1000000000 ? "much left" : "little left");
    catch (SIGPROF);
    setitimer(ITIMER_PROF, &interval, NULL);
    spin(30);
    setitimer(ITIMER_PROF, &none, NULL);
    fact("of its clock of processor time", "%d", heard);
    timer_t timer = make(CLOCK_MONOTONIC, SIGALRM);
    catch (SIGALRM);
    timer_settime(timer, 0, &long_one, NULL);
    spin(30);
    timer_gettime(timer, &later);
    fact("of timer_settime", "%d, %s", heard, later.it_value.tv_sec > 1000000000 ? "much left" : "little left");
    timer_delete(timer);
    timerfd_settime(fd, 0, &long_one, NULL);
    for (int i = 0; i < 10; i++) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        uint64_t times;
        reads += poll(&one, 1, 10) == 1 && read(fd, &times, sizeof(times)) == sizeof(times);
    }
    timerfd_gettime(fd, &later);
    fact("of a timerfd", "%d, %s", reads, later.it_value.tv_sec > 1000000000 ? "much left" : "little left");
    timerfd_settime(fd, 0, &(struct itimerspec){{0, 1}, {0, 1}}, NULL);
    work("a timerfd that nobody reads");
}

int main(void)
{
    nobody_takes("steady time", CLOCK_MONOTONIC);
    nobody_takes("time of day", CLOCK_REALTIME);
    nobody_takes("the process's clock", CLOCK_PROCESS_CPUTIME_ID);
    interval_timers("setitimer", ITIMER_REAL, SIGALRM);
    interval_timers("its clock of processor time", ITIMER_PROF, SIGPROF);
    interval_timers("and of time in user space", ITIMER_VIRTUAL, SIGVTALRM);
    clock_stands_still();
    processor_time();
    counted(CLOCK_MONOTONIC);
    counted(CLOCK_PROCESS_CPUTIME_ID);
    ignored();
    endless();
    return 0;
}
