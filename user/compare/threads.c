// Threads: what they share, how they end, and the locks that they sleep on.
#include <linux/futex.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include "facts.h"

static const char *program;
static int counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static _Thread_local int mine = 7;

static void *count(void *argument)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    mine += (int)(intptr_t)argument;
    return (void *)(intptr_t)mine;
}

static void sharing(void)
{
    pthread_t threads[8];
    long sum = 0;
    for (intptr_t i = 0; i < 8; i++) {
        FACT(pthread_create(&threads[i], NULL, count, (void *)i));
    }
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    fact("counted under a mutex", "%d", counter);
    fact("thread-local", "%ld, here %d", sum, mine);
}

static void *many(void *argument)
{
    return NULL;
}

static void create_and_join(void)
{
    int good = 0;
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        good += pthread_create(&thread, NULL, many, NULL) == 0 && pthread_join(thread, NULL) == 0;
    }
    fact("500 created and joined", "%d", good);
}

static int turn;
static void *alternate(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        while (turn != me) {
            pthread_cond_wait(&changed, &lock);
        }
        turn = 1 - me;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void conditions(void)
{
    pthread_t a, b;
    pthread_create(&a, NULL, alternate, (void *)0);
    pthread_create(&b, NULL, alternate, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    fact("400 turns taken, the next is", "%d", turn);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec = (soon.tv_nsec + 20000000) % 1000000000;
    soon.tv_sec += soon.tv_nsec < 20000000;
    pthread_mutex_lock(&lock);
    fact("a wait without a signal", "%s", strerrorname_np(pthread_cond_timedwait(&changed, &lock, &soon)));
    pthread_mutex_unlock(&lock);
}

static pthread_barrier_t barrier;
static void *meet(void *argument)
{
    int serial = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
    return (void *)(intptr_t)serial;
}

static void barriers(void)
{
    pthread_t threads[5];
    long serial = 0;
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 5; i++) {
        pthread_create(&threads[i], NULL, meet, NULL);
    }
    for (int i = 0; i < 5; i++) {
        void *result;
        pthread_join(threads[i], &result);
        serial += (long)result;
    }
    fact("at a barrier, so many are told to be the one", "%ld", serial);
}

static pthread_mutex_t special;
static void *die_with_lock(void *argument)
{
    pthread_mutex_lock(&special);
    return NULL;
}

static void special_locks(void)
{
    pthread_mutexattr_t attributes;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&special, &attributes);
    pthread_create(&thread, NULL, die_with_lock, NULL);
    pthread_join(thread, NULL);
    fact("a robust lock whose owner ended", "%s", strerrorname_np(pthread_mutex_lock(&special)));
    FACT(pthread_mutex_consistent(&special));
    FACT(pthread_mutex_unlock(&special));
    FACT(pthread_mutex_lock(&special));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&special, &attributes);
    FACT(pthread_mutex_lock(&special));
    fact("taken twice", "%s", strerrorname_np(pthread_mutex_lock(&special)));
    FACT(pthread_mutex_unlock(&special));
    fact("given up twice", "%s", strerrorname_np(pthread_mutex_unlock(&special)));
}

static pthread_mutex_t inheriting;
static int inherited;
static void *count_inheriting(void *argument)
{
    for (int i = 0; i < 300; i++) {
        pthread_mutex_lock(&inheriting);
        int seen = inherited;
        if (i % 16 == 0) {
            sched_yield();
        }
        inherited = seen + 1;
        pthread_mutex_unlock(&inheriting);
    }
    return NULL;
}

static void inheriting_locks(void)
{
    pthread_mutexattr_t attributes;
    pthread_t threads[4];
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inheriting, &attributes);
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, count_inheriting, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    fact("counted under a lock with an owner", "%d", inherited);
}

static volatile uint32_t word;
static long futex(volatile uint32_t *at, int operation, uint32_t value, const void *timeout, volatile void *at2,
                  uint32_t value3)
{
    return syscall(SYS_futex, at, operation, value, timeout, at2, value3);
}

static void *wait_on_word(void *argument)
{
    return (void *)futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(uintptr_t)argument);
}

static void futexes(void)
{
    struct timespec short_time = {0, 5000000}, bad = {0, 1000000000}, past = {0, 1};
    word = 0;
    FACT(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    FACT(futex(&word, FUTEX_WAIT, 0, &short_time, NULL, 0));
    FACT(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    FACT(futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, 1));
    FACT(futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, 0));
    FACT(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    FACT(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    FACT(futex((void *)((char *)&word + 1), FUTEX_WAKE, 1, NULL, NULL, 0));
    FACT(futex((void *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
    FACT(futex((void *)0xffff000000000000ul, FUTEX_WAKE, 1, NULL, NULL, 0));
    FACT(futex(&word, 77, 1, NULL, NULL, 0));
    FACT(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    FACT(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &counter, 5));
    pthread_t threads[3];
    for (uintptr_t i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, wait_on_word, (void *)(1ul << i));
    }
    usleep(50000);
    fact("woken by a bit", "%ld", futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2));
    fact("moved", "%ld", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)9, &counter, 0));
    fact("woken where they were", "%ld", futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    fact("woken where they are", "%ld", futex((void *)&counter, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    counter = 3;
    fact("wake and operate", "%ld",
         futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &counter, FUTEX_OP(FUTEX_OP_ADD, 4, FUTEX_OP_CMP_EQ, 3)));
    fact("operated", "%d", counter);
}

static void *end_process(void *argument)
{
    _exit(42);
}

static void *run_program(void *argument)
{
    execl(program, "threads", "again", NULL);
    return NULL;
}

static void *kill_itself(void *argument)
{
    *(volatile int *)8 = 1;
    return NULL;
}

static void *just_end(void *argument)
{
    usleep(20000);
    syscall(SYS_exit, 9);
    return NULL;
}

static void in_child(const char *what, void *(*body)(void *), bool leader_ends)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, body, NULL);
        if (leader_ends) {
            syscall(SYS_exit, 5);
        }
        for (;;) {
            pause();
        }
    }
    waitpid(child, &status, 0);
    fact(what, "%#x", status);
}

static void *ask(void *argument)
{
    return (void *)(intptr_t)(getpid() == (pid_t)(intptr_t)argument && gettid() != getpid());
}

static void identity(void)
{
    pthread_t thread;
    void *same;
    pthread_create(&thread, NULL, ask, (void *)(intptr_t)getpid());
    pthread_join(thread, &same);
    fact("a thread's numbers", "%d, mine %d", (int)(intptr_t)same, gettid() == getpid());
    FACT(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
    FACT(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    FACT(syscall(SYS_set_robust_list, NULL, 8));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        fact("after an exec by a thread", "%s, tid is pid: %d", argv[1], gettid() == getpid());
        return 6;
    }
    program = argv[0];
    identity();
    sharing();
    create_and_join();
    conditions();
    barriers();
    special_locks();
    inheriting_locks();
    futexes();
    in_child("a thread calls exit_group", end_process, false);
    in_child("a thread runs another program", run_program, false);
    in_child("a thread dies of a fault", kill_itself, false);
    in_child("the first thread ends first", just_end, true);
    return 0;
}
