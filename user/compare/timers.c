// Interval timers and POSIX timers: what they refuse, when they come, what they tell; and what processes have used.
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "facts.h"

#define NS 1000000000ll
#define MS 1000000ll

static volatile sig_atomic_t alarms;
static volatile int last_code, last_overrun, last_value;

static long long now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * NS + time.tv_nsec;
}

static void on_alarm(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    alarms++;
    last_code = info->si_code, last_overrun = info->si_overrun, last_value = info->si_value.sival_int;
}

static void catch (int signal)
{
    struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

static void burn(long long ns)
{
    long long until = now(CLOCK_PROCESS_CPUTIME_ID) + ns;
    while (now(CLOCK_PROCESS_CPUTIME_ID) < until) {
        for (volatile int i = 0; i < 20000; i++) {
        }
    }
}

static void nap(long long ns)
{
    long long until = now(CLOCK_MONOTONIC) + ns;
    struct timespec at = {until / NS, until % NS};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0) {
    }
}

static void intervals(void)
{
    struct itimerval set = {.it_value = {0, 30000}}, old = {.it_value = {7, 7}};
    catch (SIGALRM), catch (SIGVTALRM), catch (SIGPROF);
    FACT(getitimer(ITIMER_REAL, &old));
    fact("at first", "%ld.%06ld", (long)old.it_value.tv_sec, (long)old.it_value.tv_usec);
    FACT(getitimer(3, &old));
    FACT(getitimer(ITIMER_REAL, NULL));
    FACT(setitimer(9, &set, NULL));
    set.it_value.tv_usec = 1000000;
    FACT(setitimer(ITIMER_REAL, &set, NULL));
    set.it_value = (struct timeval){-1, 0};
    FACT(setitimer(ITIMER_REAL, &set, NULL));
    set.it_value = (struct timeval){0, 30000};
    FACT(setitimer(ITIMER_REAL, &set, &old));
    FACT(getitimer(ITIMER_REAL, &old));
    fact("left", "%d", old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 30000);
    nap(60 * MS);
    fact("alarms", "%d code %d", alarms, last_code);
    FACT(getitimer(ITIMER_REAL, &old));
    fact("spent", "%ld.%06ld", (long)old.it_value.tv_sec, (long)old.it_value.tv_usec);
    alarms = 0;
    set.it_interval = set.it_value;
    FACT(setitimer(ITIMER_REAL, &set, NULL));
    while (alarms < 4) {
        pause();
    }
    fact("again and again", "%d", alarms >= 4);
    set.it_value.tv_usec = 0;
    FACT(setitimer(ITIMER_REAL, &set, &old));
    fact("interval", "%ld", (long)old.it_interval.tv_usec);
    alarms = 0;
    FACT(alarm(100));
    FACT(alarm(0));
    FACT(syscall(SYS_setitimer, ITIMER_REAL, NULL, NULL));
    set = (struct itimerval){.it_value = {0, 20000}};
    FACT(setitimer(ITIMER_VIRTUAL, &set, NULL));
    nap(50 * MS);
    fact("virtual while asleep", "%d", alarms);
    burn(200 * MS);
    fact("virtual after work", "%d", alarms);
    alarms = 0;
    FACT(setitimer(ITIMER_PROF, &set, NULL));
    burn(200 * MS);
    fact("profiling after work", "%d", alarms);
    set.it_value = (struct timeval){1, 0};
    FACT(setitimer(ITIMER_REAL, &set, NULL));
    fflush(stdout);
    if (fork() == 0) {
        FACT(getitimer(ITIMER_REAL, &old));
        fact("a child's", "%ld", (long)old.it_value.tv_sec);
        _exit(0);
    }
    wait(NULL);
    alarm(0);
}

