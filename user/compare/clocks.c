// Clocks and sleeps: which there are, what they refuse, and how they stand to each other.
#include "facts.h"

#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#define NS 1000000000ll
#define CLOCK_OF(number, kind) (int)(~(unsigned)(number) << 3 | (kind))

static long long now(clockid_t clock)
{
    struct timespec time;
    return clock_gettime(clock, &time) == 0 ? time.tv_sec * NS + time.tv_nsec : -1;
}

static void which(void)
{
    for (int clock = 0; clock <= 12; clock++) {
        struct timespec time = {-1, -1}, resolution = {-1, -1};
        if (clock == 8 || clock == 9) {
            continue; // the alarm clocks depend on a device
        }
        errno = 0;
        fact("clock", "%d", clock);
        fact_result(" gettime", syscall(SYS_clock_gettime, clock, &time));
        fact_result(" getres", syscall(SYS_clock_getres, clock, &resolution));
        fact(" resolution", "%ld.%09ld", (long)resolution.tv_sec, resolution.tv_nsec);
        fact_result(" getres without", syscall(SYS_clock_getres, clock, NULL));
    }
    struct timespec time;
    FACT(syscall(SYS_clock_gettime, -1, &time));
    FACT(syscall(SYS_clock_gettime, CLOCK_OF(1, 3), &time));
    FACT(syscall(SYS_clock_gettime, CLOCK_OF(getpid(), 2), &time));
    FACT(syscall(SYS_clock_gettime, CLOCK_OF(getpid(), 6), &time));
    FACT(syscall(SYS_clock_gettime, CLOCK_OF(0, 2), &time));
    FACT(syscall(SYS_clock_gettime, CLOCK_OF(999999, 2), &time));
    FACT(syscall(SYS_clock_gettime, 1, (void *)8));
    FACT(syscall(SYS_clock_gettime, 1, NULL));
    FACT(syscall(SYS_clock_gettime, 99, NULL));
}

static void how_they_stand(void)
{
    long long mono = now(CLOCK_MONOTONIC), raw = now(CLOCK_MONOTONIC_RAW), boot = now(CLOCK_BOOTTIME);
    fact("raw is about monotonic", "%d", raw - mono < NS && mono - raw < NS);
    fact("boottime is about monotonic", "%d", boot - mono < NS && mono - boot < NS);
    fact("real is after 2020", "%d", now(CLOCK_REALTIME) > 1577836800 * NS);
    long long coarse = now(CLOCK_MONOTONIC_COARSE), fine = now(CLOCK_MONOTONIC);
    fact("coarse is not ahead", "%d", coarse <= fine && fine - coarse < NS);
    struct timeval tv;
    struct timezone tz = {1, 1};
    FACT(syscall(SYS_gettimeofday, &tv, &tz));
    long long real = now(CLOCK_REALTIME), of_day = tv.tv_sec * NS + tv.tv_usec * 1000ll;
    fact("gettimeofday is the time of day", "%d", of_day <= real && real - of_day < NS);
    fact("time zone", "%d %d", tz.tz_minuteswest, tz.tz_dsttime);
    FACT(syscall(SYS_gettimeofday, NULL, NULL));
    FACT(syscall(SYS_gettimeofday, (void *)8, NULL));
    long long before = now(CLOCK_PROCESS_CPUTIME_ID);
    for (volatile int i = 0; i < 3000000; i++) {
    }
    fact("cpu time goes on", "%d", now(CLOCK_PROCESS_CPUTIME_ID) > before);
    fact("thread and process", "%d", now(CLOCK_THREAD_CPUTIME_ID) <= now(CLOCK_PROCESS_CPUTIME_ID));
}

