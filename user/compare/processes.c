// fork, exec, wait, groups and sessions, what a child has and has not of its parent.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "facts.h"

static pid_t child_that(int status)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(status);
    }
    return pid;
}

static void waiting(void)
{
    int status = 77;
    FACT(wait(&status));
    FACT(waitpid(getpid(), &status, 0));
    FACT(waitpid(-1, &status, 0x1000));
    pid_t pid = child_that(3);
    FACT_OK(waitpid(pid, &status, 0));
    fact_status("exit 3", status);
    FACT(waitpid(pid, &status, 0));
    pid = child_that(256 + 9);
    FACT_OK(waitpid(pid, &status, 0));
    fact_status("exit 265", status);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pause();
    }
    FACT(waitpid(pid, &status, WNOHANG));
    kill(pid, SIGKILL);
    struct rusage usage;
    FACT_OK(wait4(pid, &status, 0, &usage));
    fact_status("killed", status);
    pid = child_that(1);
    FACT_OK(waitpid(0, NULL, 0));
}

static void waiting_by_id(void)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    pid_t pid = child_that(44);
    FACT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
    fact("waitid", "signal %d code %d status %d pid %d", info.si_signo, info.si_code, info.si_status,
         info.si_pid == pid);
    FACT(waitid(P_PGID, 1, &info, WEXITED | WNOHANG)); // its group is another one
    FACT(waitid(P_PGID, 0, &info, WEXITED | WNOHANG | WNOWAIT));
    FACT(waitid(P_ALL, 0, &info, WEXITED));
    FACT(waitid(P_ALL, 0, &info, WEXITED));
    FACT(waitid(P_ALL, 0, &info, 0));
    FACT(waitid((idtype_t)99, 0, &info, WEXITED));
    while (wait(NULL) > 0) {
    }
}

static int shared_or_not = 1;

static void inherited(void)
{
    int status, fd = open("f", O_CREAT | O_RDWR, 0600),
                *shared = mmap(NULL, PAGE, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    umask(027);
    mkdir("sub", 0755);
    fflush(stdout);
    if (fork() == 0) {
        shared_or_not = 2;
        *shared = 5;
        write(fd, "child", 5);
        umask(0);
        chdir("sub");
        setpgid(0, 0);
        close(fd);
        _exit(umask(0) == 0 ? 0 : 1);
    }
    wait(&status);
    char path[64];
    fact_status("child", status);
    fact("memory", "%d %d", shared_or_not, *shared);
    FACT(lseek(fd, 0, SEEK_CUR));
    FACT(umask(022));
    fact("folder", "%d", getcwd(path, sizeof(path)) != NULL && strstr(path, "sub") == NULL);
    rmdir("sub");
}

static void images(char *self)
{
    char *none[] = {NULL}, *arguments[] = {"a", "b c", "", NULL}, *environment[] = {"X=1", NULL};
    FACT(execve("/none", none, none));
    FACT(execve("/", none, none));
    FACT(execve("/etc/passwd", none, none));
    FACT(execve("/etc/passwd/x", none, none));
    FACT(execve("", none, none));
    int fd = open("text", O_CREAT | O_WRONLY, 0755), status;
    write(fd, "garbage\n", 8);
    close(fd);
    FACT(execve("text", none, none));
    fd = open("script", O_CREAT | O_WRONLY, 0755);
    dprintf(fd, "#! %s one two\n", self);
    close(fd);
    fd = open("lost", O_CREAT | O_WRONLY, 0755);
    dprintf(fd, "#!/none/such\n");
    close(fd);
    FACT(execve("lost", none, none));
    fflush(stdout);
    if (fork() == 0) {
        execve("./script", arguments, environment);
        _exit(99);
    }
    wait(&status);
    fact_status("a script", status);
    fflush(stdout);
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGUSR1, SIG_IGN), signal(SIGUSR2, (void (*)(int))_exit);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (fork() == 0) {
        char first[16], second[16];
        snprintf(first, 16, "%d", kept), snprintf(second, 16, "%d", closed);
        execl(self, "processes", "look", first, second, NULL);
        _exit(99);
    }
    wait(&status);
    fact_status("exec", status);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGUSR1, SIG_DFL), signal(SIGUSR2, SIG_DFL);
    close(kept), close(closed);
}

static int look(char **argv, int argc)
{
    if (strcmp(argv[1], "look") != 0) {
        for (int i = 1; i < argc; i++) {
            fact("argument", "%s", strstr(argv[i], "script") != NULL ? "script" : argv[i]);
        }
        fact("X", "%s", getenv("X"));
        return 21;
    }
    sigset_t set;
    struct sigaction one, two;
    sigprocmask(SIG_BLOCK, NULL, &set);
    sigaction(SIGUSR1, NULL, &one), sigaction(SIGUSR2, NULL, &two);
    fact("kept over exec", "mask %d ignored %d caught %d", sigismember(&set, SIGWINCH), one.sa_handler == SIG_IGN,
         two.sa_handler == SIG_DFL);
    FACT(fcntl(atoi(argv[2]), F_GETFD));
    FACT(fcntl(atoi(argv[3]), F_GETFD));
    char name[17] = {0};
    FACT(prctl(PR_GET_NAME, name));
    fact("name", "%s", name);
    return 22;
}

