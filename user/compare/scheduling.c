// Policies, priorities and CPUs.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "facts.h"

static void policies(void)
{
    struct sched_param zero = {0}, ten = {10}, many = {100}, got = {77};
    struct timespec interval;
    FACT(sched_getscheduler(0));
    FACT(sched_getscheduler(-1));
    FACT(sched_getscheduler(999999));
    FACT(sched_setscheduler(0, SCHED_FIFO, &ten));
    FACT(sched_getscheduler(0));
    FACT(sched_getparam(0, &got));
    fact("priority", "%d", got.sched_priority);
    FACT(sched_rr_get_interval(0, &interval));
    fact("no slice", "%ld %ld", (long)interval.tv_sec, interval.tv_nsec);
    FACT(sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &ten));
    FACT(sched_getscheduler(0));
    if (fork() == 0) {
        FACT(sched_getscheduler(0));
        _exit(0);
    }
    wait(NULL);
    FACT(sched_setscheduler(0, SCHED_OTHER, &ten));
    FACT(sched_setscheduler(0, SCHED_FIFO, &zero));
    FACT(sched_setscheduler(0, SCHED_FIFO, &many));
    FACT(sched_setscheduler(0, 44, &zero));
    FACT(sched_setscheduler(0, -1, &zero));
    FACT(sched_setparam(0, &many));
    FACT(sched_setparam(0, &ten));
    FACT(sched_setscheduler(0, SCHED_BATCH, &zero));
    FACT(sched_getscheduler(0));
    FACT(sched_setscheduler(0, SCHED_OTHER, &zero));
    FACT(sched_get_priority_max(SCHED_FIFO));
    FACT(sched_get_priority_min(SCHED_RR));
    FACT(sched_get_priority_max(SCHED_OTHER));
    FACT(sched_get_priority_max(99));
}

static void niceness(void)
{
    errno = 0;
    FACT(getpriority(PRIO_PROCESS, 0));
    FACT(setpriority(PRIO_PROCESS, 0, 5));
    FACT(getpriority(PRIO_PROCESS, 0));
    FACT(nice(3));
    if (fork() == 0) {
        FACT(getpriority(PRIO_PROCESS, 0));
        setuid(1000);
        FACT(setpriority(PRIO_PROCESS, 0, 2));
        FACT(setpriority(PRIO_PROCESS, 0, 12));
        FACT(setpriority(PRIO_PROCESS, getppid(), 15));
        FACT(getpriority(PRIO_PROCESS, 0));
        struct sched_param one = {1}, none = {0};
        FACT(sched_setscheduler(0, SCHED_FIFO, &one));
        uint32_t idle[12] = {48, SCHED_IDLE, 0, 0, 19};
        FACT(syscall(SYS_sched_setattr, 0, idle, 0));
        FACT(setpriority(PRIO_PROCESS, 0, 13)); // it had stayed at 12
        FACT(sched_setscheduler(0, SCHED_OTHER, &none));
        FACT(sched_setscheduler(0, SCHED_IDLE | SCHED_RESET_ON_FORK, &none));
        FACT(sched_setscheduler(0, SCHED_IDLE, &none));
        _exit(0);
    }
    wait(NULL);
    if (fork() == 0) {
        struct sched_param two = {2}, one = {1}, three = {3};
        FACT(sched_setscheduler(0, SCHED_RR, &two));
        setuid(1000);
        FACT(sched_setparam(0, &one));
        FACT(sched_setparam(0, &three));
        FACT(sched_setscheduler(0, SCHED_FIFO, &one));
        _exit(0);
    }
    wait(NULL);
    FACT(setpriority(PRIO_PROCESS, 0, -99));
    FACT(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    FACT(setpriority(PRIO_PROCESS, 0, 0));
    FACT(setpriority(77, 0, 0));
    FACT(getpriority(PRIO_PROCESS, 999999));
    FACT(setpriority(PRIO_PROCESS, 999999, 0));
    FACT(setpriority(PRIO_USER, 4321, 0));
}

static void places(void)
{
    cpu_set_t set, none;
    unsigned cpu, node;
    CPU_ZERO(&none);
    FACT(sched_getaffinity(0, sizeof(set), &set) >= 0);
    fact("the first CPU", "%d", CPU_ISSET(0, &set));
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    FACT(sched_setaffinity(0, sizeof(set), &set));
    FACT(sched_setaffinity(0, sizeof(none), &none));
    FACT(sched_setaffinity(999999, sizeof(set), &set));
    FACT(syscall(SYS_sched_getaffinity, 0, 4, &set));
    FACT(syscall(SYS_sched_getaffinity, 0, 12, &set));
    FACT(getcpu(&cpu, &node));
    fact("there", "%u %u", cpu, node);
    FACT(sched_yield());
}

static void about_itself(void)
{
    int value = 5;
    FACT(prctl(PR_SET_PDEATHSIG, 9));
    FACT(prctl(PR_GET_PDEATHSIG, &value));
    fact("death signal", "%d", value);
    FACT(prctl(PR_SET_PDEATHSIG, 99));
    FACT(prctl(PR_SET_PDEATHSIG, 0));
    FACT(prctl(PR_SET_CHILD_SUBREAPER, 1));
    FACT(prctl(PR_GET_CHILD_SUBREAPER, &value));
    fact("subreaper", "%d", value);
    int ends[2];
    pid_t adopted = 0;
    pipe(ends);
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(20000);
            adopted = getppid();
            write(ends[1], &adopted, sizeof(adopted));
            _exit(3);
        }
        _exit(0);
    }
    wait(NULL);
    read(ends[0], &adopted, sizeof(adopted));
    fact("adopted", "%d", adopted == getpid());
    int status;
    FACT_OK(wait(&status));
    fact_status("and waited for", status);
    FACT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    FACT(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
    FACT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    FACT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    FACT(prctl(PR_GET_DUMPABLE));
    FACT(prctl(PR_CAPBSET_READ, 0));
    FACT(prctl(PR_CAPBSET_READ, 999));
    FACT(prctl(4242));
    FACT(syscall(SYS_unshare, 0x400));
    FACT(syscall(SYS_unshare, 0x200));
    uint32_t header[2] = {0x20080522, 0}, sets[6] = {0};
    FACT(syscall(SYS_capget, header, sets));
    fact("capabilities", "%x %x %x %x", sets[0], sets[1], sets[2], sets[4] != 0);
    FACT(syscall(SYS_capset, header, sets));
    header[0] = 5;
    FACT(syscall(SYS_capget, header, NULL));
    fact("version", "%x", header[0]);
    FACT(syscall(SYS_capget, header, sets));
    FACT(syscall(SYS_reboot, 1, 2, 3, 0));
}

static void by_descriptor(void)
{
    static char *again[] = {"scheduling", "again", NULL};
    int status;
    int fd = open("/proc/self/exe", 0);
    if (fork() == 0) {
        syscall(SYS_execveat, fd, "", again, NULL, 0);
        FACT(errno);
        syscall(SYS_execveat, fd, "", again, NULL, AT_EMPTY_PATH);
        _exit(1);
    }
    wait(&status);
    fact_status("run by descriptor", status);
    FACT(syscall(SYS_execveat, fd, "x", again, NULL, 0));
    FACT(syscall(SYS_execveat, 99, "", again, NULL, AT_EMPTY_PATH));
    FACT(syscall(SYS_execveat, AT_FDCWD, "none", again, NULL, 0));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        fact("again", "%s", argv[1]);
        return 5;
    }
    policies();
    niceness();
    places();
    about_itself();
    by_descriptor();
    return 0;
}
