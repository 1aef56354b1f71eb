// The interpreter: lists of calls, and the tasks that run them.
#include "user/prog/internal.h"

#define CLONES_AT_FIRST 9u // one digit of an id
#define FUTEX_WAIT_PRIVATE 128u
#define FUTEX_WAKE_PRIVATE 129u
#define ALL_CHILDREN 0x40000000u // __WALL
#define SIG_BLOCK 0u
#define SIGNALS_MOST 256u
#define THREAD_FLAGS 0x50f00u // as pthread_create()'s: all that threads share

static void tell(const struct prog_task *task, enum prog_event_kind kind, int64_t result, const void *bytes,
                 uint32_t size)
{
    const struct prog_event event = {.task = task->id,
                                     .kind = (uint8_t)kind,
                                     .list = task->list,
                                     .call = (uint16_t)task->call,
                                     .result = result,
                                     .size = size,
                                     .bytes = bytes};
    prog_machine_trace(&event);
}

// --- the end of a list ---------------------------------------------------------------------------------------------

#define RUNNING (PROG_STATE_BASE + offsetof(struct prog_state, running))

static bool is_counted(const struct prog_task *task)
{
    return !task->is_process && task->owns_memory;
}

static void count_out(const struct prog_task *task)
{
    if (is_counted(task)) {
        prog_machine_add(RUNNING, (uint32_t)-1);
        call3(CALL_futex, RUNNING, FUTEX_WAKE_PRIVATE, 1);
    }
}

// Signals are for the calls of the lists, not for these.
static void block_signals(const struct prog_task *task)
{
    static const uint64_t all = ~0ull;
    const uint64_t arguments[PROG_ARGUMENTS] = {SIG_BLOCK, scratch_of(task), 0, sizeof(all)};
    prog_machine_write(scratch_of(task), &all, sizeof(all));
    prog_machine_call(CALL_rt_sigprocmask, arguments);
}

static void wait_for_threads(void)
{
    uint32_t running;
    for (;;) {
        prog_machine_read(&running, RUNNING, sizeof(running));
        if (running == 0) {
            return;
        }
        call3(CALL_futex, RUNNING, FUTEX_WAIT_PRIVATE, running);
    }
}

static void wait_for_children(void)
{
    const uint64_t any[PROG_ARGUMENTS] = {~0ull, 0, ALL_CHILDREN};
    for (;;) {
        int64_t result = prog_machine_call(CALL_wait4, any);
        if (result < 0 && result != ERROR(EINTR_)) {
            return;
        }
    }
}

_Noreturn static void end(struct prog_task *task)
{
    task->call = PROG_CALLS_MAX;
    tell(task, PROG_DONE, 0, NULL, 0);
    block_signals(task);
    count_out(task);
    if (task->is_process) {
        if (task->owns_memory) {
            wait_for_threads();
        }
        wait_for_children();
    }
    if (task->dump) {
        prog_dump(task);
    }
    for (;;) { // which fails without end if it fails
        call3(task->is_process ? CALL_exit_group : CALL_exit, 0, 0, 0);
    }
}

// --- clones --------------------------------------------------------------------------------------------------------

// With 9 of the first task, 3 of each of these and 1 of those there are at most 64.
static unsigned clones_most(unsigned level)
{
    static const uint8_t most[PROG_LEVELS_MAX + 1] = {CLONES_AT_FIRST, 3, 1, 0};
    return most[level];
}

static uint8_t slot_of_clone(const struct prog_task *task)
{
    switch (task->level) {
    case 0:
        return (uint8_t)(1 + task->clones);
    case 1:
        return (uint8_t)(10 + 3 * (task->slot - 1) + task->clones);
    default:
        return (uint8_t)(37 + (task->slot - 10));
    }
}

static int64_t clone_list(struct prog_task *task, const struct prog_clone *how)
{
    if (task->clones >= clones_most(task->level)) {
        return ERROR(EAGAIN_);
    }
    struct prog_task child = *task;
    child.slot = slot_of_clone(task);
    task->clones++;
    child.id = task->id * 10 + task->clones;
    child.level = task->level + 1;
    child.clones = 0;
    child.list = how->list;
    child.dump = false;
    child.is_process = (how->flags & CLONE_THREAD) == 0;
    child.owns_memory = child.is_process ? (how->flags & CLONE_VM) == 0 : task->owns_memory;
    if (is_counted(&child)) {
        prog_machine_add(RUNNING, 1);
    }
    uint64_t stack_top = PROG_STACK_BASE + (child.slot + 1ull) * PROG_STACK_SIZE;
    int64_t result = prog_machine_clone(how->flags, stack_top, how->parent_tid, how->tls, how->child_tid, &child);
    if (failed(result)) {
        count_out(&child);
    }
    return result;
}

static bool has_calls(const struct program *program, unsigned list)
{
    for (unsigned i = 0; i < program->call_count; i++) {
        if (program->calls[i].list == list) {
            return true;
        }
    }
    return false;
}

static void start_lists(struct prog_task *first)
{
    for (unsigned i = 1; i < PROG_LISTS; i++) {
        uint8_t start = first->program->starts[i];
        if (start != PROG_NOT_STARTED && has_calls(first->program, i)) {
            const struct prog_clone how = {.flags = start == PROG_THREAD ? THREAD_FLAGS : SIGCHLD_, .list = (uint8_t)i};
            clone_list(first, &how);
        }
    }
}

