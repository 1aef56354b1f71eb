// Boots the world, runs a program in it, and looks whether all is as it was when the program has ended.
#include "harness/world.h"

#include "harness/harness.h"
#include "harness/neighbour.h"
#include "harness/waits.h"

#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/fs/mount.h"
#include "kernel/proc/process_internal.h"
#include "kernel/sched/sched.h"

#define ROUNDS_MAX 20000u // looks at processes that were killed, of which each lets others run
// While fuzzing, since each costs as much as a program; replays do all of it.
#define MEASURED_ONE_IN 4u     // its files are taken apart, and what is not given back is counted
#define CHECKED_ONE_IN 16u     // whole walks of the kernel's structures
#define TWICE_ONE_IN 64u       // inputs, to see whether they run in the same way again
#define POINTS_MAX 50000u      // a program that has not ended by then is killed
#define OTHER_NUMBERS 20000    // where those of processes begin
#define OTHER_NS 5000000000ull // when the first program does

bool world_is_other;

static void power_on(void *info)
{
    kernel_main(info);
}

static unsigned count_mounts(void)
{
    struct mount_description mount;
    unsigned count = 0;
    while (mount_describe(count, &mount)) {
        vnode_put(mount.root);
        count++;
    }
    return count;
}

static void remove_mounts(unsigned keep)
{
    struct mount_description mount;
    for (unsigned count = count_mounts(); count > keep; count--) {
        if (!mount_describe(count - 1, &mount)) {
            break;
        }
        int error = mount_remove(mount.root);
        if (error != 0) {
            machine_finding("leak", "%s is still in use at the end: %d", mount.type, error);
        }
    }
}

static bool any(struct process *process, void *found)
{
    *(struct process **)found = neighbour_is(process) ? NULL : process;
    return neighbour_is(process);
}

static bool kill_one(struct process *process, void *unused) // with the family's lock
{
    if (!neighbour_is(process)) {
        signal_send_locked(process, NULL, &(struct signal_info){.signal = SIGKILL, .code = SI_KERNEL});
    }
    return true;
}

static void kill_all(void)
{
    world.stage = WORLD_KILLED;
    process_for_each(kill_one, NULL);
}

static void on_overrun(void)
{
    world.late = true;
    kill_all();
}

// What the program has left running; there is nobody else.
static void end_rest(void)
{
    for (unsigned rounds = 0;; rounds++) { // not by the clock: the machine lets it leap
        struct process *left = NULL;
        process_for_each(any, &left);
        if (left == NULL) {
            return;
        }
        if (rounds == ROUNDS_MAX) {
            machine_finding("livelock", "process %d was killed long ago and has not ended", left->pid);
        }
        process_for_each(kill_one, NULL);
        thread_sleep_until(timer_now() + 1000000);
    }
}

static void check_footprint(void)
{
    if (!footprint_settle(&world.before)) {
        struct footprint now = footprint_take();
        machine_finding("leak", "%lld pages, %lld objects and %d threads more than before the program",
                        (long long)(world.before.pages - now.pages), (long long)(now.objects - world.before.objects),
                        (int)(now.threads - world.before.threads));
    }
}

// A kernel thread: one program after the other.
static void keep(void *unused)
{
    unsigned mounts = count_mounts();
    if (world_is_other) {
        family.last_id = OTHER_NUMBERS;
        thread_sleep_until(OTHER_NS);
    }
    for (;;) {
        struct process *process;
        const char *const argv[] = {"/bin/prog", NULL};
        if (world_has_neighbour) {
            neighbour_start();
        }
        world.starts = IMAGE_PROGRAM;
        int error = process_spawn("/bin/prog", argv, &process);
        if (error != 0) {
            machine_finding("check", "the first process does not start: %d", error);
        }
        (void)process_wait(process);
        end_rest();
        fault_disarm();
        world.guarded = false;
        if (world_has_neighbour) {
            neighbour_judge();
        }
        if (!world.measured) {
            remove_mounts(mounts);
            world.measured = true;
            world.before = footprint_take();
            continue;
        }
        if (harness_observing || world.hash % MEASURED_ONE_IN == 0) {
            remove_mounts(mounts);
            check_footprint();
        }
        if (harness_observing || world.hash % CHECKED_ONE_IN == 0) {
            EXPECT_CHECK(kernel_check_all());
        }
        machine_leave(WORLD_DONE);
    }
}

