// What befalls a process while it makes another befalls the child as well: signals to both, files that become shorter.
#include "facts.h"

#include <linux/membarrier.h>
#include <sys/time.h>
#include <time.h>

#define SIZE (160ul << 20) // so that a copy takes a while
#define ROUNDS 10
#define SECOND 1000000000l

static volatile long *beats, *over;

static void nap(long ns)
{
    struct timespec time = {ns / SECOND, ns % SECOND};
    nanosleep(&time, NULL);
}

// Who has forked ends, the child goes on.
static void chain(void)
{
    for (;;) {
        pid_t next = fork();
        if (*over || next > 0) {
            _exit(0);
        }
        (*beats)++;
    }
}

static pid_t start_chain(void)
{
    *over = 0;
    pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        chain();
    }
    setpgid(first, first);
    return first;
}

static int moves(void)
{
    long seen = *beats;
    nap(60000000);
    return *beats != seen;
}

static void of_a_group(const char *what, int signal)
{
    int went_on = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pid_t first = start_chain();
        nap(3000000 + round * 370000);
        if (kill(-first, signal) == 0) {
            nap(60000000);
            went_on += moves();
        }
        kill(-first, SIGCONT);
        *over = 1;
        nap(5000000);
        kill(-first, SIGKILL);
        waitpid(first, NULL, 0);
    }
    fact(what, "%s", went_on > 0 ? "go on" : "none goes on");
}

// A timer that comes more often than a copy takes does not keep the copy from being made.
static void on_alarm(int signal)
{
}

static void of_alarms(void)
{
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    int made = 0;
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            _exit(7);
        }
        made += pid > 0;
        while (pid > 0 && waitpid(pid, NULL, 0) < 0) {
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    fact("made under alarms", "%d", made);
}

static void of_signals_to_one(void)
{
    int status;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1); // pending, and the parent's alone
    pid_t pid = fork();
    if (pid == 0) {
        sigpending(&set);
        _exit(sigismember(&set, SIGUSR1));
    }
    waitpid(pid, &status, 0);
    fact_status("a signal that waits", status);
}

static void of_barriers(void)
{
    int status;
    FACT(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    pid_t pid = fork();
    if (pid == 0) {
        _exit(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
    }
    waitpid(pid, &status, 0);
    fact_status("barriers in a child", status);
}

int main(void)
{
    beats = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    over = beats + 1;
    memset(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, SIZE);
    of_signals_to_one();
    of_barriers();
    of_a_group("killed chains", SIGKILL);
    of_a_group("stopped chains", SIGSTOP);
    of_a_group("interrupted chains", SIGINT);
    of_alarms();
    return 0;
}
