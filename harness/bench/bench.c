// bench_kernel: lists the benchmarks, or runs one and prints how many operations it counted.
#include "harness/bench/bench.h"

#include "hal/host/machine.h"
#include "kernel/sched/thread.h"

#include <stdio.h>
#include <string.h>

uint64_t bench_seed = 0x9e3779b97f4a7c15;

static const struct bench *find(const struct bench *benches, const char *name)
{
    for (; benches->name != NULL; benches++) {
        if (strcmp(benches->name, name) == 0) {
            return benches;
        }
    }
    return NULL;
}

static void list(const struct bench *benches)
{
    for (; benches->name != NULL; benches++) {
        puts(benches->name);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "--help") == 0) {
        fprintf(stderr,
                "usage: bench_kernel --list | NAME\nRuns one workload; its counted part is a function counted_*.\n");
        return 2;
    }
    if (strcmp(argv[1], "--list") == 0) {
        list(alloc_benches);
        list(pagetable_benches);
        return 0;
    }
    const struct bench *bench = find(alloc_benches, argv[1]);
    bench = bench != NULL ? bench : find(pagetable_benches, argv[1]);
    if (bench == NULL) {
        fprintf(stderr, "bench_kernel: no workload '%s'; --list names them\n", argv[1]);
        return 2;
    }
    machine_start();
    cpu_set_local(&cpus[0].local);
    printf("%llu\n", (unsigned long long)bench->run());
    return 0;
}
