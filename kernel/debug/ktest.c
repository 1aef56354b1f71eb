#include "kernel/debug/ktest.h"

#include <stdarg.h>

#include "kernel/base/format.h"
#include "kernel/debug/output.h"
#include "kernel/debug/sweep.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"

extern const struct ktest *const __start_ktests[];
extern const struct ktest *const __stop_ktests[];

static bool failed; // of the test that runs; one at a time

size_t ktest_count(void)
{
    return (size_t)(__stop_ktests - __start_ktests);
}

const struct ktest *ktest_at(size_t index)
{
    return __start_ktests[index];
}

void ktest_fail(const char *file, int line, const char *text, ...)
{
    char what[256];
    va_list args;
    va_start(args, text);
    vformat(what, sizeof(what), text, args);
    va_end(args);
    failed = true;
    output_line("# %s:%d: %s", file, line, what);
}

bool ktest_run(const struct ktest *test)
{
    // What a test may not leave behind. Pages are not compared: slabs and table pages come and go.
    struct footprint before = {0, heap_used_objects(&kernel_heap), thread_count()};
    failed = false;
    test->run();
    if (!failed && !footprint_settle(&before)) {
        ktest_fail(test->name, 0, "left behind: %ld heap objects, %d threads",
                   (long)(heap_used_objects(&kernel_heap) - before.objects), (int)(thread_count() - before.threads));
    }
    if (spin_held_count() != 0) {
        ktest_fail(test->name, 0, "left a lock held");
    }
    return !failed;
}