void world_begin(void)
{
    struct thread *thread;
    int error = thread_create("world", keep, NULL, &thread);
    if (error != 0) {
        machine_finding("check", "no thread: %d", error);
    }
    thread_detach(thread);
    world.stage = WORLD_RUNS;
}

// All CPUs are idle and nothing is to come: the program waits for itself, or has missed what it waits for. Interrupts
// off.
static bool stuck(void)
{
    if (!world.measured || world.stage == WORLD_KILLED) {
        return false;
    }
    const char *lost = waits_lost();
    if (lost != NULL) {
        machine_finding("lost-wakeup", "%s", lost);
    }
    if (world.stage == WORLD_RUNS) {
        world.stage = WORLD_STIRRED;
        if (waits_stir() > 0) {
            return true;
        }
    }
    waits_forget();
    kill_all();
    return true;
}

// A program without rights gets none, whatever it does; what a set-id bit gave ends with its image.
static void check_rights(const struct credentials *as, const struct process *process)
{
    if (!world.guarded || process == NULL || process->executed || neighbour_is(process)) {
        return;
    }
    bool plain = as->uid != 0 && as->real_uid != 0 && as->effective_uid != 0 && as->saved_uid != 0 && as->gid != 0 &&
                 as->real_gid != 0 && as->effective_gid != 0 && as->saved_gid != 0 &&
                 credentials_group_count(as) == 0 && as->permitted == 0;
    if (!plain) {
        machine_finding("privilege", "process %d of another user has rights of root", process->pid);
    }
}

static void check_return(void)
{
    check_rights(credentials_current(), process_current());
    if (spin_held_count() != 0) {
        machine_finding("lock", "back to user space with %u spinlocks held", spin_held_count());
    }
}

void world_setup(void)
{
    static struct boot_info info;
    world_firmware(&info);
    machine_watch_kernel_root(info.image_start);
    prog_decode(NULL, 0, &world.program);
    machine_set_user_program(world_user);
    machine_on_user_return(check_return);
    if (world_has_neighbour) {
        machine_on_user_copy(neighbour_seen);
    }
    machine_on_stuck(stuck);
    machine_on_overrun(POINTS_MAX, on_overrun);
    static const uint8_t places[] =
        "where things lie when that is left to chance: the same in each run of this machine";
    machine_choices(places, world_is_other ? sizeof(places) : 0);
    machine_power_on(power_on, &info);
    if (machine_enter() != WORLD_READY || machine_is_off()) {
        machine_finding("check", "the kernel does not boot");
    }
}

static uint64_t run_once(const struct input *input)
{
    static const enum machine_schedule schedules[] = {
        [PROG_TURNS] = MACHINE_TURNS, [PROG_CHOICES] = MACHINE_CHOICES, [PROG_PRIORITIES] = MACHINE_PRIORITIES};
    prog_decode(input->data, input->size, &world.program);
    world.program.unprivileged |= world_has_neighbour;
    machine_choices(input->data + world.program.choices, input->size - world.program.choices);
    machine_schedule(schedules[world.program.schedule % ARRAY_SIZE(schedules)], world.program.depth);
    int status = machine_enter();
    if (status != WORLD_DONE || machine_is_off()) {
        machine_finding("check", "the kernel powered itself off");
    }
    return world.hash ^ machine_moment();
}

// By what is in the input, so that it always gives the same.
static bool is_run_twice(const struct input *input)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < input->size; i++) {
        sum = sum * 31 + input->data[i];
    }
    return !harness_observing && sum % TWICE_ONE_IN == 0;
}

void world_run(struct input *input)
{
    struct fault_status faults = fault_status();
    if (harness_tracing) {
        world_on_event = world_trace;
    }
    uint64_t first = run_once(input);
    if (harness_tracing) {
        world_trace_end();
    }
    if (is_run_twice(input)) {
        machine_reset(NULL, 0);
        if (faults.armed) {
            fault_arm(&faults.plan);
        }
        if (run_once(input) != first) {
            machine_finding("nondeterminism", "the same input ran in two ways");
        }
    }
}
