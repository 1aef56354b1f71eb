// The plain driver: runs saved inputs, each in a process of its own with a cap on memory and time.
#include "harness/harness.h"

#include "harness/report.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS_MAX 60 // for one run
#define LOOK_MS 1000
#define SWEEP_EACH 2048u
#define SWEEP_PART 64u
#define MEMORY_MAX GIB(4)
#define REPEAT_MAX 10000u

struct options {
    bool trace, json, sweep, has_plan;
    unsigned repeat;
    struct fault_plan plan;
};

static const char *program;

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: %s [--trace] [--json] [--sweep] [--repeat N] [--fault PLAN] FILE...\n"
        "Runs saved inputs of %s, each in its own process.\n"
        "  --trace       print one line per decoded operation, and which faults were armed and fired\n"
        "  --json        print one JSON object per file\n"
        "  --sweep       fail the 1st, 2nd, ... Nth failable operation until nothing fails, for good and once;\n"
        "                from the 2048th on not each, but with gaps of a 64th\n"
        "  --repeat N    run each N times in one process: each run must go as the first, and a reset leave nothing\n"
        "  --fault PLAN  replace the input's own fault plan, e.g. page_alloc,nth=3\n"
        "exit: 0 every input passes, 1 one fails, 2 cannot run\n",
        program, fuzz_target.name);
}

static uint8_t *read_input(const char *path, size_t *size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (file < 0 || fstat(file, &about) != 0) {
        fprintf(stderr, "%s: cannot open %s: %m\n", program, path);
        exit(2);
    }
    if (!S_ISREG(about.st_mode)) {
        fprintf(stderr, "%s: %s is not a regular file\n", program, path);
        exit(2);
    }
    size_t wanted = about.st_size < (off_t)HARNESS_INPUT_MAX ? (size_t)about.st_size : HARNESS_INPUT_MAX;
    uint8_t *data = malloc(wanted + 1);
    ssize_t got = data == NULL ? -1 : read(file, data, wanted);
    if (got < 0) {
        fprintf(stderr, "%s: cannot read %s: %m\n", program, path);
        exit(2);
    }
    close(file);
    *size = (size_t)got;
    return data;
}

static void run_with(const uint8_t *data, size_t size, struct fault_plan plan)
{
    report_plan(&plan);
    harness_run(data, size, &plan);
    report_collect();
    report_run();
}

// Each of the first, then ever fewer: what comes so late is mostly the same again.
static uint64_t sweep_next(uint64_t nth)
{
    return nth < SWEEP_EACH ? nth + 1 : nth + nth / SWEEP_PART;
}

// The input may arm plans of its own, though no persistent ones. Up to the first failure it goes the same way.
static void sweep(const uint8_t *data, size_t size)
{
    uint64_t end = 0;
    do {
        end = sweep_next(end);
        run_with(data, size, (struct fault_plan){.nth = end});
    } while (report_persistent());
    for (uint64_t nth = 1; nth < end; nth = sweep_next(nth)) {
        run_with(data, size, (struct fault_plan){.nth = nth, .times = 1});
    }
}

static void repeat(const uint8_t *data, size_t size, const struct options *options)
{
    uint64_t first = 0;
    for (unsigned i = 0; i < options->repeat; i++) {
        harness_run(data, size, options->has_plan ? &options->plan : NULL);
        uint64_t moment = machine_moment();
        if (i > 0 && moment != first) {
            machine_finding("nondeterminism", "run %u did not go as the first", i + 1);
        }
        first = moment;
        report_run();
        machine_reset(NULL, 0);
        const char *left = machine_reset_check();
        if (left != NULL) {
            machine_finding("nondeterminism", "%s", left);
        }
    }
}

static void child(const uint8_t *data, size_t size, const struct options *options)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    harness_setup();
    harness_tracing = options->trace;
    harness_observing = true;
    if (options->sweep) {
        sweep(data, size);
    } else if (options->repeat > 0) {
        repeat(data, size, options);
    } else {
        harness_run(data, size, options->has_plan ? &options->plan : NULL);
        report_collect();
    }
    if (options->trace) {
        harness_say_faults();
    }
    exit(0);
}

