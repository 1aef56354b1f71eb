// The interpreter on a machine that only writes down what it is asked.
#include "user/prog/calls.h"

#include "kernel/debug/ktest.h"

#include <setjmp.h>
#include <string.h>

#define ASKED_MAX 256u
#define MEMORY_BASE PROG_STATE_BASE
#define MEMORY_SIZE (PROG_SCRATCH_BASE + PROG_TASKS_MAX * PROG_SCRATCH_SIZE - MEMORY_BASE)

static struct {
    uint64_t number, arguments[PROG_ARGUMENTS];
} asked[ASKED_MAX];
static unsigned asked_count, clones, events;
static struct prog_task child;
static uint64_t clone_flags, clone_stack_top;
static uint8_t memory[MEMORY_SIZE]; // state and scratch
static jmp_buf ended;

// Weak, so that a real machine in the same program comes first.
#define HOOK __attribute__((weak))

HOOK int64_t prog_machine_call(uint64_t number, const uint64_t arguments[PROG_ARGUMENTS])
{
    if (asked_count < ASKED_MAX) {
        asked[asked_count].number = number;
        memcpy(asked[asked_count++].arguments, arguments, sizeof(asked[0].arguments));
    }
    switch (number) {
    case CALL_exit:
    case CALL_exit_group:
        longjmp(ended, 1);
    case CALL_getpid:
        return 77;
    case CALL_openat:
        return 5;
    case CALL_mmap:
        return 0x7f0000000000;
    case CALL_pipe2: {
        const uint32_t fds[2] = {8, 9};
        prog_machine_write(arguments[0], fds, sizeof(fds));
        return 0;
    }
    case CALL_wait4:
        return -10;
    default:
        return 0;
    }
}

HOOK int64_t prog_machine_clone(uint64_t flags, uint64_t stack_top, uint64_t parent_tid, uint64_t tls,
                                uint64_t child_tid, const struct prog_task *task)
{
    clones++;
    clone_flags = flags;
    clone_stack_top = stack_top;
    child = *task;
    return -11;
}

HOOK uint64_t prog_machine_load(uint64_t address, unsigned size)
{
    return address + size;
}

HOOK void prog_machine_store(uint64_t address, uint64_t value, unsigned size)
{
}

HOOK uint32_t prog_machine_add(uint64_t address, uint32_t value)
{
    uint32_t before = 0, after;
    prog_machine_read(&before, address, sizeof(before));
    after = before + value;
    prog_machine_write(address, &after, sizeof(after));
    return before;
}

HOOK void prog_machine_write(uint64_t address, const void *from, size_t size)
{
    if (address >= MEMORY_BASE && address - MEMORY_BASE <= MEMORY_SIZE - size) {
        memcpy(memory + (address - MEMORY_BASE), from, size);
    }
}

HOOK void prog_machine_read(void *to, uint64_t address, size_t size)
{
    if (address >= MEMORY_BASE && address - MEMORY_BASE <= MEMORY_SIZE - size) {
        memcpy(to, memory + (address - MEMORY_BASE), size);
    }
}

HOOK uint64_t prog_machine_handler(void)
{
    return 0x1234000;
}

HOOK uint64_t prog_machine_restorer(void)
{
    return 0x1235000;
}

HOOK bool prog_machine_fail_nth(unsigned nth)
{
    return true;
}

HOOK void prog_machine_trace(const struct prog_event *event)
{
    events++;
}

// --- programs by hand ----------------------------------------------------------------------------------------------

static struct program program;
static uint8_t text[64];

static void begin(void)
{
    program = (struct program){.cpus = 1, .file = text, .size = sizeof(text), .choices = sizeof(text)};
    memset(memory, 0, sizeof(memory));
    memset(memory + (PROG_STATE_BASE - MEMORY_BASE), 0xff, offsetof(struct prog_state, running));
    asked_count = clones = events = 0;
}

static uint16_t value(uint8_t kind, uint8_t extra, uint64_t number)
{
    program.values[program.value_count] = (struct prog_value){.kind = kind, .extra = extra, .number = number};
    return program.value_count++;
}

