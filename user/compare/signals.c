// Signals: actions, masks, delivery, interrupted calls, alternate stacks, what faults say.
#include <poll.h>
#include <sys/ucontext.h>
#include <time.h>

#include "facts.h"

static volatile int caught, order[16], ordered;
static volatile int seen_code, seen_signal;
static void *volatile seen_address;

static void count(int number)
{
    caught++;
    order[ordered++ % 16] = number;
}

static void inform(int number, siginfo_t *info, void *context)
{
    caught++;
    seen_signal = info->si_signo, seen_code = info->si_code, seen_address = info->si_addr;
}

static void actions(void)
{
    struct sigaction action = {.sa_handler = count}, old;
    FACT(sigaction(SIGUSR1, NULL, &old));
    fact("default", "%d %x", old.sa_handler == SIG_DFL, old.sa_flags);
    FACT(sigaction(SIGUSR1, &action, NULL));
    FACT(sigaction(SIGUSR1, NULL, &old));
    fact("set", "%d", old.sa_handler == count);
    FACT(sigaction(SIGKILL, &action, NULL));
    FACT(sigaction(SIGSTOP, &action, NULL));
    FACT(sigaction(SIGKILL, NULL, &old));
    FACT(sigaction(0, &action, NULL));
    FACT(sigaction(65, &action, NULL));
    FACT(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    FACT(kill(getpid(), SIGUSR1));
    fact("caught", "%d", caught);
    FACT(kill(getpid(), 0));
    FACT(kill(getpid(), 65));
    FACT(kill(getpid(), -1));
    FACT(kill(9999999, 0));
    FACT(raise(SIGUSR1));
    fact("caught", "%d", caught);
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    FACT(sigaction(SIGUSR2, NULL, &old));
    fact("once", "%d", old.sa_handler == SIG_DFL);
}

static void masks(void)
{
    sigset_t set, old, pending;
    sigfillset(&set);
    FACT(sigprocmask(SIG_SETMASK, &set, &old));
    FACT(sigprocmask(SIG_BLOCK, NULL, &old));
    fact("KILL and STOP cannot be blocked", "%d %d", sigismember(&old, SIGKILL), sigismember(&old, SIGSTOP));
    sigset_t one;
    sigemptyset(&one), sigaddset(&one, SIGHUP);
    FACT(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &one, (void *)-11, 8));
    FACT(sigprocmask(SIG_BLOCK, &one, &old));
    fact("done, and could not be told", "%d", sigismember(&old, SIGHUP));
    FACT(syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8));
    FACT(syscall(SYS_rt_sigprocmask, 9, NULL, &old, 8));
    FACT(syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 7));
    signal(SIGUSR1, count), signal(SIGUSR2, count), signal(SIGTERM, count);
    caught = ordered = 0;
    raise(SIGUSR2), raise(SIGTERM), raise(SIGUSR1), raise(SIGUSR1);
    FACT(sigpending(&pending));
    fact("pending", "%d %d %d %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2),
         sigismember(&pending, SIGTERM), sigismember(&pending, SIGHUP));
    sigemptyset(&set);
    FACT(sigprocmask(SIG_SETMASK, &set, NULL));
    fact("delivered", "%d", caught);
    FACT(sigsuspend(NULL));
    signal(SIGUSR1, SIG_IGN);
    caught = 0;
    raise(SIGUSR1);
    fact("ignored", "%d", caught);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR2);
    sigemptyset(&set);
    FACT(sigsuspend(&set));
    fact("after sigsuspend", "%d", caught);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGTERM, SIG_DFL), signal(SIGUSR2, SIG_DFL);
}

static void signal_parent_later(void)
{
    nanosleep(&(struct timespec){0, 30000000}, NULL);
    kill(getppid(), SIGALRM);
    _exit(0);
}

static void interrupted(void)
{
    int ends[2], status;
    char byte;
    struct sigaction action = {.sa_handler = count};
    pipe(ends);
    caught = 0;
    sigaction(SIGALRM, &action, NULL);
    if (fork() == 0) {
        signal_parent_later();
    }
    FACT(read(ends[0], &byte, 1));
    wait(&status);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    if (fork() == 0) {
        if (fork() == 0) {
            nanosleep(&(struct timespec){0, 60000000}, NULL);
            write(ends[1], "z", 1);
            _exit(0);
        }
        signal_parent_later();
    }
    FACT(read(ends[0], &byte, 1)); // restarted, then served
    while (wait(&status) > 0) {
    }
    fact("caught", "%d", caught);
    if (fork() == 0) {
        signal_parent_later();
    }
    struct pollfd wanted = {ends[0], POLLIN, 0};
    FACT(poll(&wanted, 1, 2000)); // never restarted
    if (fork() == 0) {
        signal_parent_later();
    }
    struct timespec left = {0, 0};
    wait(&status);
    if (fork() == 0) {
        signal_parent_later();
    }
    FACT(nanosleep(&(struct timespec){5, 0}, &left));
    fact("some time is left", "%d", left.tv_sec == 4);
    if (fork() == 0) {
        signal_parent_later();
    }
    FACT(pause());
    while (wait(&status) > 0) {
    }
}