// --- one call ------------------------------------------------------------------------------------------------------

static int64_t access_memory(const struct prog_call *call, const uint64_t arguments[])
{
    uint64_t size = call->number == PROG_LOAD ? arguments[1] : arguments[2];
    unsigned bytes = size < 8 ? (size < 4 ? (size < 2 ? 1 : 2) : 4) : 8;
    switch (call->number) {
    case PROG_LOAD:
        return (int64_t)prog_machine_load(arguments[0], bytes);
    case PROG_STORE:
        prog_machine_store(arguments[0], arguments[1], bytes);
        return 0;
    default:
        return prog_machine_add(arguments[0] & ~3ull, (uint32_t)arguments[1]);
    }
}

static int64_t make(struct prog_task *task, const struct prog_call *call, uint64_t arguments[PROG_ARGUMENTS])
{
    int64_t result;
    if (call->number >= PROG_LOAD && call->number <= PROG_ADD) {
        return access_memory(call, arguments);
    }
    if (call->number == CALL_clone || call->number == CALL_clone3) {
        struct prog_clone how;
        if (prog_tame_clone(task, call->number, arguments, &how)) {
            return clone_list(task, &how);
        }
    } else if (!prog_tame(task, call, arguments, &result)) {
        return result;
    }
    if (call->number == CALL_exit) {
        count_out(task);
    }
    return prog_machine_call(call->number, arguments);
}

static void keep_result(uint32_t call, uint64_t result)
{
    prog_machine_write(PROG_STATE_BASE + offsetof(struct prog_state, results) + call * sizeof(result), &result,
                       sizeof(result));
}

// The first words of the first output argument, for PROG_RESULT.
static void keep_words(uint32_t call, const uint8_t *bytes, uint32_t size)
{
    uint32_t most = sizeof(((struct prog_state *)0)->words[0]);
    prog_machine_write(PROG_STATE_BASE + offsetof(struct prog_state, words) + call * most, bytes,
                       (size < most ? size : most) & ~3u);
}

// What the call gave out, to bytes. How much.
static uint32_t collect(const struct prog_task *task, const struct prog_call *call, const uint64_t arguments[],
                        int64_t result, uint8_t bytes[PROG_EVENT_BYTES])
{
    const struct prog_description *about = prog_describe(call->number);
    uint32_t total = 0;
    for (unsigned i = 0; about != NULL && i < about->argument_count; i++) {
        uint64_t size = prog_output_size(about, i, arguments, result);
        size = size < PROG_EVENT_BYTES - total ? size : PROG_EVENT_BYTES - total;
        if (size == 0 || !in_scratch(task, arguments[i], size)) {
            continue;
        }
        prog_machine_read(bytes + total, arguments[i], size);
        if (total == 0) {
            keep_words(task->call, bytes, (uint32_t)size);
        }
        total += (uint32_t)size;
    }
    return total;
}

static void run_call(struct prog_task *task, uint32_t index)
{
    const struct prog_call *call = &task->program->calls[index];
    uint64_t arguments[PROG_ARGUMENTS];
    uint8_t bytes[PROG_EVENT_BYTES];
    task->call = index;
    tell(task, PROG_BEGAN, 0, NULL, 0);
    prog_evaluate(task, call, arguments);
    if (call->fail_nth != 0) {
        prog_machine_fail_nth(call->fail_nth);
    }
    int64_t result = make(task, call, arguments);
    if (call->fail_nth != 0) {
        prog_machine_fail_nth(0);
    }
    bool good = call->number >= PROG_LOAD || !failed(result);
    keep_result(index, good ? (uint64_t)result : ~0ull);
    uint32_t size = good ? collect(task, call, arguments, result, bytes) : 0;
    tell(task, PROG_ENDED, result, bytes, size);
}

_Noreturn static void run_list(struct prog_task *task)
{
    for (uint32_t i = 0; i < task->program->call_count; i++) {
        if (task->program->calls[i].list == task->list) {
            run_call(task, i);
        }
    }
    end(task);
}

_Noreturn void prog_run(struct prog_task *first)
{
    *first = (struct prog_task){.program = first->program,
                                .dump = first->dump,
                                .id = 1,
                                .call = PROG_CALLS_MAX,
                                .is_process = true,
                                .owns_memory = true};
    first->pid = (int32_t)call3(CALL_getpid, 0, 0, 0);
    start_lists(first);
    run_list(first);
}

_Noreturn void prog_child(struct prog_task *task)
{
    static const uint32_t none = 0;
    if (task->is_process) {
        task->pid = (int32_t)call3(CALL_getpid, 0, 0, 0);
    }
    if (task->is_process && task->owns_memory) { // the threads are the parent's
        prog_machine_write(RUNNING, &none, sizeof(none));
    }
    run_list(task);
}

void prog_handler(struct prog_task *task, int signal)
{
    const struct prog_task unknown = {.call = PROG_CALLS_MAX};
    tell(task != NULL ? task : &unknown, PROG_SIGNAL, signal, NULL, 0);
    uint64_t counter = PROG_STATE_BASE + offsetof(struct prog_state, signals);
    if (prog_machine_add(counter, 1) >= SIGNALS_MOST) { // a timer that is faster than the program
        call3(CALL_exit_group, 43, 0, 0);
    }
}
