// Futexes: threads sleep on a word of user memory until another says so. Source: futex(2), robust_futex(7). Task
// context; may sleep. A shared one is known by what it maps, a private one by its address. Errors of all: -EFAULT;
// -EINVAL: misaligned.
#pragma once

#include "kernel/mm/space.h"

struct task;

struct futex {
    struct space *space; // the current one
    uint64_t address;
    bool shared;
};
#define FUTEX_ANY 0xffffffffu // every bit

void futex_init(void); // once, before the first process
// Sleeps if the word is expected. 0: woken; -EAGAIN: it was not; -ETIMEDOUT, -EINTR.
[[nodiscard]] int futex_wait(const struct futex *futex, uint32_t expected, uint32_t bits, uint64_t deadline_ns);
// How many were woken: at most count, of those whose bits meet these.
int futex_wake(const struct futex *futex, uint32_t count, uint32_t bits);
// Wakes some, and lets at most move of the rest wait on another. expected: of the first word, or NULL. How many of
// both, -EAGAIN.
int futex_requeue(const struct futex *from, const struct futex *to, uint32_t wake, uint32_t move,
                  const uint32_t *expected);
// Changes the second word as operation says, wakes some of the first, and if the second compared, some of that.
int futex_wake_op(const struct futex *first, const struct futex *second, uint32_t wake_first, uint32_t wake_second,
                  uint32_t operation);
// The word holds its owner's number. An owner is not lifted in priority: there are none. -EDEADLK: mine already;
// -ESRCH: the owner is no more; -EAGAIN: try, and it is taken; -ETIMEDOUT, -EINTR.
[[nodiscard]] int futex_lock(const struct futex *futex, bool try, uint64_t deadline_ns);
[[nodiscard]] int futex_unlock(const struct futex *futex); // -EPERM: not mine
// The current task gives up its memory: what it holds is marked, and who waits for it woken.
void futex_task_ends(struct task *task);
[[nodiscard]] const char *futex_check(void);
