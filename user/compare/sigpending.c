// RLIMIT_SIGPENDING: the signals that wait for a user's processes, and their timers, count together.
#include <sys/resource.h>
#include <time.h>

#include "facts.h"

static void limit(unsigned most)
{
    setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){most, 1000});
}

static int make_timers(timer_t *made)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
    int count = 0;
    while (count < 50 && timer_create(CLOCK_MONOTONIC, &event, &made[count]) == 0) {
        count++;
    }
    return count;
}

static int queue(pid_t pid, int signal)
{
    int count = 0;
    while (count < 50 && sigqueue(pid, signal, (union sigval){.sival_int = count}) == 0) {
        count++;
    }
    return count;
}

static int take_all(void)
{
    sigset_t all;
    int count = 0;
    sigfillset(&all);
    while (sigtimedwait(&all, NULL, &(struct timespec){0, 0}) > 0) {
        count++;
    }
    return count;
}

// What is in /proc/self/status, without what the children wait for just then.
static void status_line(const char *what)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "SigQ:", 5) == 0) {
            line[strlen(line) - 1] = 0;
            fact(what, "%s", line + 6);
        }
    }
    fclose(file);
}

static void of_a_user(void)
{
    timer_t timers[50];
    sigset_t all;
    int status, ends[2];
    char byte = 0;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    FACT(setresuid(1234, 1234, 1234));
    limit(10);
    int made = make_timers(timers);
    fact("timers", "%d", made);
    errno = 0;
    FACT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}));
    FACT(kill(getpid(), SIGRTMIN)); // only that there is one
    FACT(raise(SIGUSR1));
    fact("taken", "%d", take_all());
    for (int i = 0; i < 4; i++) {
        timer_delete(timers[i]);
    }
    status_line("six timers");
    fact("queued in their place", "%d", queue(getpid(), SIGRTMIN));
    status_line("and four signals");
    fact("timers now", "%d", make_timers(timers + 10));
    fact("taken", "%d", take_all());
    // Another process of the same user.
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        timer_t own[50];
        limit(13);
        int count = make_timers(own);
        write(ends[1], &byte, 1);
        pause();
        _exit(count);
    }
    read(ends[0], &byte, 1);
    fact("queued while a child has seven timers", "%d", queue(getpid(), SIGRTMIN));
    fact("queued to it", "%d", queue(child, SIGRTMIN));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    take_all(); // SIGCHLD
    fact("queued when it has gone", "%d", queue(getpid(), SIGRTMIN + 2));
    fact("taken", "%d", take_all());
    limit(0);
    fact("queued with a limit of 0", "%d", queue(getpid(), SIGRTMIN));
    struct itimerval soon = {{0, 0}, {0, 1000}};
    FACT(setitimer(ITIMER_REAL, &soon, NULL));
    usleep(5000);
    fact("an interval timer comes all the same", "%d", take_all());
}

// Ignored and forgotten, they count no more.
static void forgotten(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    FACT(setresuid(1235, 1235, 1235));
    limit(200);
    for (int i = 0; i < 4; i++) {
        queue(getpid(), SIGRTMIN + i);
    }
    errno = 0;
    FACT(sigqueue(getpid(), SIGRTMIN, (union sigval){0}));
    signal(SIGRTMIN, SIG_IGN);
    signal(SIGRTMIN + 1, SIG_IGN);
    signal(SIGRTMIN, SIG_DFL);
    status_line("forgotten");
    fact("queued in their place", "%d", queue(getpid(), SIGRTMIN));
    fact("taken", "%d", take_all());
}

int main(void)
{
    int status;
    if (fork() == 0) {
        of_a_user();
        _exit(0);
    }
    wait(&status);
    if (fork() == 0) {
        forgotten();
        _exit(0);
    }
    wait(&status);
    fact_status("its child", status);
    return 0;
}
