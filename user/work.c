// Work for failure sweeps and for leaks, by the name it is run under: fork, exec, pipeline, thread, signal, terminal.
// Status 0 when all was done; anything that was made to fail gives another, and nothing is left running.
#include "faultline.h"

#define SIGCHLD 17
#define SIGUSR1 10
#define AT_FDCWD (-100)
#define O_RDWR 2
#define O_NOCTTY 0400
#define FUTEX_WAIT 0
#define TCGETS 0x5401
#define TCSETS 0x5402
#define TIOCGWINSZ 0x5413
#define TIOCGPTN 0x80045430
#define TIOCSPTLCK 0x40045431
#define ENOENT 2

long start_thread(void (*function)(void), void *stack_top, int *tid);

static long call3(long number, long a, long b, long c)
{
    return syscall(number, a, b, c, 0, 0, 0);
}

static int wait_for(long child)
{
    int status = 1;
    return call3(SYS_wait4, child, (long)&status, 0) == child ? status : 1;
}

static long fork(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

static int work_fork(void)
{
    static char touched[3 * 4096];
    long child = fork();
    if (child == 0) {
        touched[0] = touched[4096] = touched[8192] = 1; // pages of its own
        _exit(0);
    }
    return child < 0 || wait_for(child) != 0;
}

static int work_exec(void)
{
    const char *const arguments[] = {"calls", NULL}, *const environment[] = {"A=b", NULL};
    long child = fork();
    if (child == 0) {
        call3(SYS_execve, (long)"/programs/calls", (long)arguments, (long)environment);
        _exit(99);
    }
    return child < 0 || wait_for(child) != 0;
}

static int pass_on(int from, int to)
{
    char buffer[700];
    for (;;) {
        long got = call3(SYS_read, from, (long)buffer, sizeof(buffer));
        if (got <= 0) {
            return got != 0;
        }
        if (call3(SYS_write, to, (long)buffer, got) != got) {
            return 1;
        }
    }
}

// A writer, one that passes on, and we who count.
static int work_pipeline(void)
{
    int first[2], second[2];
    static char block[9000];
    if (call3(SYS_pipe2, (long)first, 0, 0) != 0) {
        return 1;
    }
    if (call3(SYS_pipe2, (long)second, 0, 0) != 0) {
        return 1;
    }
    long writer = fork();
    if (writer == 0) {
        _exit(call3(SYS_close, first[0], 0, 0) != 0 ||
              call3(SYS_write, first[1], (long)block, sizeof(block)) != sizeof(block));
    }
    long middle = writer < 0 ? writer : fork();
    if (middle == 0) {
        call3(SYS_close, first[1], 0, 0);
        call3(SYS_close, second[0], 0, 0);
        _exit(pass_on(first[0], second[1]));
    }
    call3(SYS_close, first[0], 0, 0);
    call3(SYS_close, first[1], 0, 0);
    call3(SYS_close, second[1], 0, 0);
    long total = 0, got = 0;
    while (middle > 0 && (got = call3(SYS_read, second[0], (long)block, sizeof(block))) > 0) {
        total += got;
    }
    int failed = writer < 0 || middle < 0 || got != 0 || total != sizeof(block);
    failed |= writer > 0 && wait_for(writer) != 0;
    failed |= middle > 0 && wait_for(middle) != 0;
    return failed;
}

static volatile int ran;
static int thread_id;
static char stack[8192] __attribute__((aligned(16)));

static void thread(void)
{
    ran = 1;
}

static int work_thread(void)
{
    long id = start_thread(thread, stack + sizeof(stack), &thread_id);
    if (id < 0) {
        return 1;
    }
    for (int left; (left = __atomic_load_n(&thread_id, __ATOMIC_ACQUIRE)) != 0;) {
        long little[2] = {0, 20000000}; // a wake that could not be delivered must not stop us for ever
        syscall(SYS_futex, (long)&thread_id, FUTEX_WAIT, left, (long)little, 0, 0);
        if (ran && ++ran > 50) {
            return 1;
        }
    }
    return ran == 0;
}

static volatile int caught;

static void on_signal(int number)
{
    caught = number;
}

static int work_signal(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } action = {on_signal, 0, 0, 0};
    return syscall(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, 8, 0, 0) != 0 ||
           call3(SYS_kill, sys_getpid(), SIGUSR1, 0) != 0 || caught != SIGUSR1;
}

static int speak(int master, int slave)
{
    char text[32], settings[64];
    return call3(SYS_ioctl, slave, TCGETS, (long)settings) != 0 ||
           call3(SYS_ioctl, slave, TCSETS, (long)settings) != 0 ||
           call3(SYS_ioctl, slave, TIOCGWINSZ, (long)text) != 0 || call3(SYS_write, master, (long)"line\n", 5) != 5 ||
           call3(SYS_read, slave, (long)text, sizeof(text)) != 5 || call3(SYS_write, slave, (long)"said\n", 5) != 5 ||
           call3(SYS_read, master, (long)text, sizeof(text)) <= 0;
}

static int work_terminal(void)
{
    int unlock = 0, number = 0;
    char name[] = "/dev/pts/0";
    long master = syscall(SYS_openat, AT_FDCWD, (long)"/dev/ptmx", O_RDWR | O_NOCTTY, 0, 0, 0);
    if (master == -ENOENT) {
        return 0; // there are none
    }
    if (master < 0 || call3(SYS_ioctl, master, TIOCSPTLCK, (long)&unlock) != 0 ||
        call3(SYS_ioctl, master, TIOCGPTN, (long)&number) != 0) {
        return 1;
    }
    name[9] = (char)('0' + number % 10);
    long slave = syscall(SYS_openat, AT_FDCWD, (long)name, O_RDWR | O_NOCTTY, 0, 0, 0);
    return slave < 0 || speak((int)master, (int)slave);
}

// Not for sweeps: as many processes, one after the other, as the argument says.
static int work_spawn(const char *count)
{
    int rounds = 0, failed = 0;
    for (; count != NULL && *count != 0; count++) {
        rounds = rounds * 10 + (*count - '0');
    }
    for (int i = 0; i < rounds && failed == 0; i++) {
        failed = work_exec();
    }
    return failed;
}

int main(int argc, char **argv, char **envp)
{
    const char *how = argv[0];
    for (const char *at = argv[0]; *at != 0; at++) {
        how = *at == '-' ? at + 1 : how;
    }
    if (text_equal(how, "fork")) {
        return work_fork();
    }
    if (text_equal(how, "exec")) {
        return work_exec();
    }
    if (text_equal(how, "pipeline")) {
        return work_pipeline();
    }
    if (text_equal(how, "thread")) {
        return work_thread();
    }
    if (text_equal(how, "signal")) {
        return work_signal();
    }
    if (text_equal(how, "spawn")) {
        return work_spawn(argv[1]);
    }
    return text_equal(how, "terminal") ? work_terminal() : 1;
}