static void limit_memory(void)
{
#if !defined(MACHINE_ASAN) && !defined(MACHINE_TSAN) && !__has_feature(memory_sanitizer)
    struct rlimit limit = {MEMORY_MAX, MEMORY_MAX}; // sanitizers reserve terabytes, and have limits of their own
    setrlimit(RLIMIT_AS, &limit);
#endif
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

// Passes on what the child reports and keeps its beginning. False when one run does not end.
static bool listen_to(int from, char *text, size_t *length, size_t room)
{
    unsigned runs = report_runs();
    for (double since = now();;) {
        struct pollfd wait = {.fd = from, .events = POLLIN};
        int ready = poll(&wait, 1, LOOK_MS);
        if (report_runs() != runs) {
            runs = report_runs();
            since = now();
        }
        if (ready == 0 && now() - since < SECONDS_MAX) {
            continue;
        }
        if (ready == 0) {
            return false;
        }
        char part[4096];
        ssize_t got = read(from, part, sizeof(part));
        if (got <= 0) {
            return true;
        }
        if (write(STDERR_FILENO, part, (size_t)got) < 0) {
            return true;
        }
        size_t keep = (size_t)got < room - *length ? (size_t)got : room - *length;
        memcpy(text + *length, part, keep);
        *length += keep;
    }
}

static bool run_file(const char *path, const struct options *options)
{
    static char text[65536];
    size_t size, length = 0;
    uint8_t *data = read_input(path, &size);
    report_clear();
    int channel[2];
    fflush(NULL);
    if (pipe2(channel, O_CLOEXEC) != 0) {
        fprintf(stderr, "%s: pipe: %m\n", program);
        exit(2);
    }
    double start = now();
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "%s: fork: %m\n", program);
        exit(2);
    }
    if (pid == 0) {
        dup2(channel[1], STDERR_FILENO);
        limit_memory();
        child(data, size, options);
    }
    close(channel[1]);
    bool in_time = listen_to(channel[0], text, &length, sizeof(text) - 1);
    if (!in_time) {
        kill(pid, SIGKILL);
    }
    close(channel[0]);
    int status;
    waitpid(pid, &status, 0);
    text[length] = 0;
    bool passed = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const char *verdict = passed ? "pass" : in_time ? "fail" : "timeout";
    if (!in_time) {
        fprintf(stderr, "FAULTLINE: livelock: no end within %d seconds\n", SECONDS_MAX);
    }
    if (options->json) {
        report_json(path, verdict, text, now() - start);
    } else {
        printf("%s: %s\n", path, verdict);
    }
    free(data);
    return passed;
}

static int parse(int argc, char **argv, struct options *options)
{
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        const char *option = argv[at];
        const char *error;
        if (strcmp(option, "--") == 0) {
            return at + 1;
        } else if (strcmp(option, "--trace") == 0) {
            options->trace = true;
        } else if (strcmp(option, "--json") == 0) {
            options->json = true;
        } else if (strcmp(option, "--sweep") == 0) {
            options->sweep = true;
        } else if (strcmp(option, "--help") == 0) {
            usage(stdout);
            exit(0);
        } else if (strcmp(option, "--repeat") == 0 && at + 1 < argc) {
            char *end;
            unsigned long times = strtoul(argv[++at], &end, 10);
            if (*end != 0 || times == 0 || times > REPEAT_MAX) {
                fprintf(stderr, "%s: --repeat wants a number from 1 to %u, not %s\n", program, REPEAT_MAX, argv[at]);
                exit(2);
            }
            options->repeat = (unsigned)times;
        } else if (strcmp(option, "--fault") == 0 && at + 1 < argc) {
            if (fault_plan_parse(argv[++at], &options->plan, &error) != 0) {
                fprintf(stderr, "%s: bad fault plan %s at: %s\n", program, argv[at], error);
                exit(2);
            }
            options->has_plan = true;
        } else {
            fprintf(stderr, "%s: unknown option %s (--trace --json --sweep --repeat N --fault PLAN --help)\n", program,
                    option);
            exit(2);
        }
    }
    return at;
}

int main(int argc, char **argv)
{
    program = argv[0];
    struct options options = {};
    int first = parse(argc, argv, &options);
    if (first >= argc) {
        fprintf(stderr, "%s: no input file given\n", program);
        usage(stderr);
        return 2;
    }
    report_init();
#if !MACHINE_TSAN // it watches no process that was forked with several flows in it: each child begins by itself
    harness_setup();
#endif
    bool all = true;
    for (int at = first; at < argc; at++) {
        all = run_file(argv[at], &options) && all;
    }
    return all ? 0 : 1;
}
