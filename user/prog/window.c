// The supervisor: a process for each program, its events into the window, and everything put back afterwards. The same
// on the booted kernel and on Linux.
#include "user/prog/window.h"

#include "user/prog/flat.h"

#define SIGKILL 9
#define SIGCHLD 17
#define SIG_BLOCK 0
#define SIG_SETMASK 2
#define CLOCK_MONOTONIC 1
#define WNOHANG 1
#define __WALL 0x40000000
#define PR_SET_CHILD_SUBREAPER 36
#define ECHILD 10
#define SPINS 200u           // before the first sleep
#define SLEEP_MAX 1000000ull // nanoseconds between two looks
#define GRACE 2000000ull     // nanoseconds for an event that nobody expects

static struct window_slot *slot; // that the running program writes to
static struct program program;

static uint64_t now(void)
{
    int64_t time[2] = {};
    flat_call(FLAT_clock_gettime, CLOCK_MONOTONIC, flat_word(time), 0, 0, 0);
    return (uint64_t)time[0] * 1000000000ull + (uint64_t)time[1];
}

static void rest(uint64_t nanoseconds)
{
    const int64_t time[2] = {0, (int64_t)nanoseconds};
    flat_call(FLAT_nanosleep, flat_word(time), 0, 0, 0, 0);
}

void prog_machine_trace(const struct prog_event *event)
{
    uint32_t length = (uint32_t)sizeof(struct window_event) + ((event->size + 7) & ~7u);
    uint32_t at = __atomic_fetch_add(&slot->used, length, __ATOMIC_RELAXED);
    if (at + length > sizeof(slot->events) || at + length < at) {
        __atomic_fetch_or(&slot->flags, WINDOW_CUT, __ATOMIC_RELAXED);
        return;
    }
    struct window_event *place = (struct window_event *)(slot->events + at);
    place->task = event->task;
    place->kind = event->kind;
    place->list = event->list;
    place->call = event->call;
    place->size = event->size;
    place->result = event->result;
    __builtin_memcpy(place + 1, event->bytes, event->size);
    __atomic_store_n(&place->length, length, __ATOMIC_RELEASE);
    __atomic_fetch_add(&slot->count, 1, __ATOMIC_RELEASE);
}

// What is not its own would count as the program's: memory that it locks, room that it has.
static void leave_window(struct window_slot *slots)
{
    uint64_t before = (uint64_t)((char *)slot - (char *)slots), after = WINDOW_SIZE - WINDOW_SLOT_SIZE - before;
    if (before > 0) {
        flat_call(FLAT_munmap, (int64_t)flat_word(slots), before, 0, 0, 0);
    }
    if (after > 0) {
        flat_call(FLAT_munmap, (int64_t)flat_word(slot + 1), after, 0, 0, 0);
    }
}

_Noreturn static void run_child(struct window_slot *slots)
{
    leave_window(slots);
    const uint64_t none = 0;
    flat_call(FLAT_rt_sigprocmask, SIG_SETMASK, flat_word(&none), 0, 8, 0);
    prog_decode(slot->program, slot->size < PROG_FILE_MAX ? slot->size : PROG_FILE_MAX, &program);
    int error = flat_prepare();
    error = error != 0 ? error : prog_setup();
    error = error != 0 ? error : prog_setup_for(&program);
    if (error != 0) {
        slot->status = error;
        flat_call(FLAT_exit_group, 255, 0, 0, 0, 0);
    }
    static struct prog_task first;
    first = (struct prog_task){.program = &program, .dump = (slot->flags & WINDOW_DUMP) != 0};
    flat_first(&first);
    prog_run(&first);
}

// Whether the first process ended by itself; sets slot->status then.
static bool wait_for(int64_t pid, uint64_t began)
{
    const uint64_t child_ends = 1ull << (SIGCHLD - 1);
    uint64_t deadline = began + slot->milliseconds * 1000000ull, silent = 0;
    for (;;) {
        int32_t status = 0;
        int64_t ended = flat_call(FLAT_wait4, -1, flat_word(&status), WNOHANG | __WALL, 0, 0);
        if (ended == pid) {
            slot->status = slot->status < 0 ? slot->status : status;
            return true;
        }
        if (ended > 0) {
            continue;
        }
        uint64_t time = now();
        bool all = slot->expected != 0 && __atomic_load_n(&slot->count, __ATOMIC_ACQUIRE) >= slot->expected;
        silent = !all ? 0 : silent == 0 ? time : silent;
        if (time >= deadline || (silent != 0 && time - silent >= GRACE)) {
            slot->flags |= WINDOW_KILLED | (all ? 0 : WINDOW_LATE);
            return false;
        }
        uint64_t left = slot->expected == 0 ? deadline - time : GRACE / 2;
        const int64_t timeout[2] = {(int64_t)(left / 1000000000ull), (int64_t)(left % 1000000000ull)};
        flat_call(FLAT_rt_sigtimedwait, flat_word(&child_ends), 0, flat_word(timeout), 8, 0);
    }
}

// Nothing that the program started is left: orphans are our children.
static void end_all(void)
{
    for (;;) {
        int64_t ended = flat_call(FLAT_wait4, -1, 0, WNOHANG | __WALL, 0, 0);
        if (ended == -ECHILD) {
            return;
        }
        if (ended == 0) {
            flat_call(FLAT_kill, -1, SIGKILL, 0, 0, 0);
            flat_call(FLAT_wait4, -1, 0, __WALL, 0, 0);
        }
    }
}

static void run_slot(struct window_slot *slots)
{
    uint64_t began = now();
    slot->used = slot->count = 0;
    slot->flags &= WINDOW_DUMP;
    slot->status = 0;
    int64_t pid = flat_call(FLAT_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        run_child(slots);
    }
    slot->status = pid < 0 ? (int32_t)pid : 0;
    if (pid > 0) {
        wait_for(pid, began);
    }
    end_all();
    if (!flat_put_back()) {
        slot->flags |= WINDOW_DIRTY;
    }
    slot->nanoseconds = now() - began;
}

_Noreturn void window_serve(struct window_slot *slots)
{
    const uint64_t child_ends = 1ull << (SIGCHLD - 1);
    flat_call(FLAT_rt_sigprocmask, SIG_BLOCK, flat_word(&child_ends), 0, 8, 0);
    flat_call(FLAT_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (unsigned at = 0;; at = (at + 1) % WINDOW_SLOTS) {
        slot = &slots[at];
        uint64_t pause = 0;
        for (unsigned spins = 0; __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) != WINDOW_READY; spins++) {
            if (spins >= SPINS) {
                pause = pause == 0 ? 20000 : pause * 2 < SLEEP_MAX ? pause * 2 : SLEEP_MAX;
                rest(pause);
            }
        }
        __atomic_store_n(&slot->state, WINDOW_RUNNING, __ATOMIC_RELAXED);
        run_slot(slots);
        __atomic_store_n(&slot->state, WINDOW_DONE, __ATOMIC_RELEASE);
    }
}
