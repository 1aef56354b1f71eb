// Signals with several threads, and signals that queue.
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "facts.h"

static volatile int order[16], came, taken_by_me;
static pthread_t first;

static void note(int signal, siginfo_t *info, void *context)
{
    order[came++ % 16] = signal < SIGRTMIN ? signal : 100 + signal - SIGRTMIN + 10 * info->si_value.sival_int;
    taken_by_me = pthread_equal(pthread_self(), first);
}

static void catch (int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

static void show_order(const char *what)
{
    char text[128] = "";
    for (int i = 0; i < came; i++) {
        sprintf(text + strlen(text), " %d", order[i]);
    }
    fact(what, "%d:%s", came, text);
    came = 0;
}

static void queueing(void)
{
    sigset_t all, old;
    sigfillset(&all);
    catch (SIGRTMIN, 0);
    catch (SIGRTMIN + 1, 0);
    catch (SIGUSR1, 0);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 1; i <= 3; i++) {
        FACT(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}));
        FACT(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
        kill(getpid(), SIGUSR1);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    show_order("those that queue, and those that do not");
    FACT(sigqueue(getpid(), 65, (union sigval){0}));
    FACT(sigqueue(-5, SIGUSR1, (union sigval){0}));
    FACT(sigqueue(999999, SIGUSR1, (union sigval){0}));
    siginfo_t info = {.si_code = 3};
    FACT(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &info));
}

static void waiting(void)
{
    sigset_t set;
    siginfo_t info;
    struct timespec none = {0, 0}, little = {0, 10000000}, bad = {-1, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    FACT(sigtimedwait(&set, &info, &none));
    FACT(sigtimedwait(&set, &info, &little));
    FACT(sigtimedwait(&set, &info, &bad));
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 55});
    raise(SIGUSR2);
    fact("the lowest first", "%d", sigwaitinfo(&set, &info));
    fact("by a thread's own hand", "%d %d", info.si_code, info.si_pid == getpid());
    fact("then the other", "%d", sigwaitinfo(&set, &info) - SIGRTMIN);
    fact("with its value", "%d %d", info.si_code, info.si_value.sival_int);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    fact("one that comes later", "%d", sigtimedwait(&set, &info, NULL));
    waitpid(child, NULL, 0);
    catch (SIGALRM, 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        kill(getppid(), SIGALRM);
        _exit(0);
    }
    FACT(sigtimedwait(&set, &info, NULL)); // ended by another
    waitpid(child, NULL, 0);
    show_order("which");
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *block_all_and_wait(void *tid)
{
    sigset_t all;
    *(volatile pid_t *)tid = gettid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    usleep(200000);
    sigset_t pending;
    sigpending(&pending);
    return (void *)(intptr_t)(sigismember(&pending, SIGUSR1) + 2 * sigismember(&pending, SIGHUP));
}

static void threads(void)
{
    pthread_t thread;
    void *pending;
    volatile pid_t tid = 0;
    first = pthread_self();
    pthread_create(&thread, NULL, block_all_and_wait, (void *)&tid);
    usleep(50000);
    came = 0;
    kill(getpid(), SIGUSR1);
    fact("sent to the process, taken by one that does not block it", "%d %d", came, taken_by_me);
    came = 0;
    FACT(kill(tid, SIGUSR1));
    FACT(sigqueue(tid, SIGUSR1, (union sigval){.sival_int = 1}));
    FACT(setpgid(tid, 0));
    fact("groups by a thread's number", "%d %d", getpgid(tid) == getpgrp(), getsid(tid) == getsid(0));
    fact("sent to the process by a thread's number", "%d %d", came, taken_by_me);
    catch (SIGHUP, 0);
    pthread_kill(thread, SIGHUP);
    fact("sent to a thread that blocks it", "%d", came);
    pthread_join(thread, &pending);
    fact("pending there", "%d", (int)(intptr_t)pending);
    came = 0;
    FACT(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1));
    FACT(syscall(SYS_tgkill, 1, gettid(), SIGUSR1));
    FACT(syscall(SYS_tgkill, getpid(), gettid(), 0));
    FACT(syscall(SYS_tkill, -1, 0));
}

