// Futexes that know who holds them: FUTEX_LOCK_PI, robust lists, and what the end of a task does to both.
#include <hal/irq.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/access.h"
#include "kernel/proc/futex_internal.h"
#include "kernel/proc/process_internal.h"

#define OWNER 0x3fffffffu
#define OWNER_DIED 0x40000000u
#define WAITERS 0x80000000u

// --- locks ---------------------------------------------------------------------------------------------------------

// The first in line for the lock, and how many there are.
static struct futex_waiter *first_in_line(struct futex_bucket *bucket, const struct futex_key *key, unsigned *count)
{
    struct futex_waiter *first = NULL;
    *count = 0;
    list_for_each(at, &bucket->waiters)
    {
        struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
        if (waiter->tid != 0 && futex_is(waiter, key)) {
            first = first == NULL ? waiter : first;
            (*count)++;
        }
    }
    return first;
}

// With the bucket's lock: the word becomes the first waiter's, or nobody's. -EAGAIN: it was not as expected.
static int hand_over(struct futex_bucket *bucket, const struct futex_key *key, uint64_t address, uint32_t expected,
                     uint32_t marks)
{
    unsigned count;
    uint32_t seen;
    struct futex_waiter *next = first_in_line(bucket, key, &count);
    uint32_t word = next == NULL ? 0 : (uint32_t)next->tid | (count > 1 ? WAITERS : 0);
    int error = user_word_exchange(uaddr(address), expected, word | marks, &seen);
    if (error != 0 || seen != expected) {
        return error != 0 ? error : -EAGAIN;
    }
    if (next == NULL) {
        return 0;
    }
    list_for_each(at, &bucket->waiters)
    {
        struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
        if (waiter->tid != 0 && futex_is(waiter, key)) {
            WRITE_ONCE(waiter->owner, next->tid);
        }
    }
    next->owns = true;
    futex_wake_waiter(next);
    return 0;
}

// One look at the word, with the bucket's lock. 0: it is ours now; -EBUSY: *owner has it, and knows that there are
// waiters; -EAGAIN: the word does not stay as it is.
static int look(uint64_t address, int32_t me, int32_t *owner)
{
    uint32_t word, seen;
    for (unsigned tries = 0; tries < USER_WORD_TRIES; tries++) {
        int error = user_word_read(uaddr(address), &word);
        if (error != 0) {
            return error;
        }
        *owner = (int32_t)(word & OWNER);
        if (*owner == me) {
            return -EDEADLK;
        }
        bool is_free = *owner == 0;
        uint32_t wanted = is_free ? (uint32_t)me | (word & ~OWNER) : word | WAITERS;
        if (wanted != word) {
            error = user_word_exchange(uaddr(address), word, wanted, &seen);
            if (error != 0) {
                return error;
            }
        }
        if (wanted == word || seen == word) {
            return is_free ? 0 : -EBUSY;
        }
    }
    return -EAGAIN;
}

// As look(); -EBUSY: in line, unless it was only a try.
static int look_and_join(struct futex_waiter *waiter, uint64_t address, bool try)
{
    int32_t owner = 0;
    irqflags_t flags = spin_lock(&waiter->bucket->lock);
    int error = look(address, waiter->tid, &owner);
    if (error == -EBUSY && !try) {
        waiter->owner = owner;
        waiter->woken = false;
        list_push_back(&waiter->bucket->waiters, &waiter->link);
    }
    spin_unlock(&waiter->bucket->lock, flags);
    return error;
}

// The owner is to let those in line know when it ends. False: it has, and perhaps before we were there.
static bool warn_owner(int32_t owner)
{
    irqflags_t flags = spin_lock(&family.lock);
    struct task *task = family_find_task(owner);
    bool there = task != NULL && !task->gave_up_locks;
    if (there) {
        task->owns_pi = true;
    }
    spin_unlock(&family.lock, flags);
    return there;
}

static bool is_owned_by(uint64_t address, int32_t owner)
{
    uint32_t word;
    irqflags_t flags = irq_save();
    int error = user_word_read(uaddr(address), &word);
    irq_restore(flags);
    return error == 0 && (int32_t)(word & OWNER) == owner;
}

