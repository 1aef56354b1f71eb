// Arguments that would end or starve the interpreter, its fellows or its machine become others.
#include "user/prog/internal.h"

#define USER_END (1ull << 48)
#define MAPPED_FROM 0x20000000ull // addresses of a kernel's choice
#define MAPPED_MOST 0x10000ull
#define RESIDENT_MOST 0x100000ull // bytes that one call makes resident

static bool result_from(const struct prog_task *task, const struct prog_call *call, unsigned argument,
                        const uint16_t *numbers)
{
    if (argument >= call->argument_count) {
        return false;
    }
    const struct prog_value *value = &task->program->values[call->first + argument];
    if (value->kind != PROG_RESULT || value->number >= task->program->call_count) {
        return false;
    }
    uint16_t by = task->program->calls[value->number].number;
    for (; *numbers != 0 && *numbers != by; numbers++) {
    }
    return *numbers != 0;
}

// --- memory --------------------------------------------------------------------------------------------------------

// A range of user addresses lies in the arena, or at the beginning of what the program has mapped.
static void tame_range(const struct prog_task *task, const struct prog_call *call, unsigned argument, uint64_t *address,
                       uint64_t *size)
{
    static const uint16_t mapping[] = {CALL_mmap, CALL_mremap, CALL_brk, 0};
    if (*address >= USER_END || *size > USER_END - *address) {
        return;
    }
    if (*address >= MAPPED_FROM && result_from(task, call, argument, mapping)) {
        *size = *size < MAPPED_MOST ? *size : MAPPED_MOST;
        return;
    }
    uint64_t offset = *address % PROG_ARENA_SIZE, room = PROG_ARENA_SIZE - offset;
    *address = PROG_ARENA_BASE + offset;
    *size = *size < room ? *size : room;
}

#define MAP_FIXED 0x10u
#define MAP_FIXED_NOREPLACE 0x100000u
#define MAP_LOCKED 0x2000u
#define MAP_POPULATE 0x8000u
#define MREMAP_FIXED 2u
#define MCL_CURRENT 1u
#define MCL_FUTURE 2u
#define MCL_ONFAULT 4u

