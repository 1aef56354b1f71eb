#include "kernel/proc/futex.h"

#include <fault/fault.h>

#include "kernel/proc/futex_internal.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/waitq.h"

struct futex_bucket futex_buckets[FUTEX_BUCKETS];

void futex_init(void)
{
    for (unsigned i = 0; i < FUTEX_BUCKETS; i++) {
        spin_init(&futex_buckets[i].lock, "futex", RANK_FUTEX);
        list_init(&futex_buckets[i].waiters);
    }
}

// --- names ---------------------------------------------------------------------------------------------------------

int futex_identify(const struct futex *futex, struct futex_key *out)
{
    if (!is_aligned(futex->address, sizeof(uint32_t))) {
        return -EINVAL;
    }
    if (!user_range_ok(uaddr(futex->address), sizeof(uint32_t)) || fault_here(FAULT_USER_COPY)) {
        return -EFAULT;
    }
    if (futex->shared) {
        return space_identify(futex->space, futex->address, &out->object, &out->offset);
    }
    *out = (struct futex_key){space_identity(futex->space), futex->address};
    return 0;
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
    // Fibonacci hashing, twice: objects are small numbers, and so are offsets in files.
    uint64_t hash = (key->object * 0x9e3779b97f4a7c15ul ^ key->offset >> 2) * 0x9e3779b97f4a7c15ul;
    return &futex_buckets[hash >> (64 - FUTEX_BUCKET_BITS)];
}

bool futex_is(const struct futex_waiter *waiter, const struct futex_key *key)
{
    return waiter->key.object == key->object && waiter->key.offset == key->offset;
}

// --- waiters -------------------------------------------------------------------------------------------------------

void futex_waiter_init(struct futex_waiter *waiter, const struct futex_key *key, uint32_t bits)
{
    *waiter = (struct futex_waiter){.bucket = futex_bucket_of(key), .key = *key, .bits = bits};
    list_init(&waiter->link);
    wait_queue_init(&waiter->queue, "futex waiter");
}

int futex_sleep(struct futex_waiter *waiter, uint64_t deadline_ns)
{
    int error = 0;
    irqflags_t flags = spin_lock(&waiter->queue.lock);
    while (!waiter->woken && error == 0) {
        error = wait_queue_sleep_interruptible(&waiter->queue, &flags, deadline_ns);
    }
    spin_unlock(&waiter->queue.lock, flags);
    return error;
}

// The lock of whatever bucket it is on by now.
static struct futex_bucket *lock_bucket_of(struct futex_waiter *waiter, irqflags_t *flags) NO_LOCK_ANALYSIS
{
    for (;;) {
        struct futex_bucket *bucket = load_acquire(&waiter->bucket);
        *flags = spin_lock(&bucket->lock);
        if (bucket == waiter->bucket) {
            return bucket;
        }
        spin_unlock(&bucket->lock, *flags);
    }
}

bool futex_leave(struct futex_waiter *waiter) NO_LOCK_ANALYSIS
{
    irqflags_t flags; // also when it was woken: the waker may still be busy with it
    struct futex_bucket *bucket = lock_bucket_of(waiter, &flags);
    bool woken = list_empty(&waiter->link);
    list_remove(&waiter->link);
    spin_unlock(&bucket->lock, flags);
    return woken;
}

void futex_wake_waiter(struct futex_waiter *waiter)
{
    list_remove(&waiter->link);
    irqflags_t flags = spin_lock(&waiter->queue.lock);
    waiter->woken = true;
    (void)wait_queue_wake_one(&waiter->queue);
    spin_unlock(&waiter->queue.lock, flags);
}

// With the bucket's lock.
static uint32_t wake_some(struct futex_bucket *bucket, const struct futex_key *key, uint32_t count, uint32_t bits)
{
    uint32_t woken = 0;
    struct list *at = bucket->waiters.next;
    while (at != &bucket->waiters && woken < count) {
        struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
        at = at->next;
        if (futex_is(waiter, key) && (waiter->bits & bits) != 0 && waiter->tid == 0) {
            futex_wake_waiter(waiter);
            woken++;
        }
    }
    return woken;
}