// A child that has become another program keeps its group.
static void group_of_program(const char *self)
{
    int ready[2], end[2], status;
    char byte;
    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(end, O_CLOEXEC) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[0], 0);
        execl(self, "processes", "stay", NULL);
        _exit(1);
    }
    close(ready[1]);
    close(end[0]);
    FACT(read(ready[0], &byte, 1)); // it has
    FACT(setpgid(pid, pid));
    close(end[1]);
    wait(&status);
    close(ready[0]);
}

static void groups(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
    }
    FACT(setpgid(pid, pid));
    fact("its own group", "%d", getpgid(pid) == pid);
    FACT(setpgid(pid, getpgrp()));
    fact("back", "%d", getpgid(pid) == getpgrp());
    FACT(setpgid(pid, 99999));
    FACT(setpgid(99999, 0));
    FACT(setpgid(-1, 0));
    FACT(setpgid(0, -1));
    FACT(getpgid(99999));
    FACT(getsid(99999));
    fact("session", "%d", getsid(pid) == getsid(0));
    FACT(setsid());
    kill(pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    fact("a zombie's", "%d %d", getpgid(pid) == getpgrp(), getsid(pid) == getsid(0));
    FACT(setpgid(pid, pid));
    FACT(kill(pid, SIGTERM));
    wait(&status);
    FACT(getpgid(pid));
    fflush(stdout);
    if (fork() == 0) {
        fact("setsid", "%d", setsid() == getpid() && getpgrp() == getpid());
        FACT(setpgid(0, 0));
        _exit(0);
    }
    wait(&status);
}

static void limits(void)
{
    struct rlimit limit, old;
    FACT(getrlimit(99, &limit));
    FACT(getrlimit(RLIMIT_NOFILE, &old));
    limit = (struct rlimit){20, old.rlim_max};
    FACT(setrlimit(RLIMIT_NOFILE, &limit));
    int last = -1, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
        last = fd;
    }
    fact("out of descriptors", "%s after %d", strerrorname_np(errno), last);
    FACT(dup(0));
    FACT(fcntl(0, F_DUPFD, 20));
    int ends[2];
    FACT(pipe(ends));
    FACT(dup2(0, 20));
    while (last >= 3) {
        close(last--);
    }
    limit = (struct rlimit){30, 10};
    FACT(setrlimit(RLIMIT_NOFILE, &limit));
    FACT(setrlimit(RLIMIT_NOFILE, &old));
    struct rlimit stack;
    FACT(getrlimit(RLIMIT_STACK, &stack));
    fact("stack", "%ld", (long)stack.rlim_cur);
}

static void misc(void)
{
    struct utsname name;
    FACT(uname(&name));
    fact("machine", "%s", name.machine);
    FACT(getuid());
    FACT(geteuid());
    FACT(getgid());
    FACT(prctl(PR_SET_NAME, "a name that is too long"));
    char text[17] = {0};
    FACT(prctl(PR_GET_NAME, text));
    fact("name", "%s", text);
    FACT(prctl(9999, 0, 0, 0, 0));
    FACT(sched_yield());
    FACT(getcwd(text, 1) == NULL);
    FACT(syscall(SYS_getcwd, text, 1));
    FACT(syscall(SYS_getcwd, text, 0));
    FACT(nanosleep(&(struct timespec){0, 1000000000}, NULL));
    FACT(nanosleep(&(struct timespec){-1, 0}, NULL));
    FACT(nanosleep(&(struct timespec){0, -1}, NULL));
    FACT(nanosleep(&(struct timespec){0, 1}, NULL));
    struct timespec time;
    FACT(clock_gettime(99, &time));
    FACT(clock_gettime(CLOCK_MONOTONIC, &time));
    FACT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time));
    FACT(clock_getres(CLOCK_MONOTONIC, &time));
    fact("resolution", "%ld", time.tv_nsec);
    FACT(syscall(9999));
    FACT(syscall(-1));
    FACT(syscall(SYS_getrandom, text, 8, 0xff));
    FACT(syscall(SYS_getrandom, text, 8, 0));
}

int main(int argc, char **argv)
{
    char byte;
    if (argc > 1) {
        return strcmp(argv[1], "stay") == 0 ? (int)read(0, &byte, 1) : look(argv, argc);
    }
    waiting();
    inherited();
    images("/compare/processes");
    groups();
    group_of_program("/compare/processes");
    limits();
    misc();
    waiting_by_id();
    return 0;
}
