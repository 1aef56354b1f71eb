// Memory runs out while many want some: nobody's hog goes, and root's small process beside it lives.
#include "facts.h"

#define MIB (1l << 20)
#define NOBODY 65534
#define MANY 150

static volatile int *begin;
static pid_t small[MANY];

static void touch(long size)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (long i = 0; i < size; i += PAGE) {
        at[i] = 1;
    }
}

static void rest(void)
{
    for (;;) {
        pause();
    }
}

static void be_nobody(void)
{
    setresgid(NOBODY, NOBODY, NOBODY);
    setresuid(NOBODY, NOBODY, NOBODY);
}

int main(void)
{
    long all = sysconf(_SC_AVPHYS_PAGES) * (long)PAGE;
    begin = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t good = fork();
    if (good == 0) {
        touch(8 * MIB);
        rest();
    }
    for (int i = 0; i < MANY; i++) { // each has less than the good one
        small[i] = fork();
        if (small[i] == 0) {
            be_nobody();
            while (!*begin) {
                usleep(10000);
            }
            touch(MIB);
            rest();
        }
    }
    pid_t hog = fork();
    if (hog == 0) {
        be_nobody();
        touch(all - MANY * MIB);
        *begin = 1;
        touch(MANY * 2 * MIB);
        rest();
    }
    int status, got = 0;
    fact("the hog", "%s", waitpid(hog, &status, 0) == hog && WIFSIGNALED(status) ? "is killed" : "?");
    for (int i = 0; i < 30 && got == 0; i++) {
        usleep(100000);
        got = waitpid(good, &status, WNOHANG);
    }
    fact("root's process", "%s", got == 0 ? "lives" : "has gone, too");
    kill(good, SIGKILL);
    for (int i = 0; i < MANY; i++) {
        kill(small[i], SIGKILL);
    }
    while (wait(NULL) > 0) {
    }
    return 0;
}