// --- wait and wake -------------------------------------------------------------------------------------------------

// Puts the waiter in line if the word is expected. -EFAULT: perhaps only not present.
static int join(struct futex_waiter *waiter, uint64_t address, uint32_t expected)
{
    uint32_t seen;
    irqflags_t flags = spin_lock(&waiter->bucket->lock);
    int error = user_word_read(uaddr(address), &seen);
    error = error == 0 && seen != expected ? -EAGAIN : error;
    if (error == 0) {
        list_push_back(&waiter->bucket->waiters, &waiter->link);
    }
    spin_unlock(&waiter->bucket->lock, flags);
    return error;
}

int futex_wait(const struct futex *futex, uint32_t expected, uint32_t bits, uint64_t deadline_ns)
{
    struct futex_key key;
    struct futex_waiter waiter;
    int error = bits == 0 ? -EINVAL : futex_identify(futex, &key);
    if (error != 0) {
        return error;
    }
    futex_waiter_init(&waiter, &key, bits);
    while ((error = join(&waiter, futex->address, expected)) == -EFAULT) {
        if (space_touch(futex->space, futex->address, SPACE_READ) != 0 || thread_killed()) {
            return -EFAULT;
        }
    }
    if (error != 0) {
        return error;
    }
    error = futex_sleep(&waiter, deadline_ns);
    return futex_leave(&waiter) ? 0 : error;
}

#define WAKES_AT_ONCE 32u

int futex_wake(const struct futex *futex, uint32_t count, uint32_t bits)
{
    struct futex_key key;
    int error = bits == 0 ? -EINVAL : futex_identify(futex, &key);
    if (error != 0) {
        return error;
    }
    struct futex_bucket *bucket = futex_bucket_of(&key);
    uint32_t woken = 0, last = WAKES_AT_ONCE;
    while (last == WAKES_AT_ONCE && woken < count) { // fewer: there are no more
        irqflags_t flags = spin_lock(&bucket->lock);
        last = wake_some(bucket, &key, (uint32_t)min_u64(count - woken, WAKES_AT_ONCE), bits);
        spin_unlock(&bucket->lock, flags);
        woken += last;
    }
    return (int)woken;
}

// --- two at once ---------------------------------------------------------------------------------------------------

static irqflags_t lock_both(struct futex_bucket *a, struct futex_bucket *b) NO_LOCK_ANALYSIS
{
    irqflags_t flags = spin_lock(&(a < b ? a : b)->lock);
    if (a != b) {
        spin_lock_second(&(a < b ? a : b)->lock, &(a < b ? b : a)->lock);
    }
    return flags;
}

static void unlock_both(struct futex_bucket *a, struct futex_bucket *b, irqflags_t flags) NO_LOCK_ANALYSIS
{
    if (a != b) {
        spin_unlock_raw(&(a < b ? b : a)->lock);
    }
    spin_unlock(&(a < b ? a : b)->lock, flags);
}

static uint32_t move_some(struct futex_bucket *from, const struct futex_key *key, struct futex_bucket *to,
                          const struct futex_key *new_key, uint32_t count)
{
    uint32_t moved = 0;
    struct list *at = from->waiters.next, *end = from->waiters.prev;
    bool last = list_empty(&from->waiters);
    while (!last && moved < count) { // what is moved within one bucket comes after the end that it had
        struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
        last = at == end;
        at = at->next;
        if (futex_is(waiter, key) && waiter->tid == 0) {
            list_remove(&waiter->link);
            waiter->key = *new_key;
            list_push_back(&to->waiters, &waiter->link);
            store_release(&waiter->bucket, to);
            moved++;
        }
    }
    return moved;
}

