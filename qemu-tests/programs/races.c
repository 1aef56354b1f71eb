// What two processes do to one directory at a time: nobody gets past a right that is asked on the way.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <time.h>

#include "facts.h"

#define SECONDS 4

static void be(unsigned user)
{
    setresgid(user, user, user);
    setresuid(user, user, user);
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

// A stranger renames onto a name that is free when he looks, and others' by the time it is done.
static void a_sticky_directory(void)
{
    pid_t strangers[2];
    mkdir("/sticky", 0777);
    chmod("/sticky", 01777);
    for (int i = 0; i < 2; i++) {
        strangers[i] = fork();
        if (strangers[i] == 0) {
            char own[24];
            be(1001);
            snprintf(own, sizeof(own), "/sticky/own%d", i);
            for (;;) {
                close(open(own, O_CREAT | O_RDWR, 0644));
                (void)(rename(own, "/sticky/place") == 0 && rename("/sticky/place", own) == 0);
            }
        }
    }
    pid_t owner = fork();
    if (owner == 0) {
        int made = 0, taken = 0;
        be(1000);
        for (long end = now() + SECONDS; now() < end;) {
            struct stat stat;
            int fd = open("/sticky/place", O_CREAT | O_EXCL | O_RDWR, 0600);
            if (fd < 0) {
                continue;
            }
            made++;
            for (volatile int i = 0; i < 1000; i++) {
            }
            fstat(fd, &stat);
            taken += stat.st_nlink == 0;
            close(fd);
            unlink("/sticky/place");
        }
        fact("made many", "%d", made > 100);
        fact("taken by a stranger", "%d", taken);
        _exit(0);
    }
    waitpid(owner, NULL, 0);
    for (int i = 0; i < 2; i++) {
        kill(strangers[i], SIGKILL);
        waitpid(strangers[i], NULL, 0);
    }
}

static void a_directory_that_moves_out(void)
{
    struct open_how beneath = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
    struct open_how in_root = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
    static const char *const directories[] = {"/r", "/r/jail", "/r/jail/a", "/r/jail/a/b", "/r/out", "/r/out/o"};
    for (unsigned i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        mkdir(directories[i], 0755);
    }
    close(open("/r/out/secret", O_CREAT | O_RDWR, 0644));
    pid_t mover = fork();
    if (mover == 0) {
        for (;;) {
            rename("/r/jail/a/b", "/r/out/o/b");
            rename("/r/out/o/b", "/r/jail/a/b");
        }
    }
    int jail = open("/r/jail", O_PATH | O_DIRECTORY), out = 0, tries = 0;
    for (long end = now() + SECONDS; now() < end; tries++) {
        out += syscall(SYS_openat2, jail, "a/b/../../secret", &beneath, sizeof(beneath)) >= 0;
        out += syscall(SYS_openat2, jail, "a/b/../../secret", &in_root, sizeof(in_root)) >= 0;
    }
    kill(mover, SIGKILL);
    waitpid(mover, NULL, 0);
    fact("tried often", "%d", tries > 1000);
    fact("got out", "%d", out > 0);
}

int main(void)
{
    a_sticky_directory();
    a_directory_that_moves_out();
    return 0;
}
