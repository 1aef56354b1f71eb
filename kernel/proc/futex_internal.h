// Between futex.c and futex_lock.c only.
#pragma once

#include "kernel/base/list.h"
#include "kernel/proc/futex.h"
#include "kernel/sync/waitq.h"

#define FUTEX_BUCKET_BITS 7u
#define FUTEX_BUCKETS (1u << FUTEX_BUCKET_BITS)

struct futex_key {
    uint64_t object; // space_identify()'s: a waiter may be in line longer than what it waits on is mapped
    uint64_t offset;
};

struct futex_bucket {
    struct spinlock lock;
    struct list waiters; // in order of arrival
};
extern struct futex_bucket futex_buckets[FUTEX_BUCKETS];

// On the stack of the one that waits. The lock of its bucket covers it.
struct futex_waiter {
    struct list link;            // empty: woken
    struct futex_bucket *bucket; // changes with both locks
    struct futex_key key;
    uint32_t bits;
    int32_t tid, owner; // of futex_lock(): who waits, and for whom; else 0
    bool owns;          // it has been given the lock
    struct wait_queue queue;
    bool woken; // queue's lock
};

[[nodiscard]] int futex_identify(const struct futex *futex, struct futex_key *out);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
bool futex_is(const struct futex_waiter *waiter, const struct futex_key *key); // with the bucket's lock
void futex_waiter_init(struct futex_waiter *waiter, const struct futex_key *key, uint32_t bits);
[[nodiscard]] int futex_sleep(struct futex_waiter *waiter, uint64_t deadline_ns); // it is in line. -ETIMEDOUT, -EINTR
bool futex_leave(struct futex_waiter *waiter);       // always, after it was in line. True: it was woken
void futex_wake_waiter(struct futex_waiter *waiter); // with the bucket's lock; it may be gone once that is given up