int futex_requeue(const struct futex *from, const struct futex *to, uint32_t wake, uint32_t move,
                  const uint32_t *expected)
{
    struct futex_key key, new_key;
    int result = futex_identify(from, &key);
    result = result != 0 ? result : futex_identify(to, &new_key);
    if (result != 0) {
        return result;
    }
    struct futex_bucket *a = futex_bucket_of(&key), *b = futex_bucket_of(&new_key);
    for (;;) {
        uint32_t seen = 0;
        irqflags_t flags = lock_both(a, b);
        result = expected != NULL ? user_word_read(uaddr(from->address), &seen) : 0;
        result = result == 0 && expected != NULL && seen != *expected ? -EAGAIN : result;
        if (result == 0) {
            result = (int)wake_some(a, &key, wake, FUTEX_ANY);
            result += (int)move_some(a, &key, b, &new_key, move);
        }
        unlock_both(a, b, flags);
        if (result != -EFAULT || thread_killed()) {
            return result;
        }
        if (space_touch(from->space, from->address, SPACE_READ) != 0) {
            return -EFAULT;
        }
    }
}

static int32_t sign_extend_12(uint32_t bits)
{
    return (int32_t)(bits << 20) >> 20;
}

static uint32_t operate(uint32_t word, uint32_t operation)
{
    uint32_t argument = (uint32_t)sign_extend_12(operation >> 12 & 0xfff);
    if ((operation & 0x80000000u) != 0) {
        argument = 1u << (argument & 31);
    }
    switch (operation >> 28 & 7) {
    case 0:
        return argument;
    case 1:
        return word + argument;
    case 2:
        return word | argument;
    case 3:
        return word & ~argument;
    default:
        return word ^ argument;
    }
}

static bool compare(uint32_t word, uint32_t operation)
{
    int32_t left = (int32_t)word, right = sign_extend_12(operation & 0xfff);
    switch (operation >> 24 & 15) {
    case 0:
        return left == right;
    case 1:
        return left != right;
    case 2:
        return left < right;
    case 3:
        return left <= right;
    case 4:
        return left > right;
    default:
        return left >= right;
    }
}

// With interrupts off. What was there. -EAGAIN: others are always quicker.
static int change_word(uint64_t address, uint32_t operation, uint32_t *before)
{
    uint32_t seen;
    int error = user_word_read(uaddr(address), &seen);
    for (unsigned tries = 0; error == 0 && tries < USER_WORD_TRIES; tries++) {
        *before = seen;
        error = user_word_exchange(uaddr(address), *before, operate(*before, operation), &seen);
        if (error == 0 && seen == *before) {
            return 0;
        }
    }
    return error != 0 ? error : -EAGAIN;
}

int futex_wake_op(const struct futex *first, const struct futex *second, uint32_t wake_first, uint32_t wake_second,
                  uint32_t operation)
{
    struct futex_key key, other;
    int result = (operation >> 28 & 7) > 4 || (operation >> 24 & 15) > 5 ? -ENOSYS : futex_identify(first, &key);
    result = result != 0 ? result : futex_identify(second, &other);
    if (result != 0) {
        return result;
    }
    struct futex_bucket *a = futex_bucket_of(&key), *b = futex_bucket_of(&other);
    for (;;) {
        uint32_t before;
        irqflags_t flags = lock_both(a, b);
        result = change_word(second->address, operation, &before);
        if (result == 0) {
            result = (int)wake_some(a, &key, wake_first, FUTEX_ANY);
            result += compare(before, operation) ? (int)wake_some(b, &other, wake_second, FUTEX_ANY) : 0;
        }
        unlock_both(a, b, flags);
        if (result >= 0 || thread_killed()) {
            return result;
        }
        if (result == -EFAULT && space_touch(second->space, second->address, SPACE_WRITE) != 0) {
            return -EFAULT;
        }
    }
}

const char *futex_check(void)
{
    const char *broken = NULL;
    for (unsigned i = 0; i < FUTEX_BUCKETS && broken == NULL; i++) {
        struct futex_bucket *bucket = &futex_buckets[i];
        irqflags_t flags = spin_lock(&bucket->lock);
        list_for_each(at, &bucket->waiters)
        {
            const struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
            if (waiter->bucket != bucket || futex_bucket_of(&waiter->key) != bucket) {
                broken = "a futex waiter is in the wrong bucket";
            } else if (waiter->woken) {
                broken = "a futex waiter was woken, and is still in line";
            }
        }
        spin_unlock(&bucket->lock, flags);
    }
    return broken;
}
