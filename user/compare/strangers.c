// Who sleeps on shared memory that is mapped nowhere any more is not woken in place of others, whose memory lies where
// that was.
#include "facts.h"

#include <linux/futex.h>
#include <pthread.h>
#include <time.h>

#define WORDS 40
#define NOBODY 65534

static int *fresh_word(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static long sleep_on(int *word, const struct timespec *most)
{
    return syscall(SYS_futex, word, FUTEX_WAIT, 0, most, NULL, 0);
}

static void *sleep_for_ever(void *word)
{
    for (;;) {
        sleep_on(word, NULL);
    }
    return NULL;
}

static void stranger(int tell)
{
    static int *words[WORDS];
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 32768);
    setresuid(NOBODY, NOBODY, NOBODY);
    for (int i = 0; i < WORDS; i++) {
        words[i] = fresh_word();
        pthread_create(&thread, &small, sleep_for_ever, words[i]);
    }
    usleep(200000);
    for (int i = 0; i < WORDS; i++) {
        munmap(words[i], PAGE);
    }
    write(tell, "x", 1);
    pause();
}

int main(void)
{
    static const struct timespec most = {0, 200000000};
    int tell[2], lost = 0, status;
    char byte;
    pipe(tell);
    pid_t other = fork();
    if (other == 0) {
        stranger(tell[1]);
    }
    read(tell[0], &byte, 1);
    for (int i = 0; i < WORDS; i++) {
        int *word = fresh_word();
        pid_t sleeper = fork();
        if (sleeper == 0) {
            _exit(sleep_on(word, &most) == 0 ? 0 : 1);
        }
        usleep(20000);
        long woken = syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
        waitpid(sleeper, &status, 0);
        lost += woken == 1 && status != 0;
    }
    fact("wake-ups that others got", "%s", lost > 0 ? "some" : "none");
    kill(other, SIGKILL);
    return 0;
}
