// Every workload with every failure: tests/kernel on both machines is a fault sweep of its own.
#include "kernel/debug/ktest.h"
#include "kernel/debug/sweep.h"

static void sweep(const char *name, unsigned at_least)
{
    const struct workload *workload = workload_find(name);
    EXPECT(workload != NULL);
    struct sweep_result result;
    int error = sweep_workload(workload, &result);
    if (error == -ENOENT) {
        return; // there are no user programs on the simulated machine
    }
    if (error != 0) {
        ktest_fail(__FILE__, __LINE__, "%s: error %d %s", name, error, result.broken);
        return;
    }
    EXPECT(result.injections >= at_least);
    EXPECT(result.fired >= result.injections);
}

TEST(sweep, kmalloc)
{
    sweep("kmalloc", 8);
}

TEST(sweep, slab)
{
    sweep("slab", 8);
}

TEST(sweep, pagetable)
{
    sweep("pagetable", 8);
}

TEST(sweep, threads)
{
    sweep("threads", 8);
}

TEST(sweep, exec)
{
    sweep("exec", 8);
}

TEST(sweep, unknown_workloads_are_not_found)
{
    EXPECT(workload_find("") == NULL);
    EXPECT(workload_find("kmallo") == NULL);
    EXPECT(workload_find("kmalloc ") == NULL);
}
