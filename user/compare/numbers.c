// Numbers of processes are used again: what was opened of the one that had the number before tells nothing of the next.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"

static char path[64], text[4096];

static int of(int pid, const char *name, int flags)
{
    snprintf(path, sizeof(path), "/proc/%d%s%s", pid, *name != 0 ? "/" : "", name);
    return open(path, flags);
}

static void reads(const char *what, int fd)
{
    errno = 0;
    long got = pread(fd, text, sizeof(text) - 1, 0);
    if (got < 0) {
        fact(what, "%s", strerrorname_np(errno));
    } else {
        fact(what, "%s", got > 0 ? "something" : "nothing");
    }
}

static void entries(const char *what, int directory)
{
    int count = 0;
    char buffer[1024];
    errno = 0;
    for (long got; (got = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0;) {
        count++;
    }
    fact(what, "%s%s", count > 0 ? "some" : "none", errno != 0 ? ", then an error" : "");
}

static int sleeper(void)
{
    int pid = fork();
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid;
}

static int set_most(const char *value)
{
    int fd = open("/proc/sys/kernel/pid_max", O_WRONLY);
    long done = write(fd, value, strlen(value));
    close(fd);
    return done > 0 ? 0 : -1;
}

// The process of that number; at most so many tries.
static int with_number(int wanted)
{
    for (int tries = 0; tries < 4000; tries++) {
        int pid = fork();
        if (pid == 0) {
            if (getpid() == wanted) {
                chdir("/tmp");
                for (;;) {
                    pause();
                }
            }
            _exit(0);
        }
        if (pid == wanted) {
            return pid;
        }
        waitpid(pid, NULL, 0);
    }
    return -1;
}

int main(void)
{
    mkdir("/tmp", 0777);
    FACT_OK(set_most("300"));
    FACT_OK(set_most("4194305"));
    FACT_OK(set_most("1000"));
    int old = sleeper();
    while (old < 301) { // numbers below are not used again
        kill(old, SIGKILL);
        waitpid(old, NULL, 0);
        old = sleeper();
    }
    int directory = of(old, "", O_RDONLY | O_DIRECTORY), stat = of(old, "stat", O_RDONLY);
    int status = of(old, "status", O_RDONLY), files = of(old, "fd", O_RDONLY), tasks = of(old, "task", O_RDONLY);
    int maps = of(old, "maps", O_RDONLY), words = of(old, "cmdline", O_RDONLY), comm = of(old, "comm", O_RDWR);
    int score = of(old, "oom_score_adj", O_RDWR), place = of(old, "", O_PATH),
        cwd = of(old, "cwd", O_PATH | O_NOFOLLOW);
    snprintf(text, sizeof(text), "task/%d", old);
    int task = of(old, text, O_RDONLY), statm = of(old, "statm", O_RDONLY);
    reads("stat while it lives", stat);
    kill(old, SIGKILL);
    waitpid(old, NULL, 0);
    int fresh = with_number(old);
    fact("the number is used again", "%d", fresh == old);
    reads("stat", stat);
    reads("status", status);
    reads("maps", maps);
    reads("cmdline", words);
    reads("comm", comm);
    reads("statm", statm);
    reads("oom_score_adj", score);
    FACT(pwrite(score, "500", 3, 0));
    FACT_OK(openat(directory, "stat", O_RDONLY));
    FACT_OK(openat(place, "status", O_RDONLY));
    FACT_OK(openat(directory, "cwd", O_RDONLY));
    FACT_OK(openat(files, "0", O_RDONLY));
    FACT_OK(openat(task, "stat", O_RDONLY));
    FACT(readlinkat(directory, "exe", text, sizeof(text)));
    FACT(faccessat(directory, "root", F_OK, 0));
    entries("its directory", directory);
    entries("its files", files);
    entries("its tasks", tasks);
    entries("its task", task);
    int now = of(old, "oom_score_adj", O_RDONLY);
    long got = read(now, text, sizeof(text) - 1);
    text[got > 0 ? got - 1 : 0] = 0;
    fact("the new one's score", "%s", text);
    kill(fresh, SIGKILL);
    waitpid(fresh, NULL, 0);
    FACT_OK(set_most("32768"));
    (void)cwd;
    return 0;
}