static void setting(void)
{
    struct timespec good = {1700000000, 0}, bad = {1700000000, NS}, negative = {-1, 0}, early = {0, 1};
    FACT(clock_settime(CLOCK_MONOTONIC, &good));
    FACT(clock_settime(CLOCK_BOOTTIME, &good));
    FACT(clock_settime(CLOCK_REALTIME_COARSE, &good));
    FACT(syscall(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &good));
    FACT(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL));
    FACT(clock_settime(77, &good));
    FACT(clock_settime(CLOCK_REALTIME, &bad));
    FACT(clock_settime(CLOCK_REALTIME, &negative));
    FACT(clock_settime(CLOCK_REALTIME, &early));
    struct timespec last = {8277292035, NS - 1}, late = {8277292036, 0}, never = {0x7ffffffff000, 0};
    FACT(clock_settime(CLOCK_REALTIME, &late));
    FACT(clock_settime(CLOCK_REALTIME, &never));
    long long mono = now(CLOCK_MONOTONIC);
    FACT(clock_settime(CLOCK_REALTIME, &last));
    FACT(clock_settime(CLOCK_REALTIME, &good));
    fact("time of day", "%lld", now(CLOCK_REALTIME) / NS);
    fact("monotonic does not jump", "%d", now(CLOCK_MONOTONIC) - mono < NS);
    struct timeval tv = {1600000000, 5}, wrong = {1600000000, 1000000};
    FACT(settimeofday(&tv, NULL));
    fact("time of day", "%lld", now(CLOCK_REALTIME) / NS);
    FACT(syscall(SYS_settimeofday, &wrong, NULL));
    struct timezone far = {15 * 60 + 1, 0}, here = {-60, 0};
    FACT(syscall(SYS_settimeofday, NULL, &far));
    FACT(syscall(SYS_settimeofday, &tv, &here));
    struct timezone seen = {0};
    gettimeofday(&tv, &seen);
    fact("time zone", "%d %d", seen.tz_minuteswest, seen.tz_dsttime);
    here.tz_minuteswest = 0;
    FACT(syscall(SYS_settimeofday, NULL, &here));
}

static void steering(void)
{
    struct timex timex = {.modes = 0};
    FACT(adjtimex(&timex));
    fact("tick", "%ld", timex.tick);
    fact("unsynchronised", "%d", (timex.status & STA_UNSYNC) != 0);
    fact("tolerance", "%ld", timex.tolerance);
    FACT(clock_adjtime(CLOCK_REALTIME, &timex));
    FACT(clock_adjtime(CLOCK_MONOTONIC, &timex));
    FACT(clock_adjtime(55, &timex));
    FACT(syscall(SYS_adjtimex, NULL));
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void sleeping(void)
{
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    struct timespec little = {0, 20000000}, bad = {0, NS}, negative = {-1, 0}, rest = {7, 7}, past = {1, 0};
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        long long before = now(CLOCK_MONOTONIC);
        fact("clock", "%d", clocks[i]);
        fact_result(" relative", syscall(SYS_clock_nanosleep, clocks[i], 0, &little, NULL));
        fact(" long enough", "%d", now(CLOCK_MONOTONIC) - before >= 20000000);
        long long until = now(clocks[i]) + 20000000;
        struct timespec at = {until / NS, until % NS};
        fact_result(" absolute", syscall(SYS_clock_nanosleep, clocks[i], TIMER_ABSTIME, &at, NULL));
        fact(" reached", "%d", now(clocks[i]) >= until);
        fact_result(" in the past", syscall(SYS_clock_nanosleep, clocks[i], TIMER_ABSTIME, &past, NULL));
    }
    FACT(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL));
    FACT(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &negative, NULL));
    FACT(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &little, NULL));
    FACT(syscall(SYS_clock_nanosleep, CLOCK_REALTIME_COARSE, 0, &little, NULL));
    FACT(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &little, NULL));
    FACT(syscall(SYS_clock_nanosleep, 12, 0, &little, NULL));
    FACT(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, NULL, NULL));
    FACT(syscall(SYS_nanosleep, &bad, NULL));
    FACT(syscall(SYS_nanosleep, NULL, NULL));
    struct timespec none = {0, 0};
    FACT(nanosleep(&none, &rest));
    fact("rest is left alone", "%ld %ld", (long)rest.tv_sec, rest.tv_nsec);
    // A signal ends it, and what is left is told.
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        nanosleep(&little, NULL);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    struct timespec minute = {60, 0};
    FACT(nanosleep(&minute, &rest));
    fact("rest", "%d", rest.tv_sec == 59 || rest.tv_sec == 60);
    waitpid(child, NULL, 0);
}

int main(void)
{
    which();
    how_they_stand();
    steering();
    sleeping();
    setting();
    return 0;
}
