// Processes, where there are programs for them: how they end, and that nothing stays.
#include "kernel/proc/process.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/debug/sweep.h"
#include "kernel/proc/program.h"

static bool there_are_programs(void)
{
    return user_program_name(0) != NULL;
}

static int start(const char *name, struct process **out)
{
    char path[64];
    const char *argv[] = {name, NULL};
    format(path, sizeof(path), "/programs/%s", name);
    return process_spawn(path, argv, out);
}

static int run(const char *name)
{
    struct process *process;
    int error = start(name, &process);
    return error != 0 ? error : process_wait(process);
}

TEST(process, what_is_no_program_leaves_nothing)
{
    struct process *process = NULL;
    struct footprint before = footprint_take();
    EXPECT_EQ(start("none", &process), -ENOENT);
    EXPECT_EQ(start("..", &process), there_are_programs() ? -EACCES : -ENOENT);
    EXPECT(process == NULL);
    EXPECT(footprint_settle(&before));
}

// The status is Linux's: 128 and the signal.
TEST(process, each_fault_ends_the_process_with_its_signal)
{
    static const struct {
        const char *name;
        int status;
    } cases[] = {
        {"calls", 0},
        {"fault-null", 128 + 11},
        {"fault-kernel", 128 + 11},
        {"fault-rodata", 128 + 11},
        {"fault-stack", 128 + 11},
        {"fault-undefined", 128 + 4},
        {"fault-register", 128 + 4},

        {"fault-pc", 128 + 7},
        {"fault-aligned", 128 + 7},
        {"fault-brk", 128 + 5},
        {"calls", 0},
    };
    struct footprint before = footprint_take();
    for (size_t i = 0; i < ARRAY_SIZE(cases) && there_are_programs(); i++) {
        int status = run(cases[i].name);
        if (status != cases[i].status) {
            ktest_fail(__FILE__, __LINE__, "%s ended with %d, not %d", cases[i].name, status, cases[i].status);
            return;
        }
        EXPECT(footprint_settle(&before)); // a program that is killed gives everything back
    }
    EXPECT_SOUND(kernel_check_all());
}

TEST(process, a_thousand_programs_leave_every_page)
{
    struct footprint before = footprint_take();
    for (unsigned i = 0; i < 1000 && there_are_programs(); i++) {
        EXPECT_EQ(run("calls"), 0);
    }
    EXPECT(footprint_settle(&before));
    struct footprint after = footprint_take();
    EXPECT_EQ(after.pages, before.pages);
    EXPECT_EQ(after.objects, before.objects);
    EXPECT_SOUND(kernel_check_all());
}

// More programs than CPUs, each with values of its own in every register, vectors and thread pointer included.
TEST(process, registers_survive_switches)
{
    struct process *processes[MAX_CPUS + 2];
    size_t count = 0, good = 0, wanted = 2;
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        wanted += READ_ONCE(cpus[cpu].online);
    }
    while (count < wanted && there_are_programs() && start("registers", &processes[count]) == 0) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        good += process_wait(processes[i]) == 0;
    }
    EXPECT_EQ(good, count);
    EXPECT(count == wanted || !there_are_programs());
}