static void tame_mmap(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[])
{
    if ((arguments[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0) {
        tame_range(task, call, 0, &arguments[0], &arguments[1]);
    }
    if ((arguments[3] & (MAP_LOCKED | MAP_POPULATE)) != 0 && arguments[1] < USER_END && arguments[1] > RESIDENT_MOST) {
        arguments[1] = RESIDENT_MOST;
    }
}

static void tame_mremap(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[])
{
    tame_range(task, call, 0, &arguments[0], &arguments[1]);
    if (arguments[2] > RESIDENT_MOST && arguments[2] < USER_END) { // what was locked stays so
        arguments[2] = RESIDENT_MOST;
    }
    if ((arguments[3] & MREMAP_FIXED) != 0) {
        tame_range(task, call, 4, &arguments[4], &arguments[2]);
    }
}

// --- processes -----------------------------------------------------------------------------------------------------

// Its own process, or one that the program has made.
static void tame_pid(const struct prog_task *task, const struct prog_call *call, unsigned argument, uint64_t *value)
{
    static const uint16_t making[] = {CALL_clone,  CALL_clone3,  CALL_getpid, CALL_gettid, CALL_setsid,
                                      CALL_getsid, CALL_getpgid, CALL_wait4,  CALL_waitid, 0};
    int32_t pid = (int32_t)*value;
    if (pid < 0) {
        *value = 0;
    } else if (pid > 0 && pid != PROG_NEIGHBOUR && !result_from(task, call, argument, making)) {
        *value = (uint32_t)task->pid;
    }
}

static void tame_pids(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[])
{
    const struct prog_description *about = prog_describe(call->number);
    for (unsigned i = 0; about != NULL && i < about->argument_count; i++) {
        if (about->arguments[i].kind == PROG_ARG_PID && call->number != CALL_wait4) {
            tame_pid(task, call, i, &arguments[i]);
        }
    }
}

#define REBOOT_MAGIC 0xfee1deadu
#define PRIO_USER 2u
#define SETTABLE_BY_PID 8 // F_SETOWN

struct kernel_sigaction {
    uint64_t handler, flags, restorer, mask;
};
#define SA_RESTORER 0x4000000u

static void tame_sigaction(const struct prog_task *task, uint64_t address)
{
    struct kernel_sigaction action;
    if (!in_scratch(task, address, sizeof(action))) {
        return; // what is not there is refused, and a handler in other memory is nowhere
    }
    prog_machine_read(&action, address, sizeof(action));
    if (action.handler > 1) {
        action.handler = prog_machine_handler();
        action.flags |= SA_RESTORER;
        action.restorer = prog_machine_restorer();
        prog_machine_write(address, &action, sizeof(action));
    }
}

struct kernel_stack {
    uint64_t start, flags, size;
};
#define STACK_MOST 0x4000u

// An alternate stack lies at the low end of the task's own one: two that shared theirs would write over each other's
// frames, and go on with each other's registers.
static void tame_stack(const struct prog_task *task, uint64_t *address)
{
    struct kernel_stack stack;
    if (!in_scratch(task, *address, sizeof(stack))) {
        *address = *address - PROG_ARENA_BASE < PROG_ARENA_SIZE ? 0 : *address;
        return;
    }
    prog_machine_read(&stack, *address, sizeof(stack));
    stack.start = PROG_STACK_BASE + task->slot * PROG_STACK_SIZE + stack.start % (STACK_MOST / 2) / 16 * 16;
    stack.size = stack.size < STACK_MOST ? stack.size : STACK_MOST;
    prog_machine_write(*address, &stack, sizeof(stack));
}

// --- time ----------------------------------------------------------------------------------------------------------

#define SECONDS_FOREVER (1ll << 33)
#define NANOSECONDS_MOST 2000000ll

// Waits of seconds become short ones; of more than 200 years are for ever.
static void tame_times(const struct prog_task *task, uint64_t address, unsigned count)
{
    struct {
        int64_t seconds, nanoseconds;
    } times[2];
    uint64_t size = count * sizeof(times[0]);
    if (!in_scratch(task, address, size)) {
        return;
    }
    prog_machine_read(times, address, size);
    for (unsigned i = 0; i < count; i++) {
        if (times[i].seconds >= 0 && times[i].seconds < SECONDS_FOREVER && times[i].nanoseconds >= 0 &&
            times[i].nanoseconds < 1000000000) {
            bool none = times[i].seconds == 0 && times[i].nanoseconds == 0;
            times[i].seconds = 0;
            times[i].nanoseconds = none ? 0 : times[i].nanoseconds % NANOSECONDS_MOST + 1;
        }
    }
    prog_machine_write(address, times, size);
}

// Which argument of which call says how long; two words, or as many more.
static void tame_waiting(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[])
{
    switch (call->number) {
    case CALL_nanosleep:
        tame_times(task, arguments[0], 1);
        break;
    case CALL_clock_nanosleep:
    case CALL_ppoll:
    case CALL_rt_sigtimedwait:
        tame_times(task, arguments[2], 1);
        break;
    case CALL_futex:
    case CALL_epoll_pwait2:
        tame_times(task, arguments[3], 1);
        break;
    case CALL_pselect6:
        tame_times(task, arguments[4], 1);
        break;
    case CALL_setitimer:
        tame_times(task, arguments[1], 2);
        break;
    case CALL_timer_settime:
    case CALL_timerfd_settime:
        tame_times(task, arguments[2], 2);
        break;
    case CALL_epoll_pwait:
        if ((int32_t)arguments[3] > 0) {
            arguments[3] = (uint32_t)arguments[3] % 4;
        }
        break;
    default:
        break;
    }
}

// --- all -----------------------------------------------------------------------------------------------------------

static void tame_memory(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[])
{
    switch (call->number) {
    case CALL_munmap:
    case CALL_mprotect:
    case CALL_madvise:
    case CALL_mlock:
    case CALL_mlock2:
    case CALL_munlock:
    case CALL_msync:
    case CALL_mincore:
        tame_range(task, call, 0, &arguments[0], &arguments[1]);
        break;
    case CALL_mremap:
        tame_mremap(task, call, arguments);
        break;
    case CALL_mlockall: // as it is touched: the interpreter's own memory is more than a small machine has
        arguments[0] |= (arguments[0] & (MCL_CURRENT | MCL_FUTURE)) != 0 ? MCL_ONFAULT : 0;
        break;
    case CALL_mmap:
        tame_mmap(task, call, arguments);
        break;
    default:
        break;
    }
}

bool prog_tame(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[PROG_ARGUMENTS],
               int64_t *result)
{
    tame_memory(task, call, arguments);
    tame_pids(task, call, arguments);
    tame_waiting(task, call, arguments);
    switch (call->number) {
    case CALL_rt_sigreturn:
        *result = ERROR(ENOSYS_);
        return false;
    case CALL_rt_sigaction:
        tame_sigaction(task, arguments[1]);
        break;
    case CALL_sigaltstack:
        tame_stack(task, &arguments[0]);
        break;
    case CALL_setpriority:
    case CALL_getpriority:
        if ((uint32_t)arguments[0] == PRIO_USER) { // also of who runs the program
            arguments[0] = 0;
        }
        break;
    case CALL_fcntl:
        if ((uint32_t)arguments[1] == SETTABLE_BY_PID) {
            arguments[2] = 0;
        }
        break;
    case CALL_reboot:
        if ((uint32_t)arguments[0] == REBOOT_MAGIC) {
            arguments[1] = 0;
        }
        break;
    default:
        break;
    }
    return true;
}

// --- clone ---------------------------------------------------------------------------------------------------------

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define LEAST 64u
#define MOST 4096u
#define SIGNALS 64u
#define CSIGNAL 0xffull

// False: clone3 refuses these whoever calls.
static bool take_clone3(const struct prog_task *task, uint64_t arguments[], struct clone_arguments *out)
{
    uint64_t size = arguments[1];
    *out = (struct clone_arguments){0};
    if (size < LEAST || size > MOST) {
        return false;
    }
    if (!in_scratch(task, arguments[0], size)) { // it could be any
        arguments[0] = ~0xfffull;
        return false;
    }
    arguments[1] = size = size < sizeof(*out) ? size : sizeof(*out);
    prog_machine_read(out, arguments[0], size);
    if (out->set_tid != 0 || out->set_tid_size != 0) {
        out->flags |= CSIGNAL; // allowed to root elsewhere
        prog_machine_write(arguments[0], &out->flags, sizeof(out->flags));
    }
    bool stack_is_whole = (out->stack == 0) == (out->stack_size == 0);
    return stack_is_whole && out->exit_signal <= SIGNALS && (out->flags & CSIGNAL) == 0;
}

bool prog_tame_clone(const struct prog_task *task, uint64_t number, uint64_t arguments[PROG_ARGUMENTS],
                     struct prog_clone *out)
{
    if (number == CALL_clone) {
        *out = (struct prog_clone){.flags = (uint32_t)arguments[0],
                                   .parent_tid = arguments[2],
                                   .tls = arguments[3],
                                   .child_tid = arguments[4],
                                   .list = arguments[1] % PROG_LISTS};
        return true;
    }
    struct clone_arguments from;
    bool good = take_clone3(task, arguments, &from);
    *out = (struct prog_clone){.flags = (from.flags & ~PROG_CLONE3) | from.exit_signal | PROG_CLONE3,
                               .parent_tid = from.parent_tid,
                               .tls = from.tls,
                               .child_tid = from.child_tid,
                               .list = from.stack % PROG_LISTS};
    return good;
}
