#include "kernel/fs/lock.h"

#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sync/condition.h"

#define CHAIN_MAX 16u // of waiters, each for the next: longer ones are not followed

struct held {
    struct list link;
    struct file_lock lock;
    const void *owner;
    bool whole;
};

struct lock_table {
    struct list held; // one owner's of one type are apart from each other
    struct condition changed;
    unsigned users; // who is in lock_set() with it
};

struct waiter {
    struct list link;
    const void *owner, *blocker;
};

// One lock over all files: who waits for whom may close a circle over several.
static struct {
    struct mutex lock; // covers the rest, and every table
    struct list waiters;
} all = {MUTEX_INIT(all.lock, "file locks"), {&all.waiters, &all.waiters}};

static struct held *held_of(struct list *at)
{
    return container_of(at, struct held, link);
}

static int table_take(struct vnode *node, struct lock_table **out)
{
    void *memory;
    int error = node->locks == NULL ? kmalloc(sizeof(struct lock_table), &memory) : 0;
    if (error == 0 && node->locks == NULL) {
        struct lock_table *table = memory;
        list_init(&table->held);
        condition_init(&table->changed, "file lock");
        table->users = 0;
        store_release(&node->locks, table);
    }
    if (error == 0) {
        node->locks->users++;
    }
    *out = node->locks;
    return error;
}

// The last that is gone takes the table along.
static void table_settle(struct vnode *node)
{
    struct lock_table *table = node->locks;
    if (list_empty(&table->held) && table->users == 0) {
        store_release(&node->locks, NULL);
        kfree(table);
    }
}

static struct held *find_conflict(struct lock_table *table, const void *owner, bool whole,
                                  const struct file_lock *wanted)
{
    list_for_each(at, &table->held)
    {
        struct held *other = held_of(at);
        bool meets = other->lock.start <= wanted->end && wanted->start <= other->lock.end;
        if (other->owner != owner && other->whole == whole && meets &&
            (other->lock.type == F_WRLCK || wanted->type == F_WRLCK)) {
            return other;
        }
    }
    return NULL;
}

static bool touches(const struct file_lock *a, const struct file_lock *b) // or lies beside
{
    return (b->end == UINT64_MAX || a->start <= b->end + 1) && (a->end == UINT64_MAX || b->start <= a->end + 1);
}

// fresh[0] becomes the lock, fresh[1] what is cut off another of the owner's; NULL afterwards if used.
static void set_range(struct lock_table *table, const void *owner, bool whole, struct file_lock wanted,
                      struct held *fresh[2])
{
    for (struct list *at = table->held.next, *next; at != &table->held; at = next) {
        struct held *mine = held_of(at);
        next = at->next;
        bool meets = mine->lock.start <= wanted.end && wanted.start <= mine->lock.end;
        if (mine->owner != owner || mine->whole != whole) {
            continue;
        }
        if (mine->lock.type == wanted.type && touches(&mine->lock, &wanted)) { // becomes one with it
            wanted.start = min_u64(wanted.start, mine->lock.start);
            wanted.end = max_u64(wanted.end, mine->lock.end);
            list_remove(at);
            kfree(mine);
        } else if (meets && mine->lock.start >= wanted.start && mine->lock.end <= wanted.end) {
            list_remove(at);
            kfree(mine);
        } else if (meets && mine->lock.start < wanted.start) {
            if (mine->lock.end > wanted.end) {
                *fresh[1] = (struct held){.lock = mine->lock, .owner = owner, .whole = whole};
                fresh[1]->lock.start = wanted.end + 1;
                list_push_back(&table->held, &fresh[1]->link);
                fresh[1] = NULL;
            }
            mine->lock.end = wanted.start - 1;
        } else if (meets) {
            mine->lock.start = wanted.end + 1;
        }
    }
    if (wanted.type != F_UNLCK) {
        *fresh[0] = (struct held){.lock = wanted, .owner = owner, .whole = whole};
        list_push_back(&table->held, &fresh[0]->link);
        fresh[0] = NULL;
    }
    condition_signal(&table->changed);
}

