// The first program of a comparison, on both kernels: runs every command of /batch under a deadline and prints what it
// wrote and how it ended, in lines that begin with a word nobody else can know.
//
// /batch: the word; then one command a line, fields separated by tabs: name, seconds, path, arguments.
// Printed: WORD start NAME · WORD out TEXT (\xNN for what is not printable) · WORD end NAME HOW · WORD done
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define OUTPUT_MAX (1l << 20) // of one command; more is cut and said
#define LINE_MAX_BYTES 400

static char *word;
static char line[LINE_MAX_BYTES * 4 + 1];
static size_t line_used, line_bytes;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void flush_line(void)
{
    printf("%s out %.*s\n", word, (int)line_used, line);
    line_used = line_bytes = 0;
}

static void emit(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= ' ' && data[i] < 0x7f && data[i] != '\\') {
            line[line_used++] = (char)data[i];
        } else {
            line_used += (size_t)sprintf(line + line_used, "\\x%02x", data[i]);
        }
        if (data[i] == '\n' || ++line_bytes == LINE_MAX_BYTES) {
            flush_line();
        }
    }
}

// Linux comes without them; Faultline has them already, or says that it cannot.
static void prepare(void)
{
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    symlink("/proc/self/fd", "/dev/fd");
    mkdir("/dev/pts", 0755);
    mount("devpts", "/dev/pts", "devpts", 0, NULL);
    mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
    if (fcntl(1, F_GETFD) < 0) {
        for (int fd = 0; fd < 3; fd++) {
            if (open("/dev/console", O_RDWR | O_NOCTTY) != fd) {
                _exit(1);
            }
        }
    }
    setenv("PATH", "/bin:/usr/bin:/sbin:/usr/sbin", 1);
    setenv("HOME", "/root", 1);
    setenv("LC_ALL", "C", 1);
    setenv("TERM", "vt100", 1);
    umask(022);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    remove(path);
    return 0;
}

static void child(int output, const char *folder, char *const argv[])
{
    int input = open("/dev/null", O_RDWR);
    if (setsid() < 0 || chdir(folder) != 0 || input < 0) {
        dprintf(output, "batch: cannot prepare: %s\n", strerror(errno));
        _exit(125);
    }
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    for (int fd = 3; fd < 32; fd++) {
        close(fd);
    }
    execv(argv[0], argv);
    dprintf(1, "batch: cannot start %s: %s\n", argv[0], strerror(errno));
    _exit(126);
}

// Reads until the command has ended and its output is at its end, or the deadline. False: the deadline.
static bool follow(pid_t pid, int output, double deadline, int *status)
{
    unsigned char data[4096];
    long printed = 0;
    bool ended = false;
    for (;;) {
        struct pollfd ready = {output, POLLIN, 0};
        int count = poll(&ready, 1, ended ? 0 : 20);
        if (count > 0) {
            ssize_t got = read(output, data, sizeof(data));
            if (got > 0 && printed <= OUTPUT_MAX) {
                emit(data, (size_t)got);
                printed += got;
                if (printed > OUTPUT_MAX) {
                    emit((const unsigned char *)"[cut]\n", 6);
                }
            }
            if (got > 0) {
                continue;
            }
        }
        if (ended) {
            return true;
        }
        if (count > 0) { // the end of its output, though it may live
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        }
        ended = waitpid(pid, status, WNOHANG) == pid;
        if (!ended && now() > deadline) {
            return false;
        }
    }
}

static void run(const char *name, double seconds, char *const argv[])
{
    static int number;
    char folder[32];
    int ends[2], status = 0;
    printf("%s start %s\n", word, name);
    fflush(stdout);
    snprintf(folder, sizeof(folder), "/tmp/%d", ++number);
    mkdir(folder, 0777);
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid == 0) {
        child(ends[1], folder, argv);
    }
    if (pid < 0) {
        printf("%s end %s cannot start: %s\n", word, name, strerror(errno));
        return;
    }
    close(ends[1]);
    bool in_time = follow(pid, ends[0], now() + seconds, &status);
    close(ends[0]);
    if (line_used > 0) {
        flush_line();
        printf("%s open\n", word); // the last line has no end
    }
    kill(-pid, SIGKILL);
    if (!in_time) {
        waitpid(pid, &status, 0);
        printf("%s end %s deadline\n", word, name);
    } else if (WIFSIGNALED(status)) {
        printf("%s end %s signal %d\n", word, name, WTERMSIG(status));
    } else {
        printf("%s end %s exit %d\n", word, name, WEXITSTATUS(status));
    }
    fflush(stdout);
    while (waitpid(-1, NULL, WNOHANG) > 0) { // orphans that it left
    }
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    char text[1024];
    prepare();
    FILE *batch = fopen("/batch", "re");
    if (batch == NULL || fgets(text, sizeof(text), batch) == NULL) {
        printf("batch: no /batch\n");
        return 1;
    }
    text[strcspn(text, "\n")] = 0;
    word = strdup(text);
    while (fgets(text, sizeof(text), batch) != NULL) {
        char *fields[ARGUMENTS_MAX + 3] = {NULL}, *rest = text;
        text[strcspn(text, "\n")] = 0;
        for (int i = 0; i < ARGUMENTS_MAX + 2 && rest != NULL; i++) {
            fields[i] = strsep(&rest, "\t");
        }
        if (fields[2] != NULL) {
            run(fields[0], strtod(fields[1], NULL), &fields[2]);
        }
    }
    printf("%s done\n", word);
    fflush(stdout);
    for (;;) { // the first process must not end
        pause();
    }
}
