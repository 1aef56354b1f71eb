// A user who wants the machine for himself, in every way at once, and root, who wants an answer now and then.
// hostile SECONDS: for so long. Prints how often root was answered, the longest that it took, and what stays afterwards.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USER 1000
#define PLACE "/hostile"

// --- objects without end -------------------------------------------------------------------------------------------

static void a_links(unsigned i)
{
    char name[300], target[4000];
    memset(target, 'x', sizeof(target) - 1);
    target[sizeof(target) - 1] = 0;
    snprintf(name, sizeof(name), PLACE "/link%d-%u", getpid(), i);
    symlink(target, name);
}

static void a_files(unsigned i)
{
    char name[300];
    snprintf(name, sizeof(name), PLACE "/file%d-%0200u", getpid(), i);
    close(open(name, O_CREAT | O_WRONLY, 0600));
    snprintf(name, sizeof(name), PLACE "/folder%d-%u", getpid(), i);
    mkdir(name, 0700);
}

static void a_contents(unsigned i)
{
    static char block[65536];
    static int fd = -1;
    if (fd < 0 || i % 64 == 0) {
        char name[60];
        snprintf(name, sizeof(name), PLACE "/big%d-%u", getpid(), i);
        fd = open(name, O_CREAT | O_WRONLY, 0600);
    }
    write(fd, block, sizeof(block));
}

static void a_pipes(unsigned i)
{
    static char block[65536];
    int ends[2];
    if (pipe(ends) == 0) {
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        while (write(ends[1], block, sizeof(block)) > 0) {
        }
    }
}

static void a_terminals(unsigned i)
{
    int master = open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY), no = 0;
    char name[40];
    ioctl(master, 0x40045431, &no); // TIOCSPTLCK
    if (ioctl(master, 0x80045430, &no) == 0) { // TIOCGPTN
        snprintf(name, sizeof(name), "/dev/pts/%d", no);
        open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
        write(master, "line\nline\n", 10);
    }
}

static void a_watches(unsigned i)
{
    static int ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    if (i == 0) {
        pipe(ends);
    }
    int set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event);
}

static void a_layers(unsigned i) // sets that watch all sets of the layer below
{
    static int before[40], now[40];
    struct epoll_event event = {.events = EPOLLIN};
    for (unsigned n = 0; n < 40; n++) {
        now[n] = epoll_create1(0);
        for (unsigned below = 0; below < 40 && i > 0; below++) {
            epoll_ctl(now[n], EPOLL_CTL_ADD, before[below], &event);
        }
    }
    memcpy(before, now, sizeof(now));
}

static void a_locks(unsigned i)
{
    static int fd = -1;
    if (fd < 0) {
        fd = open(PLACE "/locked", O_CREAT | O_RDWR, 0600);
    }
    struct flock lock = {.l_type = i % 2 ? F_RDLCK : F_WRLCK, .l_start = 2l * i, .l_len = 1};
    fcntl(fd, F_SETLK, &lock);
}

static void a_memory_files(unsigned i)
{
    int fd = memfd_create("x", 0);
    ftruncate(fd, 1 << 20);
    char *bytes = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    for (unsigned at = 0; bytes != MAP_FAILED && at < 1 << 20; at += 4096) {
        bytes[at] = 1;
    }
}

static void a_areas(unsigned i)
{
    char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(at, 4096, PROT_READ);
}

static void a_tables(unsigned i) // a page in each gigabyte
{
    char *at = mmap((void *)(0x4000000000ul + ((uint64_t)i << 21)), 4096, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != MAP_FAILED) {
        *at = 1;
    }
}

static void a_memory(unsigned i)
{
    char *at = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned n = 0; at != MAP_FAILED && n < 1 << 18; n += 4096) {
        at[n] = 1;
    }
    if (i % 200 == 0) {
        mlock(at, 1 << 18);
    }
}

static void a_descriptors(unsigned i)
{
    open("/dev/null", O_RDONLY);
    open("/proc/self/status", O_RDONLY);
}

static void a_signals(unsigned i)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    sigqueue(getpid(), SIGRTMIN + (int)(i % 20), (union sigval){0});
}

// --- work that others must do --------------------------------------------------------------------------------------

static void block_all(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void a_timers(unsigned i)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    block_all();
    if (timer_create(i % 3 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0) {
        timer_settime(timer, 0, &(struct itimerspec){{0, 1}, {0, 1}}, NULL);
    } else {
        usleep(1000);
    }
}

static void a_timer_files(unsigned i)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    timerfd_settime(fd, 0, &(struct itimerspec){{0, 1}, {0, 1}}, NULL);
}

static void a_alarms(unsigned i)
{
    signal(SIGALRM, SIG_IGN);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1}, {0, 1}}, NULL);
    for (unsigned n = 0; n < 100000; n++) {
        getppid();
    }
}

static void a_sleeps(unsigned i)
{
    nanosleep(&(struct timespec){0, 1}, NULL);
}

static void a_yields(unsigned i)
{
    sched_yield();
    setpriority(PRIO_PROCESS, 0, -20);
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){99});
}

static void a_hole(unsigned i) // longer than anybody lives
{
    static int fd = -1;
    if (fd < 0) {
        fd = open(PLACE "/hole", O_CREAT | O_RDWR, 0600);
    }
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1l << 56);
}