static bool closes_circle(const void *owner, const void *blocker)
{
    for (unsigned step = 0; step < CHAIN_MAX; step++) {
        if (blocker == owner) {
            return true;
        }
        const void *next = NULL;
        list_for_each(at, &all.waiters)
        {
            const struct waiter *waiter = container_of(at, struct waiter, link);
            next = waiter->owner == blocker ? waiter->blocker : next;
        }
        if (next == NULL) {
            return false;
        }
        blocker = next;
    }
    return false;
}

// Until nobody is in the way.
static int clear_way(struct lock_table *table, const void *owner, bool whole, const struct file_lock *wanted, bool wait)
{
    struct held *other;
    int error = 0;
    while (wanted->type != F_UNLCK && error == 0 && (other = find_conflict(table, owner, whole, wanted)) != NULL) {
        struct waiter waiter = {.owner = owner, .blocker = other->owner};
        bool process = !whole && wanted->pid >= 0;
        if (!wait) {
            error = -EAGAIN;
        } else if (process && closes_circle(owner, other->owner)) {
            error = -EDEADLK;
        } else {
            list_push_back(&all.waiters, &waiter.link);
            error = condition_wait_interruptible(&table->changed, &all.lock) != 0 ? -ERESTART : 0;
            list_remove(&waiter.link);
        }
    }
    return error;
}

int lock_set(struct vnode *node, const void *owner, bool whole, const struct file_lock *wanted, bool wait)
{
    struct held *fresh[2] = {NULL, NULL};
    struct lock_table *table;
    void *memory;
    int error = 0;
    for (unsigned i = 0; i < 2 && error == 0; i++) {
        error = kmalloc(sizeof(struct held), &memory);
        fresh[i] = error == 0 ? memory : NULL;
    }
    if (error == 0) {
        mutex_lock(&all.lock);
        error = table_take(node, &table);
        if (error == 0 && whole) { // another kind of lock begins with none
            struct file_lock none = {.type = F_UNLCK, .end = UINT64_MAX};
            struct held *same = NULL;
            list_for_each(at, &table->held)
            {
                same = held_of(at)->owner == owner && held_of(at)->lock.type == wanted->type ? held_of(at) : same;
            }
            if (same == NULL) {
                set_range(table, owner, true, none, fresh);
            }
        }
        if (table != NULL) {
            error = clear_way(table, owner, whole, wanted, wait);
            if (error == 0) {
                set_range(table, owner, whole, *wanted, fresh);
            }
            table->users--;
            table_settle(node);
        }
        mutex_unlock(&all.lock);
    }
    kfree(fresh[0]);
    kfree(fresh[1]);
    return error;
}

void lock_get(struct vnode *node, const void *owner, struct file_lock *lock)
{
    mutex_lock(&all.lock);
    struct held *other = node->locks != NULL ? find_conflict(node->locks, owner, false, lock) : NULL;
    if (other != NULL) {
        *lock = other->lock;
    } else {
        lock->type = F_UNLCK;
    }
    mutex_unlock(&all.lock);
}

static void drop_owner(struct lock_table *table, const void *owner)
{
    for (struct list *at = table->held.next, *next; at != &table->held; at = next) {
        next = at->next;
        if (held_of(at)->owner == owner) {
            list_remove(at);
            kfree(held_of(at));
            condition_signal(&table->changed);
        }
    }
}

void lock_drop_owner(struct vnode *node, const void *owner)
{
    if (load_acquire(&node->locks) == NULL) {
        return;
    }
    mutex_lock(&all.lock);
    if (node->locks != NULL) { // others' last ones may be gone by now
        drop_owner(node->locks, owner);
        table_settle(node);
    }
    mutex_unlock(&all.lock);
}
