// fork, wait, pipes and signals from a program's side: what is shared, what is copied, what is told.
#include "faultline.h"

#define PAGE 4096ul
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 0x20
#define SIGCHLD 17
#define SIGUSR1 10
#define SIGTERM 15
#define EINTR 4
#define ECHILD 10
#define WNOHANG 1

static volatile int caught;
static int private_word = 1;

static long fork(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

static long wait(long pid, int *status, int options)
{
    return syscall(SYS_wait4, pid, (long)status, options, 0, 0, 0);
}

static volatile int *map(int flags)
{
    long at = syscall(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    return at > 0 ? (volatile int *)at : NULL;
}

static void sharing(void)
{
    volatile int *shared = map(MAP_SHARED), *own = map(MAP_PRIVATE);
    int status = 0;
    expect(shared != NULL && own != NULL, "mmap");
    *own = 5;
    long child = fork();
    if (child == 0) {
        *shared = 7;
        *own = 8;
        private_word = 9;
        _exit(*own == 8 && private_word == 9 ? 33 : 1);
    }
    expect(child > 0, "fork");
    expect(wait(child, &status, 0) == child && status == 33 << 8, "exit status of a child");
    expect(*shared == 7, "shared memory is shared");
    expect(*own == 5 && private_word == 1, "private memory is not");
    expect(wait(-1, &status, 0) == -ECHILD, "no child is left");
}

static void on_signal(int signal)
{
    caught += signal;
}

static void pipes(void)
{
    int ends[2], status;
    char text[4] = {0};
    expect(syscall(SYS_pipe2, (long)ends, 0, 0, 0, 0, 0) == 0, "pipe2");
    long child = fork();
    if (child == 0) {
        syscall(SYS_write, ends[1], (long)"abc", 3, 0, 0, 0);
        _exit(0);
    }
    syscall(SYS_close, ends[1], 0, 0, 0, 0, 0);
    expect(syscall(SYS_read, ends[0], (long)text, 4, 0, 0, 0) == 3 && text[2] == 'c', "what a child wrote");
    expect(wait(child, &status, 0) == child, "the writer");
    expect(syscall(SYS_read, ends[0], (long)text, 4, 0, 0, 0) == 0, "the end of a pipe");
    syscall(SYS_close, ends[0], 0, 0, 0, 0, 0);
}

static void signals(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } action = {on_signal, 0, 0, 0}; // without SA_RESTORER: the kernel's own code goes back
    int ends[2], status = 0;
    char byte;
    expect(syscall(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0, 0) == 0, "rt_sigaction");
    expect(syscall(SYS_kill, sys_getpid(), SIGUSR1, 0, 0, 0, 0) == 0 && caught == SIGUSR1, "a signal to oneself");
    expect(syscall(SYS_pipe2, (long)ends, 0, 0, 0, 0, 0) == 0, "pipe2");
    long parent = sys_getpid(), child = fork();
    if (child == 0) {
        long time[2] = {0, 20000000};
        syscall(SYS_nanosleep, (long)time, 0, 0, 0, 0, 0);
        syscall(SYS_kill, parent, SIGUSR1, 0, 0, 0, 0);
        for (;;) {
            syscall(SYS_nanosleep, (long)(long[2]){1, 0}, 0, 0, 0, 0, 0);
        }
    }
    expect(wait(child, &status, WNOHANG) == 0, "a child that lives");
    expect(syscall(SYS_read, ends[0], (long)&byte, 1, 0, 0, 0) == -EINTR, "a read that a signal ends");
    expect(caught == 2 * SIGUSR1, "the handler ran");
    expect(syscall(SYS_kill, child, SIGTERM, 0, 0, 0, 0) == 0, "kill");
    expect(wait(child, &status, 0) == child && status == SIGTERM, "death by a signal");
}

int main(int argc, char **argv, char **envp)
{
    sharing();
    pipes();
    signals();
    return failures();
}