// 0: the lock is ours; -EBUSY: in line, behind an owner that knows.
static int get_in_line(struct futex_waiter *waiter, const struct futex *futex, bool try)
{
    for (;;) {
        int error = look_and_join(waiter, futex->address, try);
        if (error == -EAGAIN) {
            if (thread_killed()) {
                return -EINTR;
            }
        } else if (error == -EFAULT) {
            if (thread_killed() || space_touch(futex->space, futex->address, SPACE_WRITE) != 0) {
                return -EFAULT;
            }
        } else if (error != -EBUSY || try) {
            return error == -EBUSY ? -EAGAIN : error;
        } else {
            int32_t owner = READ_ONCE(waiter->owner);
            if (warn_owner(owner)) {
                return -EBUSY;
            }
            (void)futex_leave(waiter);
            if (waiter->owns) {
                (void)warn_owner(waiter->tid);
                return 0;
            }
            if (owner != 0 && is_owned_by(futex->address, owner)) {
                return -ESRCH;
            }
        }
    }
}

int futex_lock(const struct futex *futex, bool try, uint64_t deadline_ns)
{
    struct futex_key key;
    struct futex_waiter waiter;
    int error = futex_identify(futex, &key);
    if (error != 0) {
        return error;
    }
    futex_waiter_init(&waiter, &key, FUTEX_ANY);
    waiter.tid = task_current()->tid;
    for (;;) {
        error = get_in_line(&waiter, futex, try);
        if (error != -EBUSY) {
            return error;
        }
        error = futex_sleep(&waiter, deadline_ns);
        bool woken = futex_leave(&waiter);
        if (waiter.owns) {
            (void)warn_owner(waiter.tid); // others may be behind us
            return 0;
        }
        if (!woken) {
            return error;
        } // else: the owner has ended, and could not hand it over
    }
}

int futex_unlock(const struct futex *futex)
{
    struct futex_key key;
    int error = futex_identify(futex, &key);
    if (error != 0) {
        return error;
    }
    struct futex_bucket *bucket = futex_bucket_of(&key);
    do {
        uint32_t word;
        irqflags_t flags = spin_lock(&bucket->lock);
        error = user_word_read(uaddr(futex->address), &word);
        if (error == 0) {
            bool mine = (int32_t)(word & OWNER) == task_current()->tid;
            error = mine ? hand_over(bucket, &key, futex->address, word, 0) : -EPERM;
        }
        spin_unlock(&bucket->lock, flags);
        if (error == -EFAULT) {
            error = space_touch(futex->space, futex->address, SPACE_WRITE) == 0 ? -EAGAIN : -EFAULT;
        }
    } while (error == -EAGAIN && !thread_killed());
    return error;
}

// --- robust lists --------------------------------------------------------------------------------------------------

#define ROBUST_MAX 2048u // entries, as on Linux: a list may be a ring

static int read_pointer(uint64_t from, uint64_t *out)
{
    return copy_from_user(out, uaddr(from), sizeof(*out));
}

static int touched_read(struct space *space, uint64_t address, uint32_t *word)
{
    return space_touch(space, address, SPACE_WRITE) != 0 ? -EFAULT
                                                         : copy_from_user(word, uaddr(address), sizeof(*word));
}

// A lock of the list: says that its owner has died, and wakes one that waits.
static void abandon(struct task *task, uint64_t address, bool knows_owner)
{
    struct futex futex = {task->process->space, address, true};
    uint32_t word, seen;
    if (!is_aligned(address, sizeof(word))) {
        return;
    }
    int error;
    unsigned tries = 0;
    do { // who shares the word does not keep us from ending by changing it all the time
        if (tries++ == USER_WORD_TRIES || touched_read(futex.space, address, &word) != 0 ||
            (int32_t)(word & OWNER) != task->tid) {
            return;
        }
        irqflags_t flags = irq_save();
        error = user_word_exchange(uaddr(address), word, (word & WAITERS) | OWNER_DIED, &seen);
        irq_restore(flags);
        if (error != 0 && error != -EAGAIN) {
            return;
        }
    } while (error != 0 || seen != word);
    if ((word & WAITERS) != 0 && !knows_owner) {
        (void)futex_wake(&futex, 1, FUTEX_ANY);
    }
}

