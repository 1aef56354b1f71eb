// Futexes and the lists of locks. Source: futex(2), set_robust_list(2).
#include "kernel/proc/futex.h"

#include "kernel/mm/usercopy.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"
#include "kernel/time/clock.h"

enum futex_operation {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP = 5,
    FUTEX_LOCK_PI = 6,
    FUTEX_UNLOCK_PI = 7,
    FUTEX_TRYLOCK_PI = 8,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_LOCK_PI2 = 13,
};
#define FUTEX_PRIVATE 128u
#define FUTEX_CLOCK_REALTIME 256u

// When the wait ends, on timer_now()'s clock. FUTEX_WAIT counts from now, the others name a time.
static int find_deadline(unsigned operation, bool realtime, uint64_t from, uint64_t *deadline)
{
    uint64_t ns;
    *deadline = UINT64_MAX;
    if (from == 0) {
        return 0;
    }
    int error = time_from_user(from, &ns);
    if (error != 0) {
        return error;
    }
    if (operation == FUTEX_WAIT) {
        *deadline = time_deadline_of_call(ns);
        return 0;
    }
    uint64_t offset = realtime ? clock_realtime_offset() : 0;
    *deadline = min_u64(ns > offset ? ns - offset : 0, UINT64_MAX - 1);
    return 0;
}

static int64_t wait(const struct futex *futex, unsigned operation, bool realtime, const uint64_t arguments[6])
{
    uint64_t deadline;
    int error = find_deadline(operation, realtime || operation == FUTEX_LOCK_PI, arguments[3], &deadline);
    if (error != 0) {
        return error;
    }
    if (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) {
        uint32_t bits = operation == FUTEX_WAIT ? FUTEX_ANY : (uint32_t)arguments[5];
        error = futex_wait(futex, (uint32_t)arguments[2], bits, deadline);
        return error == -EINTR ? (deadline == UINT64_MAX ? -ERESTART : -ERESTART_NOHAND) : error;
    }
    error = futex_lock(futex, false, deadline);
    return error == -EINTR ? -ERESTART : error;
}

int64_t sys_futex(const uint64_t arguments[6])
{
    unsigned operation = (unsigned)arguments[1] & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    bool shared = (arguments[1] & FUTEX_PRIVATE) == 0, realtime = (arguments[1] & FUTEX_CLOCK_REALTIME) != 0;
    struct space *space = process_current()->space;
    struct futex futex = {space, arguments[0], shared}, second = {space, arguments[4], shared};
    uint32_t expected = (uint32_t)arguments[5];
    if (realtime && operation != FUTEX_WAIT_BITSET && operation != FUTEX_LOCK_PI2) {
        return -ENOSYS;
    }
    switch (operation) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return wait(&futex, operation, realtime, arguments);
    case FUTEX_WAKE:
        return futex_wake(&futex, (uint32_t)arguments[2], FUTEX_ANY);
    case FUTEX_WAKE_BITSET:
        return futex_wake(&futex, (uint32_t)arguments[2], (uint32_t)arguments[5]);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        if ((int32_t)arguments[2] < 0 || (int32_t)arguments[3] < 0) {
            return -EINVAL;
        }
        return futex_requeue(&futex, &second, (uint32_t)arguments[2], (uint32_t)arguments[3],
                             operation == FUTEX_CMP_REQUEUE ? &expected : NULL);
    case FUTEX_WAKE_OP:
        return futex_wake_op(&futex, &second, (uint32_t)arguments[2], (uint32_t)arguments[3], (uint32_t)arguments[5]);
    case FUTEX_UNLOCK_PI:
        return futex_unlock(&futex);
    case FUTEX_TRYLOCK_PI:
        return futex_lock(&futex, true, UINT64_MAX);
    default:
        return -ENOSYS;
    }
}

#define ROBUST_HEAD_SIZE 24u // struct robust_list_head

int64_t sys_set_robust_list(const uint64_t arguments[6])
{
    if (arguments[1] != ROBUST_HEAD_SIZE) {
        return -EINVAL;
    }
    task_current()->robust_list = arguments[0];
    return 0;
}

int64_t sys_get_robust_list(const uint64_t arguments[6])
{
    uint64_t head, size = ROBUST_HEAD_SIZE;
    int error = task_robust_list((int32_t)arguments[0], &head);
    error = error != 0 ? error : copy_to_user(uaddr(arguments[1]), &head, sizeof(head));
    return error != 0 ? error : copy_to_user(uaddr(arguments[2]), &size, sizeof(size));
}