static void faults(void)
{
    static const char constant[PAGE] __attribute__((aligned(PAGE))) = "x";
    struct {
        const char *what;
        int signal;
    } kinds[] = {
        {"a hole", SIGSEGV}, {"a constant", SIGSEGV}, {"NULL", SIGSEGV}, {"undefined", SIGILL}, {"brk", SIGTRAP}};
    for (int i = 0; i < 5; i++) {
        int status;
        fflush(stdout);
        if (fork() == 0) {
            char *at = i == 0   ? mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                       : i == 1 ? (char *)constant + 5
                                : NULL;
            if (i == 0) {
                munmap(at, PAGE);
            }
            if (i < 3) {
                *(volatile char *)at = 1;
            } else if (i == 3) {
                __asm__ volatile(".inst 0");
            } else {
                __asm__ volatile("brk #7");
            }
            _exit(0);
        }
        wait(&status);
        fact_status(kinds[i].what, status);
    }
}

static void at_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *state = context;
    caught++;
    seen_signal = number, seen_code = info->si_code, seen_address = info->si_addr;
    state->uc_mcontext.pc += 4; // skips the access
}

static void handled_faults(void)
{
    struct sigaction action = {.sa_sigaction = at_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    char *page = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + PAGE, PAGE);
    caught = 0;
    *(volatile char *)(page + 9) = 1;
    fact("read-only page", "%d times, signal %d code %d, at its address %d", caught, seen_signal, seen_code,
         seen_address == page + 9);
    *(volatile char *)(page + PAGE + 3) = 1;
    fact("unmapped page", "%d times, signal %d code %d, at its address %d", caught, seen_signal, seen_code,
         seen_address == page + PAGE + 3);
    mprotect(page, PAGE, PROT_NONE);
    (void)*(volatile char *)(page + 1);
    fact("page without access", "%d times, signal %d code %d, at its address %d", caught, seen_signal, seen_code,
         seen_address == page + 1);
    signal(SIGSEGV, SIG_DFL), signal(SIGBUS, SIG_DFL);
}

static char *stack_low, *stack_high;
static volatile int on_it;

static void where(int number)
{
    char here;
    on_it = &here >= stack_low && &here < stack_high;
}

static void alternate(void)
{
    stack_t stack = {.ss_sp = malloc(32768), .ss_size = 32768}, old;
    FACT(sigaltstack(NULL, &old));
    fact("none yet", "%d", old.ss_flags);
    stack.ss_flags = 99;
    FACT(sigaltstack(&stack, NULL));
    stack.ss_flags = 0, stack.ss_size = 100;
    FACT(sigaltstack(&stack, NULL));
    stack.ss_size = 32768;
    FACT(sigaltstack(&stack, NULL));
    stack_low = stack.ss_sp, stack_high = stack_low + 32768;
    struct sigaction action = {.sa_handler = where, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    fact("on it", "%d", on_it);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    fact("not on it", "%d", on_it);
    FACT(sigaltstack(NULL, &old));
    fact("flags", "%d", old.ss_flags);
}

static void sent(void)
{
    struct sigaction action = {.sa_sigaction = inform, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    fact("by kill", "%d %d", seen_signal, seen_code);
    syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
    fact("by tgkill", "%d %d", seen_signal, seen_code);
    FACT(syscall(SYS_tgkill, -1, 1, SIGUSR1));
    FACT(syscall(SYS_tgkill, getpid(), 99999, SIGUSR1));
    FACT(syscall(SYS_tkill, 0, SIGUSR1));
}

static void stopped(void)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    FACT(kill(pid, SIGSTOP));
    FACT_OK(waitpid(pid, &status, WUNTRACED));
    fact_status("stopped", status);
    FACT(waitpid(pid, &status, WNOHANG | WUNTRACED));
    FACT(kill(pid, SIGCONT));
    FACT_OK(waitpid(pid, &status, WCONTINUED));
    fact_status("continued", status);
    FACT(kill(pid, SIGTERM));
    FACT_OK(waitpid(pid, &status, 0));
    fact_status("ended", status);
}

int main(void)
{
    actions();
    masks();
    interrupted();
    faults();
    handled_faults();
    alternate();
    sent();
    stopped();
    return 0;
}