static void children(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, no_wait = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    siginfo_t info = {0};
    int status;
    sigaction(SIGCHLD, &ignore, NULL);
    if (fork() == 0) {
        _exit(1);
    }
    FACT(wait(&status));
    sigaction(SIGCHLD, &no_wait, NULL);
    if (fork() == 0) {
        _exit(1);
    }
    FACT(wait(&status));
    signal(SIGCHLD, SIG_DFL);
    pid_t child = fork();
    if (child == 0) {
        _exit(77);
    }
    FACT(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    fact("told", "%d %d %d %d", info.si_signo, info.si_code, info.si_status, info.si_pid == child);
    FACT(waitid(P_PID, (id_t)child, &info, WEXITED));
    FACT(waitid(P_PID, (id_t)child, &info, WEXITED));
    FACT(waitid(P_ALL, 0, &info, 0));
    FACT(waitid(7, 0, &info, WEXITED));
    child = fork();
    if (child == 0) {
        pause();
    }
    kill(child, SIGSTOP);
    FACT(waitid(P_PID, (id_t)child, &info, WSTOPPED));
    fact("stopped", "%d %d", info.si_code, info.si_status);
    FACT(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOHANG));
    kill(child, SIGCONT);
    FACT(waitid(P_PID, (id_t)child, &info, WCONTINUED));
    fact("continued", "%d %d", info.si_code, info.si_status);
    kill(child, SIGKILL);
    FACT(waitid(P_PID, (id_t)child, &info, WEXITED | WSTOPPED));
    fact("killed", "%d %d", info.si_code, info.si_status);
    pid_t orphan[2];
    int to_parent[2];
    pipe(to_parent);
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(30000);
            orphan[0] = getppid();
            write(to_parent[1], orphan, sizeof(orphan[0]));
            _exit(0);
        }
        _exit(0);
    }
    wait(NULL);
    read(to_parent[0], orphan, sizeof(orphan[0]));
    fact("an orphan's parent is mine no more", "%d", orphan[0] != getpid());
}

static int hung_up_to;
static void hung_up(int signal)
{
    write(hung_up_to, "h", 1);
    _exit(0);
}

// In a session of its own, whose first process leads a group that nobody outside could continue.
static _Noreturn void orphaned_groups(void)
{
    int status, ends[2];
    char byte = '-';
    signal(SIGHUP, SIG_DFL);
    setsid();
    pid_t stopped = fork();
    if (stopped == 0) {
        raise(SIGSTOP);
        _exit(3);
    }
    waitpid(stopped, &status, WUNTRACED);
    pid_t leaving = fork();
    if (leaving == 0) {
        _exit(0);
    }
    waitpid(leaving, &status, 0); // the group has been alone before, so that this hangs up nobody
    kill(stopped, SIGCONT);
    waitpid(stopped, &status, 0);
    fact("in a group alone all along", "%d", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    pipe(ends);
    pid_t leader = fork();
    if (leader == 0) {
        setpgid(0, 0);
        stopped = fork();
        if (stopped == 0) {
            hung_up_to = ends[1];
            signal(SIGHUP, hung_up);
            raise(SIGSTOP);
            _exit(0);
        }
        waitpid(stopped, &status, WUNTRACED);
        _exit(0);
    }
    waitpid(leader, &status, 0);
    close(ends[1]);
    read(ends[0], &byte, 1);
    fact("in a group alone from now on", "%c", byte);
    fflush(stdout);
    _exit(0);
}

static void orphans_of_groups(void)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        orphaned_groups();
    }
    waitpid(child, &status, 0);
    fact("the leader of all has ended", "%d", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void pauses(void)
{
    struct timespec little = {0, 60000000}, left = {0, 0};
    catch (SIGALRM, SA_RESTART);
    struct itimerval soon = {.it_value = {0, 20000}};
    if (setitimer(ITIMER_REAL, &soon, NULL) == 0) {
        FACT(nanosleep(&little, &left)); // not made again, even so
        fact("time was left", "%d", left.tv_nsec > 0);
    }
    pid_t child = fork();
    if (child == 0) {
        struct timespec before, after, span = {0, 100000000};
        clock_gettime(CLOCK_MONOTONIC, &before);
        int result = nanosleep(&span, NULL);
        clock_gettime(CLOCK_MONOTONIC, &after);
        long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
        _exit(result == 0 && ms >= 100 ? 3 : 4);
    }
    usleep(20000);
    kill(child, SIGSTOP);
    usleep(20000);
    kill(child, SIGCONT);
    int status;
    waitpid(child, &status, 0);
    fact("a sleep goes on after a stop", "%d", WEXITSTATUS(status));
}

static volatile uintptr_t handler_at;
static void where(int signal)
{
    int here;
    handler_at = (uintptr_t)&here;
    stack_t now;
    sigaltstack(NULL, &now);
    fact("inside", "%d", now.ss_flags);
    FACT(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
}

static void stacks(void)
{
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;
    FACT(sigaltstack(&stack, NULL));
    signal(SIGUSR1, where);
    struct sigaction action = {.sa_handler = where, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    fact("on it", "%d", handler_at - (uintptr_t)memory < sizeof(memory));
    FACT(sigaltstack(NULL, &old));
    fact("after", "%d", old.ss_flags);
    stack.ss_size = 100;
    FACT(sigaltstack(&stack, NULL));
    stack.ss_flags = 77;
    FACT(sigaltstack(&stack, NULL));
}

int main(void)
{
    queueing();
    waiting();
    threads();
    children();
    orphans_of_groups();
    pauses();
    stacks();
    return 0;
}