static void creation(void)
{
    timer_t id;
    int number;
    for (int clock = -1; clock <= 12; clock++) {
        if (clock == 8 || clock == 9) {
            continue;
        }
        fact("clock", "%d", clock);
        fact_success(" create", syscall(SYS_timer_create, clock, NULL, &number));
    }
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 0};
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &number));
    event.sigev_signo = 65;
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &number));
    event.sigev_notify = 7;
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &number));
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = 999999;
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &number));
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &number));
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8));
    FACT(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, NULL));
    FACT(timer_create(CLOCK_MONOTONIC, NULL, &id));
    number = (int)(long)id;
    struct itimerspec bad = {.it_value = {0, NS}}, negative = {.it_value = {-1, 0}}, good = {.it_value = {100, 0}},
                      seen;
    FACT(syscall(SYS_timer_settime, number, 0, &bad, NULL));
    FACT(syscall(SYS_timer_settime, number, 0, &negative, NULL));
    FACT(syscall(SYS_timer_settime, number, 0, NULL, NULL));
    FACT(syscall(SYS_timer_settime, number, 0, 8, NULL));
    FACT(syscall(SYS_timer_settime, 4711, 0, &good, NULL));
    FACT(syscall(SYS_timer_gettime, 4711, &seen));
    FACT(syscall(SYS_timer_getoverrun, 4711));
    FACT(syscall(SYS_timer_delete, 4711));
    FACT(syscall(SYS_timer_gettime, number, NULL));
    FACT(syscall(SYS_timer_gettime, number, &seen));
    fact("not armed", "%ld.%09ld", (long)seen.it_value.tv_sec, seen.it_value.tv_nsec);
    FACT(syscall(SYS_timer_settime, number, 0, &good, &seen));
    FACT(syscall(SYS_timer_gettime, number, &seen));
    fact("armed", "%d", seen.it_value.tv_sec == 99 || seen.it_value.tv_sec == 100);
    FACT(syscall(SYS_timer_delete, number));
    FACT(syscall(SYS_timer_delete, number));
}

static void expiry(clockid_t clock)
{
    timer_t id;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 77};
    struct itimerspec set = {.it_value = {0, 10 * MS}}, seen;
    fact("on clock", "%d", clock);
    catch (SIGRTMIN + 1);
    alarms = 0;
    FACT(timer_create(clock, &event, &id));
    FACT(timer_settime(id, 0, &set, NULL));
    nap(40 * MS);
    fact("once", "%d code %d overrun %d value %d", alarms, last_code, last_overrun, last_value);
    FACT(timer_gettime(id, &seen));
    fact("then", "%ld.%09ld", (long)seen.it_value.tv_sec, seen.it_value.tv_nsec);
    alarms = 0;
    long long at = now(clock) + 20 * MS;
    set = (struct itimerspec){.it_value = {at / NS, at % NS}};
    FACT(timer_settime(id, TIMER_ABSTIME, &set, NULL));
    nap(40 * MS);
    fact("absolute", "%d", alarms);
    alarms = 0;
    set.it_value = (struct timespec){0, 1}; // long past
    FACT(timer_settime(id, TIMER_ABSTIME, &set, NULL));
    nap(2 * MS);
    fact("past", "%d", alarms);
    alarms = 0;
    set = (struct itimerspec){.it_value = {0, 10 * MS}, .it_interval = {0, 10 * MS}};
    sigset_t blocked;
    sigemptyset(&blocked), sigaddset(&blocked, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    FACT(timer_settime(id, 0, &set, NULL));
    nap(55 * MS);
    FACT(timer_getoverrun(id));
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    fact("blocked for five", "%d, overruns %d", alarms, last_overrun >= 4 && last_overrun <= 6);
    fact("told", "%d", timer_getoverrun(id) == last_overrun);
    set = (struct itimerspec){0};
    FACT(timer_settime(id, 0, &set, &seen));
    fact("interval", "%ld", seen.it_interval.tv_nsec);
    alarms = 0;
    nap(30 * MS);
    fact("disarmed", "%d", alarms);
    FACT(timer_delete(id));
}