static void walk_robust_list(struct task *task)
{
    struct {
        uint64_t next, offset, pending;
    } head;
    if (task->robust_list == 0 || copy_from_user(&head, uaddr(task->robust_list), sizeof(head)) != 0) {
        return;
    }
    uint64_t entry = head.next; // bit 0 of an entry: the lock knows its owner
    for (unsigned i = 0; i < ROBUST_MAX && (entry & ~1ul) != task->robust_list; i++) {
        uint64_t next;
        int error = read_pointer(entry & ~1ul, &next); // first: once abandoned it may be somebody else's
        if ((entry & ~1ul) != (head.pending & ~1ul)) {
            abandon(task, (entry & ~1ul) + head.offset, (entry & 1) != 0);
        }
        if (error != 0) {
            break;
        }
        entry = next;
    }
    if (head.pending != 0) {
        abandon(task, (head.pending & ~1ul) + head.offset, (head.pending & 1) != 0);
    }
}

int task_robust_list(int32_t tid, uint64_t *head)
{
    int error = 0;
    irqflags_t flags = spin_lock(&family.lock);
    const struct task *task = tid == 0 ? task_current() : family_find_task(tid);
    if (task == NULL) {
        error = -ESRCH;
    } else {
        error = process_may_access(task->process, task, ACCESS_BY_REAL_USER);
        *head = task->robust_list;
    }
    spin_unlock(&family.lock, flags);
    return error;
}

// --- the end -------------------------------------------------------------------------------------------------------

static struct futex_waiter *find_waiter_for(struct futex_bucket *bucket, int32_t owner)
{
    list_for_each(at, &bucket->waiters)
    {
        struct futex_waiter *waiter = container_of(at, struct futex_waiter, link);
        if (waiter->owner == owner) {
            return waiter;
        }
    }
    return NULL;
}

// Who waits in this bucket for a lock of the task: gets it if it lies in the same space, else looks again.
static void give_up_in(struct futex_bucket *bucket, struct task *task)
{
    struct futex_waiter *waiter;
    while ((waiter = find_waiter_for(bucket, task->tid)) != NULL) {
        struct futex_key key = waiter->key;
        uint32_t word;
        int error =
            key.object == space_identity(task->process->space) ? user_word_read(uaddr(key.offset), &word) : -EFAULT;
        bool mine = error == 0 && (int32_t)(word & OWNER) == task->tid;
        bool abandoned = error == 0 && (word & OWNER) == 0; // just now, by way of the robust list
        if (mine || abandoned) {
            error = hand_over(bucket, &key, key.offset, word, mine ? OWNER_DIED : word & OWNER_DIED);
        }
        if ((!mine && !abandoned) || error != 0) {
            WRITE_ONCE(waiter->owner, 0);
            futex_wake_waiter(waiter);
        }
    }
}

static void give_up_locks(struct task *task)
{
    irqflags_t flags = spin_lock(&family.lock);
    task->gave_up_locks = true;
    bool owns = task->owns_pi;
    spin_unlock(&family.lock, flags);
    for (unsigned i = 0; owns && i < FUTEX_BUCKETS; i++) {
        flags = spin_lock(&futex_buckets[i].lock);
        give_up_in(&futex_buckets[i], task);
        spin_unlock(&futex_buckets[i].lock, flags);
    }
}

void futex_task_ends(struct task *task)
{
    struct process *process = task->process;
    walk_robust_list(task);
    task->robust_list = 0;
    give_up_locks(task);
    bool shared = READ_ONCE(process->task_count) > 1 || READ_ONCE(process->space->references) > 1;
    if (task->clear_tid != 0 && shared) {
        struct futex futex = {process->space, task->clear_tid, true};
        uint32_t nothing = 0;
        if (copy_to_user(uaddr(task->clear_tid), &nothing, sizeof(nothing)) == 0) {
            (void)futex_wake(&futex, 1, FUTEX_ANY);
        }
    }
    task->clear_tid = 0;
}