static char *much(void)
{
    static char *at;
    if (at == NULL) {
        at = mmap(NULL, 1ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    return at;
}

static void a_random(unsigned i)
{
    getrandom(much(), 1ul << 30, 0);
}

static void a_zeroes(unsigned i)
{
    read(open("/dev/zero", O_RDONLY), much(), 1ul << 30);
}

static void a_copies(unsigned i)
{
    int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
    sendfile(out, in, NULL, 1ul << 40);
    close(in);
    close(out);
}

static void a_texts(unsigned i)
{
    static char text[65536];
    static const char *const names[] = {"/proc/self/maps", "/proc/meminfo", "/proc/stat", "/proc/self/status", "/proc/mounts"};
    int fd = open(names[i % 5], O_RDONLY);
    while (read(fd, text, sizeof(text)) > 0) {
    }
    close(fd);
    DIR *all = opendir("/proc");
    while (all != NULL && readdir(all) != NULL) {
    }
    closedir(all);
}

static void handled(int signal, siginfo_t *info, void *context)
{
    ((uint64_t *)context)[0] = 0;
    _exit(0);
}

static void a_faults(unsigned i)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (i % 2) {
            sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = handled, .sa_flags = SA_SIGINFO}, NULL);
        }
        *(volatile int *)16 = 1;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void *spin(void *unused)
{
    for (;;) {
        getppid();
    }
}

static void a_threads(unsigned i)
{
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_create(&thread, &small, spin, NULL);
}

static void a_forks(unsigned i)
{
    if (fork() == 0 && fork() == 0) {
        setsid();
    }
}

static void a_kills(unsigned i)
{
    kill(1, SIGKILL);
    kill(1, SIGSTOP);
    kill(getppid(), SIGKILL);
    kill(getppid(), SIGSTOP);
    kill(2, SIGKILL);
}

static void (*const attacks[])(unsigned) = {
    a_links,   a_files,  a_contents,    a_pipes,  a_terminals, a_watches, a_layers, a_locks,  a_memory_files, a_areas,
    a_tables,  a_memory, a_descriptors, a_signals, a_timers,   a_timer_files, a_alarms, a_sleeps, a_yields,   a_hole,
    a_random,  a_zeroes, a_copies,      a_texts,  a_faults,    a_threads, a_forks,  a_kills};
#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

// --- root ----------------------------------------------------------------------------------------------------------

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long kilobytes(const char *what)
{
    char line[100];
    long value = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0) {
            value = atol(line + strlen(what));
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return value;
}

static void become_user(void)
{
    syscall(SYS_setgroups, 0, NULL);
    syscall(SYS_setresgid, USER, USER, USER);
    syscall(SYS_setresuid, USER, USER, USER);
}

static pid_t attack(unsigned which)
{
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        become_user();
        for (unsigned i = 0;; i++) {
            attacks[which](i);
        }
    }
    return pid;
}

// A shell that says something. True: it did.
static int ask(double *took)
{
    int ends[2], status = -1;
    char said[16] = "";
    double began = now();
    if (pipe(ends) != 0) {
        printf("not answered: %s\n", strerror(errno));
        return 0;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c", "echo here | cat", NULL);
        _exit(127);
    }
    close(ends[1]);
    ssize_t size = pid > 0 ? read(ends[0], said, sizeof(said) - 1) : -1;
    close(ends[0]);
    if (pid > 0) {
        waitpid(pid, &status, 0);
    }
    *took = now() - began;
    int heard = size == 5 && status == 0 && strcmp(said, "here\n") == 0;
    if (!heard) {
        printf("not answered: fork %d, read %zd, status %x\n", pid, size, status);
    }
    return heard;
}

static unsigned processes_of_user(void);

static void end_user(void)
{
    for (unsigned rounds = 0; rounds < 500 && (rounds < 5 || processes_of_user() > 0); rounds++) {
        pid_t pid = fork();
        if (pid == 0) {
            become_user();
            _exit(kill(-1, SIGKILL) != 0);
        }
        int status = 0;
        while (waitpid(-1, &status, WNOHANG) > 0) {
        }
        usleep(20000);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

static unsigned processes_of_user(void)
{
    char path[300];
    unsigned count = 0;
    struct stat status;
    DIR *all = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%s", entry->d_name);
        count += atoi(entry->d_name) > 0 && stat(path, &status) == 0 && status.st_uid == USER;
    }
    closedir(all);
    return count;
}

int main(int argc, char **argv)
{
    pid_t pids[ATTACKS];
    unsigned asked = 0, answered = 0, ended = 0;
    double seconds = argc > 1 ? atof(argv[1]) : 10, took, longest = 0, began = now();
    mkdir(PLACE, 0700);
    mount("t", PLACE, "tmpfs", 0, "mode=1777");
    chmod(PLACE, 01777);
    mount("devpts", "/dev/pts", "devpts", 0, NULL);
    ask(&took); // what the first one leaves behind stays
    long before = kilobytes("MemFree:");
    for (unsigned i = 0; i < ATTACKS; i++) {
        pids[i] = attack(i);
    }
    while (now() - began < seconds) {
        usleep(500000);
        asked++;
        answered += (unsigned)ask(&took);
        longest = took > longest ? took : longest;
        for (unsigned i = 0; i < ATTACKS; i++) { // who was killed for want of memory begins anew
            if (pids[i] > 0 && waitpid(pids[i], NULL, WNOHANG) == pids[i]) {
                ended++;
                pids[i] = attack(i);
            }
        }
    }
    end_user();
    umount2(PLACE, 0);
    unsigned left = processes_of_user();
    answered += (unsigned)ask(&took);
    long after = kilobytes("MemFree:");
    printf("asked %u answered %u longest %.2f ended %u\n", asked + 1, answered, longest, ended);
    printf("left: %u processes, %ld KiB\n", left, before - after > 0 ? before - after : 0);
    return 0;
}