static void ways(void)
{
    timer_t id;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    struct itimerspec set = {.it_value = {0, 5 * MS}, .it_interval = {1, 0}}, seen;
    FACT(timer_create(CLOCK_MONOTONIC, &event, &id));
    FACT(timer_settime(id, 0, &set, NULL));
    nap(20 * MS);
    FACT(timer_gettime(id, &seen));
    fact("a quiet one goes on", "%d", seen.it_value.tv_nsec > 900 * MS);
    FACT(timer_delete(id));
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5};
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    catch (SIGUSR1);
    alarms = 0;
    set.it_interval = (struct timespec){0};
    FACT(timer_create(CLOCK_MONOTONIC, &event, &id));
    FACT(timer_settime(id, 0, &set, NULL));
    nap(20 * MS);
    fact("to a thread", "%d code %d value %d", alarms, last_code, last_value);
    FACT(timer_delete(id));
    alarms = 0;
    FACT(timer_create(CLOCK_PROCESS_CPUTIME_ID, NULL, &id));
    catch (SIGALRM);
    set.it_value.tv_nsec = 20 * MS;
    FACT(timer_settime(id, 0, &set, NULL));
    nap(50 * MS);
    fact("cpu time while asleep", "%d", alarms);
    burn(200 * MS);
    fact("cpu time after work", "%d code %d", alarms, last_code);
    FACT(timer_delete(id));
    FACT(timer_create(CLOCK_MONOTONIC, NULL, &id));
    set.it_value = (struct timespec){0, 20 * MS};
    FACT(timer_settime(id, 0, &set, NULL));
    fflush(stdout);
    if (fork() == 0) {
        FACT(syscall(SYS_timer_gettime, (int)(long)id, &seen));
        _exit(0);
    }
    wait(NULL);
    FACT(timer_delete(id));
    // Ignored: it goes on all the same.
    signal(SIGALRM, SIG_IGN);
    FACT(timer_create(CLOCK_MONOTONIC, NULL, &id));
    set = (struct itimerspec){.it_value = {0, 5 * MS}, .it_interval = {0, 5 * MS}};
    FACT(timer_settime(id, 0, &set, NULL));
    nap(20 * MS);
    FACT(timer_gettime(id, &seen));
    fact("ignored", "%d", seen.it_value.tv_nsec > 0 && seen.it_interval.tv_nsec == 5 * MS);
    FACT(timer_delete(id));
}

static long long of(struct timeval time)
{
    return time.tv_sec * NS + time.tv_usec * 1000ll;
}

static void usage(void)
{
    struct rusage before, after, children;
    struct tms times_of;
    FACT(getrusage(5, &before));
    FACT(getrusage(RUSAGE_SELF, NULL));
    FACT(getrusage(RUSAGE_SELF, &before));
    burn(120 * MS);
    volatile char *at = mmap(NULL, 64 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int page = 0; page < 64; page++) {
        at[page * PAGE] = 1;
    }
    FACT(getrusage(RUSAGE_SELF, &after));
    long long used = of(after.ru_utime) + of(after.ru_stime) - of(before.ru_utime) - of(before.ru_stime);
    fact("time", "%d", used >= 100 * MS && used < 3 * NS);
    fact("faults", "%d", after.ru_minflt - before.ru_minflt >= 64);
    fact("resident", "%d", after.ru_maxrss >= 256 && after.ru_maxrss < 65536);
    nap(2 * MS);
    getrusage(RUSAGE_THREAD, &before);
    fact("a thread's", "%d", of(before.ru_utime) + of(before.ru_stime) >= 100 * MS && before.ru_nvcsw > 0);
    FACT(getrusage(RUSAGE_CHILDREN, &before));
    if (fork() == 0) {
        burn(60 * MS);
        _exit(3);
    }
    int status;
    wait4(-1, &status, 0, &children);
    fact_status("a child", status);
    fact("its time", "%d", of(children.ru_utime) + of(children.ru_stime) >= 50 * MS);
    FACT(getrusage(RUSAGE_CHILDREN, &after));
    used = of(after.ru_utime) + of(after.ru_stime) - of(before.ru_utime) - of(before.ru_stime);
    fact("children's time", "%d", used >= 50 * MS && used < 3 * NS);
    fact("times", "%d", times(&times_of) > 0);
    fact("ticks", "%d",
         times_of.tms_utime + times_of.tms_stime >= 10 && times_of.tms_cutime + times_of.tms_cstime >= 5);
    FACT_OK(syscall(SYS_times, NULL));
    FACT(syscall(SYS_times, 8));
}

int main(void)
{
    intervals();
    creation();
    expiry(CLOCK_REALTIME);
    expiry(CLOCK_MONOTONIC);
    expiry(CLOCK_BOOTTIME);
    ways();
    usage();
    return 0;
}
