// System calls that move memory, and no output: work for failure sweeps. Its status counts the calls that failed.
#include "faultline.h"

static char name[390], random[100];
static long time[2];

int main(int argc, char **argv, char **envp)
{
    int failed = 0;
    failed += syscall(SYS_uname, (long)name, 0, 0, 0, 0, 0) != 0;
    failed += syscall(SYS_clock_gettime, 1, (long)time, 0, 0, 0, 0) != 0;
    failed += syscall(SYS_getrandom, (long)random, sizeof(random), 0, 0, 0, 0) != sizeof(random);
    failed += sys_write(1, name, 0) != 0;
    time[0] = time[1] = 0;
    failed += syscall(SYS_nanosleep, (long)time, 0, 0, 0, 0, 0) != 0;
    failed += sys_getpid() <= 0;
    return failed;
}
