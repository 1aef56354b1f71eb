// One row of the benchmark beside Linux: bench ROW prints how many ticks of the counter one operation takes, bench
// without arguments names the rows. The machine is made so that a tick is an instruction.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB 1024ul
#define PAGE 4096ul

struct row {
    const char *name;
    int rounds;
    void (*prepare)(void); // may be NULL
    void (*operation)(void);
    void (*finish)(void); // may be NULL
};

static int fd = -1, ends[2], back[2];
static char buffer[4 * KIB];
static const char *self;

// A row that this kernel has not got says so and is no failure.
static void must(bool works, const char *what)
{
    if (!works) {
        printf("unsupported: %s: %s\n", what, strerrorname_np(errno));
        exit(0);
    }
}

static uint64_t counter(void)
{
    uint64_t value;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

static void null_call(void)
{
    syscall(SYS_getppid);
}

static void open_zero(void)
{
    must((fd = open("/dev/zero", O_RDONLY)) >= 0, "/dev/zero");
}

static void open_null(void)
{
    must((fd = open("/dev/null", O_WRONLY)) >= 0, "/dev/null");
}

static void read_one(void)
{
    must(read(fd, buffer, 1) == 1, "read");
}

static void write_one(void)
{
    must(write(fd, buffer, 1) == 1, "write");
}

static void make_file(void)
{
    must((fd = open("file", O_RDWR | O_CREAT, 0600)) >= 0 && write(fd, buffer, PAGE) == (long)PAGE, "a file");
}

static void stat_file(void)
{
    struct stat status;
    must(stat("file", &status) == 0, "stat");
}

static void open_close(void)
{
    must(close(open("file", O_RDONLY)) == 0, "open");
}

static void read_page(void)
{
    must(pread(fd, buffer, PAGE, 0) == (long)PAGE, "pread");
}

static void write_page(void)
{
    must(pwrite(fd, buffer, PAGE, 0) == (long)PAGE, "pwrite");
}

static void create_unlink(void)
{
    must(close(open("new", O_WRONLY | O_CREAT | O_EXCL, 0600)) == 0 && unlink("new") == 0, "create");
}

static void make_pipe(void)
{
    must(pipe(ends) == 0, "pipe");
}

static void pipe_byte(void)
{
    must(write(ends[1], buffer, 1) == 1 && read(ends[0], buffer, 1) == 1, "pipe");
}

static void pipe_page(void)
{
    must(write(ends[1], buffer, PAGE) == (long)PAGE && read(ends[0], buffer, PAGE) == (long)PAGE, "pipe");
}

static void make_echo(void)
{
    must(pipe(ends) == 0 && pipe(back) == 0, "pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        char byte;
        close(ends[1]), close(back[0]);
        while (read(ends[0], &byte, 1) == 1) {
            write(back[1], &byte, 1);
        }
        _exit(0);
    }
    close(ends[0]), close(back[1]);
}

static void ping_pong(void)
{
    char byte = 0;
    must(write(ends[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "ping-pong");
}

static void end_echo(void)
{
    close(ends[1]);
    wait(NULL);
}

static void map_unmap(void)
{
    char *at = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(at != MAP_FAILED && munmap(at, 64 * KIB) == 0, "mmap");
}

static void map_touch(void)
{
    volatile char *at = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(at != MAP_FAILED, "mmap");
    for (unsigned i = 0; i < 16; i++) {
        at[i * PAGE] = 1;
    }
    munmap((char *)at, 64 * KIB);
}

static void fork_exit(void)
{
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        _exit(0);
    }
    must(waitpid(pid, NULL, 0) == pid, "wait");
}

static void fork_exec(void)
{
    int status;
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        execl(self, self, "nothing", NULL);
        _exit(1);
    }
    must(waitpid(pid, &status, 0) == pid && status == 0, "exec");
}

static volatile int caught;

static void catch (int number)
{
    caught++;
}

static void set_action(void)
{
    struct sigaction action = {.sa_handler = catch};
    must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static void signal_self(void)
{
    int before = caught;
    must(kill(getpid(), SIGUSR1) == 0 && caught == before + 1, "kill");
}

static void *nothing(void *unused)
{
    return NULL;
}

static void create_join(void)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    must(errno == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static uint32_t turn[32]; // 0: ours, 1: the other's, 2: the end; words far apart
static pthread_t other;

static void wait_for(uint32_t *word, uint32_t while_it_is)
{
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == while_it_is) {
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, while_it_is, NULL);
    }
}

static void give(uint32_t *word, uint32_t to)
{
    __atomic_store_n(word, to, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

static void *answer(void *unused)
{
    for (;;) {
        wait_for(turn, 0);
        if (turn[0] == 2) {
            return NULL;
        }
        give(turn, 0);
    }
}

static void make_thread(void)
{
    must(syscall(SYS_futex, turn, FUTEX_WAKE_PRIVATE, 1) == 0, "futex");
    errno = pthread_create(&other, NULL, answer, NULL);
    must(errno == 0, "pthread_create");
}

static void futex_ping_pong(void)
{
    give(turn, 1);
    wait_for(turn, 1);
}

static void end_thread(void)
{
    give(turn, 2);
    pthread_join(other, NULL);
}

static void yield(void)
{
    sched_yield();
}

static const struct row rows[] = {
    {"null call", 20000, NULL, null_call, NULL},
    {"read /dev/zero", 20000, open_zero, read_one, NULL},
    {"write /dev/null", 20000, open_null, write_one, NULL},
    {"stat", 5000, make_file, stat_file, NULL},
    {"open+close", 5000, make_file, open_close, NULL},
    {"pipe 1 B", 5000, make_pipe, pipe_byte, NULL},
    {"pipe 4 KiB", 5000, make_pipe, pipe_page, NULL},
    {"pipe ping-pong", 2000, make_echo, ping_pong, end_echo},
    {"mmap+munmap", 2000, NULL, map_unmap, NULL},
    {"touching 16 pages", 500, NULL, map_touch, NULL},
    {"fork+exit+wait", 100, NULL, fork_exit, NULL},
    {"fork+exec+wait", 50, NULL, fork_exec, NULL},
    {"signal to self", 3000, set_action, signal_self, NULL},
    {"thread create+join", 500, NULL, create_join, NULL},
    {"futex ping-pong", 2000, make_thread, futex_ping_pong, end_thread},
    {"sched_yield", 20000, NULL, yield, NULL},
    {"4 KiB file read", 5000, make_file, read_page, NULL},
    {"4 KiB file write", 5000, make_file, write_page, NULL},
    {"create+unlink", 2000, NULL, create_unlink, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void measure(const struct row *row)
{
    if (row->prepare != NULL) {
        row->prepare();
    }
    for (int i = 0; i < row->rounds / 10 + 2; i++) {
        row->operation();
    }
    uint64_t began = counter();
    for (int i = 0; i < row->rounds; i++) {
        row->operation();
    }
    uint64_t ticks = counter() - began;
    if (row->finish != NULL) {
        row->finish();
    }
    printf("%.1f\n", (double)ticks / row->rounds);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1 && strcmp(argv[1], "nothing") == 0) {
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "now") == 0) {
        printf("%llu\n", (unsigned long long)counter());
        return 0;
    }
    for (unsigned i = 0; i < ROWS; i++) {
        if (argc == 1) {
            puts(rows[i].name);
        } else if (strcmp(argv[1], rows[i].name) == 0) {
            measure(&rows[i]);
            return 0;
        }
    }
    return argc == 1 ? 0 : 1;
}