static struct prog_call *call(uint16_t number, unsigned count, const uint64_t *numbers)
{
    struct prog_call *call = &program.calls[program.call_count++];
    *call = (struct prog_call){.number = number, .argument_count = (uint8_t)count, .first = program.value_count};
    for (unsigned i = 0; i < count; i++) {
        value(PROG_NUMBER, 0, numbers[i]);
    }
    return call;
}
#define CALL(name, ...)                                                                                                \
    call(CALL_##name, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

static void run(void)
{
    static struct prog_task first;
    first = (struct prog_task){.program = &program};
    if (setjmp(ended) == 0) {
        prog_run(&first);
    }
}

// The words of the only call of that number.
static const uint64_t *arguments_of(uint64_t number)
{
    static const uint64_t none[PROG_ARGUMENTS] = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
    for (unsigned i = 0; i < asked_count; i++) {
        if (asked[i].number == number) {
            return asked[i].arguments;
        }
    }
    return none;
}

TEST(prog_run, results_are_arguments_of_later_calls)
{
    begin();
    CALL(openat, 1, 2, 3, 4);
    call(CALL_pipe2, 0, NULL)->argument_count = 1;
    program.calls[1].first = value(PROG_BYTES, 0, 0);
    program.values[program.calls[1].first].count = 8;
    struct prog_call *dup = call(CALL_dup3, 0, NULL);
    dup->first = value(PROG_RESULT, 0, 0);
    value(PROG_RESULT, 2, 1); // the second word of what pipe2 gave
    dup->argument_count = 2;
    struct prog_call *close = call(CALL_close, 0, NULL);
    close->first = value(PROG_RESULT, 0, 3); // its own: nothing yet
    close->argument_count = 1;
    run();
    EXPECT_EQ(arguments_of(CALL_dup3)[0], 5);
    EXPECT_EQ(arguments_of(CALL_dup3)[1], 9);
    EXPECT_EQ(arguments_of(CALL_close)[0], -1);
    EXPECT_EQ(events, 2 * 4 + 1);
    EXPECT_EQ(asked[asked_count - 1].number, CALL_exit_group);
}

TEST(prog_run, memory_of_the_interpreter_stays)
{
    begin();
    CALL(munmap, PROG_STATE_BASE + 8, 0x5000000);
    CALL(mprotect, 0x7f0000000000, 0x100000, 0);
    CALL(mlock, ~0ull - 4095, 4096);
    CALL(mmap, PROG_SCRATCH_BASE, 0x10000000, 3, 0x32, ~0ull, 0);
    struct prog_call *unmap = CALL(madvise, 0, 0x100000, 4);
    program.values[unmap->first] = (struct prog_value){.kind = PROG_RESULT, .number = 3};
    CALL(mlockall, 1);
    run();
    uint64_t offset = (PROG_STATE_BASE + 8 - PROG_ARENA_BASE) % PROG_ARENA_SIZE;
    EXPECT_EQ(arguments_of(CALL_munmap)[0], PROG_ARENA_BASE + offset);
    EXPECT_EQ(arguments_of(CALL_munmap)[1], PROG_ARENA_SIZE - offset);
    EXPECT_EQ(arguments_of(CALL_mprotect)[0], PROG_ARENA_BASE); // where it looks like, and nobody gave it
    EXPECT_EQ(arguments_of(CALL_mlock)[0], ~0ull - 4095);       // refused anyway
    EXPECT_EQ(arguments_of(CALL_mlockall)[0], 5);
    EXPECT_EQ(arguments_of(CALL_mmap)[0], PROG_ARENA_BASE);
    EXPECT_EQ(arguments_of(CALL_mmap)[1], PROG_ARENA_SIZE);
    EXPECT_EQ(arguments_of(CALL_madvise)[0], 0x7f0000000000);
    EXPECT_EQ(arguments_of(CALL_madvise)[1], 0x10000);
}

TEST(prog_run, nobody_else_is_killed)
{
    begin();
    CALL(kill, 1, 9);
    CALL(tkill, ~0ull, 9);
    CALL(rt_sigreturn, 0);
    CALL(reboot, 0xfee1dead, 672274793, 0x4321fedc, 0);
    CALL(setpriority, 2, 0, 19);
    run();
    EXPECT_EQ(arguments_of(CALL_kill)[0], 77);
    EXPECT_EQ(arguments_of(CALL_tkill)[0], 0);
    EXPECT_EQ(arguments_of(CALL_rt_sigreturn)[0], -1); // not made
    EXPECT_EQ(arguments_of(CALL_reboot)[1], 0);
    EXPECT_EQ(arguments_of(CALL_setpriority)[0], 0);
}

TEST(prog_run, handlers_and_times_are_ours)
{
    const uint64_t action[4] = {0x4141414141, 0, 0, 0}, sleep[2] = {1000, 999999999}, ever[2] = {1ll << 40, 0};
    begin();
    memcpy(text, action, sizeof(action));
    memcpy(text + 32, sleep, sizeof(sleep));
    memcpy(text + 48, ever, sizeof(ever));
    CALL(rt_sigaction, 10, 0, 0, 8);
    program.values[program.calls[0].first + 1] = (struct prog_value){.kind = PROG_BYTES, .count = 32, .first = 0};
    run();
    uint64_t given[4];
    memcpy(given, memory + (PROG_SCRATCH_BASE - MEMORY_BASE), sizeof(given));
    EXPECT_EQ(given[0], 0xffffffffffffffff); // the last thing there is the mask for the end
    EXPECT(given[1] == 0x4000000 && given[2] == 0x1235000);
    for (unsigned i = 0; i < 2; i++) {
        begin();
        CALL(nanosleep, 0, 0);
        program.values[0] = (struct prog_value){.kind = PROG_BYTES, .count = 16, .first = (uint16_t)(32 + 16 * i)};
        run();
        memcpy(given, memory + (PROG_SCRATCH_BASE - MEMORY_BASE), sizeof(given));
        EXPECT_EQ(given[1], i == 0 ? 999999999 % 2000000 + 1 : 0);
    }
}

TEST(prog_run, clones_are_bounded_and_numbered)
{
    begin();
    program.starts[2] = PROG_PROCESS;
    CALL(getpid, 0)->list = 2;
    for (unsigned i = 0; i < 12; i++) {
        CALL(clone, 0x50f00, 3, 0, 0, 0);
    }
    run();
    EXPECT_EQ(clones, 9);
    EXPECT_EQ(child.id, 19);
    EXPECT_EQ(child.list, 3);
    EXPECT_EQ(child.slot, 9);
    EXPECT(!child.is_process && child.owns_memory && child.level == 1);
    EXPECT_EQ(clone_flags, 0x50f00);
    EXPECT_EQ(clone_stack_top, PROG_STACK_BASE + 10 * PROG_STACK_SIZE);
    EXPECT_EQ(arguments_of(CALL_clone)[0], -1); // never by the plain door
    uint32_t running;
    prog_machine_read(&running, PROG_STATE_BASE + offsetof(struct prog_state, running), sizeof(running));
    EXPECT_EQ(running, 0); // none came to be
}

TEST(prog_run, clone3_takes_its_structure_from_scratch_memory_only)
{
    const uint64_t how[8] = {1ull << 32, 0, 0, 0, 17, 0x1001, 0x1000, 0};
    begin();
    memcpy(text, how, sizeof(how));
    CALL(clone3, 0, 64);
    program.values[0] = (struct prog_value){.kind = PROG_BYTES, .count = 64, .first = 0};
    CALL(clone3, PROG_ARENA_BASE, 88);
    run();
    EXPECT_EQ(clones, 1);
    EXPECT_EQ(clone_flags, PROG_CLONE3 | 1ull << 32 | 17);
    EXPECT_EQ(child.list, 1);
    EXPECT(child.is_process);
    EXPECT_EQ(arguments_of(CALL_clone3)[0], ~0xfffull);
}
