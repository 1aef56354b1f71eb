// The host test runner: every TEST() of tests/kernel and tests/host, each in a process and on a machine of its own.
// KTAP on stdout.
#include "harness/boot.h"

#include "hal/host/machine.h"

#include "kernel/debug/ktest.h"
#include "kernel/sched/thread.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_SECONDS 60
#define TEST_CPUS 2

int __llvm_profile_write_file(void) __attribute__((weak)); // there when coverage is measured

static void usage(FILE *to)
{
    fprintf(to, "usage: host_tests [--list] [--filter GLOB]\n"
                "Runs the tests whose SUITE.NAME matches GLOB. exit: 0 all pass, 1 one fails, 2 cannot run\n");
}

static void set_up(void)
{
    machine_start();
    cpus[0].local.id = 0;
    cpu_set_local(&cpus[0].local);
    boot_memory_once();
    machine_snapshot();
}

static void body(void *argument)
{
    cpu_set_local(&cpus[0].local);
    boot_threads(TEST_CPUS);
    bool passed = ktest_run(argument);
    char said[4096];
    size_t length = machine_console_tail(said, sizeof(said));
    fwrite(said, 1, length, stdout);
    fflush(stdout);
    if (__llvm_profile_write_file != NULL) {
        __llvm_profile_write_file(); // _exit() does not
    }
    _exit(passed ? 0 : 1);
}

static bool run(const struct ktest *test)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(TEST_SECONDS);
        machine_reset(NULL, 0);
        machine_run(body, (void *)(uintptr_t)test);
        _exit(1); // powered off in the middle
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status)) {
        printf("# died of signal %d%s\n", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": no end in time" : "");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    const char *filter = "*";
    bool list = false;
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[at], "--filter") == 0 && at + 1 < argc) {
            filter = argv[++at];
        } else if (strcmp(argv[at], "--help") == 0) {
            usage(stdout);
            return 0;
        } else {
            fprintf(stderr, "host_tests: unknown option %s (--list --filter GLOB --help)\n", argv[at]);
            return 2;
        }
    }
    set_up();
    unsigned passed = 0, failed = 0, number = 0;
    printf(list ? "" : "KTAP version 1\n");
    for (size_t i = 0; i < ktest_count(); i++) {
        const struct ktest *test = ktest_at(i);
        char name[128];
        snprintf(name, sizeof(name), "%s.%s", test->suite, test->name);
        if (fnmatch(filter, name, 0) != 0) {
            continue;
        }
        if (list) {
            printf("%s\n", name);
            number++;
            continue;
        }
        bool good = run(test);
        passed += good;
        failed += !good;
        printf("%s %u %s\n", good ? "ok" : "not ok", ++number, name);
    }
    if (list) {
        return 0;
    }
    if (number == 0) {
        fprintf(stderr, "host_tests: no test matches %s; --list shows all\n", filter);
        return 2;
    }
    printf("1..%u\n%u passed, %u failed\n", number, passed, failed);
    return failed == 0 ? 0 : 1;
}
