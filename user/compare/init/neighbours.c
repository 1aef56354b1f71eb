// Programs that take all they can get: processes, descriptors, threads, memory. Each ends with a line that says what
// stopped it.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// As many children as there is room for, all alive at once.
static void processes(void)
{
    static pid_t children[100000];
    int count = 0, error = 0;
    for (; count < 100000; count++) {
        pid_t pid = fork();
        if (pid < 0) {
            error = errno;
            break;
        }
        if (pid == 0) {
            for (;;) {
                pause();
            }
        }
        children[count] = pid;
    }
    for (int i = 0; i < count; i++) {
        kill(children[i], SIGKILL);
    }
    while (wait(NULL) > 0) {
    }
    printf("processes: %s after %s\n", strerrorname_np(error), count > 20 ? "many" : "few");
}

static void bomb(void)
{
    for (int i = 0; i < 3; i++) {
        if (fork() < 0) {
            printf("bomb: %s\n", strerrorname_np(errno));
            fflush(stdout);
            kill(0, SIGKILL);
        }
    }
}

static void descriptors(void)
{
    int count = 0, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
        count++;
    }
    printf("descriptors: %s after %d\n", strerrorname_np(errno), count);
}

static void *sleeps(void *unused)
{
    for (;;) {
        pause();
    }
    return NULL;
}

static void threads(void)
{
    int count = 0, error = 0;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (; count < 10000 && error == 0; count++) {
        pthread_t thread;
        error = pthread_create(&thread, &small, sleeps, NULL);
    }
    printf("threads: %s after %s\n", error == 0 ? "none refused" : strerrorname_np(error), count > 20 ? "many" : "few");
    fflush(stdout);
    _exit(0);
}

static void memory(void)
{
    size_t size = (size_t)4 << 30;
    volatile char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        printf("memory: %s\n", strerrorname_np(errno));
        return;
    }
    for (size_t i = 0; i < size; i += 4096) {
        at[i] = 1;
    }
    printf("memory: all of it\n");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(what, "processes") == 0) {
        processes();
    } else if (strcmp(what, "bomb") == 0) {
        setpgid(0, 0);
        for (;;) {
            bomb();
        }
    } else if (strcmp(what, "descriptors") == 0) {
        descriptors();
    } else if (strcmp(what, "threads") == 0) {
        threads();
    } else if (strcmp(what, "memory") == 0) {
        memory();
    }
    return 0;
}
