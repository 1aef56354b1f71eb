// What is ready waits in a list, which the conditions of the watched files feed through listeners: in any context, with
// the source's lock. Whether it is ready indeed is asked when somebody wants to know. One mutex is over all sets: it
// covers which watch is where, and a file that goes away waits there until nobody asks it any more.
#include "kernel/events/epoll.h"

#include "kernel/base/atomic.h"
#include "kernel/base/tree.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/sync/condition.h"

#define FLAGS (EPOLL_EXCLUSIVE | EPOLL_WAKEUP | EPOLL_ONE_SHOT | EPOLL_EDGE)
#define ALWAYS (POLL_ERROR | POLL_HANGUP)

struct epoll {
    struct condition changed; // its lock covers ready too
    struct list ready;
    struct tree watches; // by descriptor, then by file
    unsigned level;      // 0: no set is in it
    struct file *file;   // its own
    uint64_t walk;       // the last one that has seen it; above: what it found
    unsigned above;
    struct account *account; // watches are charged to: of who made it; a reference
};

struct file_watch {
    struct tree_node node;
    struct file *file; // no reference: it takes its watches along
    int32_t fd;
    struct epoll *set;
    struct epoll *inner;     // what file is, if it is a set
    struct file_watch *next; // of the same file
    struct epoll_event event;
    bool disarmed;            // one shot, and it is spent
    struct condition *source; // or NULL
    struct process *process;  // whose condition it may be: a reference
    struct listener listener; // link: of the source; its lock
    struct list ready;        // of the set: its condition's lock
};

uint64_t epoll_user_watches_max;
static struct mutex all = MUTEX_INIT(all, "epoll");
static const struct file_ops epoll_ops;

static struct file_watch *watch_of(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct file_watch, node) : NULL;
}

static struct epoll *epoll_of(const struct file *file)
{
    return file->data;
}

bool file_is_epoll(const struct file *file)
{
    return file->ops == &epoll_ops;
}

// --- the list of what is ready -------------------------------------------------------------------------------------

static bool hear(struct listener *listener)
{
    struct file_watch *watch = container_of(listener, struct file_watch, listener);
    struct epoll *set = watch->set;
    irqflags_t flags = spin_lock(&set->changed.waiters.lock);
    if (list_empty(&watch->ready)) {
        list_push_back(&set->ready, &watch->ready);
    }
    bool woken = condition_signal_locked(&set->changed);
    spin_unlock(&set->changed.waiters.lock, flags);
    return woken;
}

static void put_on_list(struct file_watch *watch, bool signal)
{
    struct epoll *set = watch->set;
    irqflags_t flags = spin_lock(&set->changed.waiters.lock);
    if (list_empty(&watch->ready)) {
        list_push_back(&set->ready, &watch->ready);
    }
    if (signal) {
        (void)condition_signal_locked(&set->changed);
    }
    spin_unlock(&set->changed.waiters.lock, flags);
}

static void take_off_list(struct file_watch *watch)
{
    irqflags_t flags = spin_lock(&watch->set->changed.waiters.lock);
    list_remove(&watch->ready);
    spin_unlock(&watch->set->changed.waiters.lock, flags);
}

static struct file_watch *first_ready(struct epoll *set)
{
    struct file_watch *watch = NULL;
    irqflags_t flags = spin_lock(&set->changed.waiters.lock);
    if (!list_empty(&set->ready)) {
        watch = list_first(&set->ready, struct file_watch, ready);
        list_remove(&watch->ready);
    }
    spin_unlock(&set->changed.waiters.lock, flags);
    return watch;
}

static bool any_ready(struct epoll *set);

// With all.
static unsigned ask(struct file_watch *watch)
{
    struct condition *changed;
    unsigned ready = watch->inner != NULL ? (any_ready(watch->inner) ? POLL_IN | POLL_READ_NORMAL : 0)
                                          : file_poll(watch->file, &changed);
    return watch->disarmed ? 0 : ready & (watch->event.events | ALWAYS) & ~FLAGS;
}

// Whether the set would give an event; what turns out not to be ready goes off the list. Sets are at most
// EPOLL_DEPTH_MAX deep. With all.
static bool any_ready(struct epoll *set)
{
    struct file_watch *watch;
    bool found = false;
    while (!found && (watch = first_ready(set)) != NULL) {
        found = ask(watch) != 0;
        if (found) {
            irqflags_t flags = spin_lock(&set->changed.waiters.lock);
            if (list_empty(&watch->ready)) { // else it was heard of meanwhile
                list_push_front(&set->ready, &watch->ready);
            }
            spin_unlock(&set->changed.waiters.lock, flags);
        }
    }
    return found;
}

// --- waiting -------------------------------------------------------------------------------------------------------

// With all. Those that stay ready go to the end, so that everybody's turn comes. Meanwhile they count as on the list:
// what is heard of them is not lost.
static int64_t collect(struct epoll *set, uint64_t to, unsigned max)
{
    struct list again;
    struct file_watch *watch;
    int64_t count = 0;
    int error = 0;
    list_init(&again);
    while (count < max && (watch = first_ready(set)) != NULL) {
        struct epoll_event event = {.events = ask(watch), .data = watch->event.data};
        if (event.events == 0) {
            continue;
        }
        error = copy_to_user(uaddr(to + (uint64_t)count * sizeof(event)), &event, sizeof(event));
        if (error != 0) {
            put_on_list(watch, false);
            break;
        }
        count++;
        watch->disarmed = (watch->event.events & EPOLL_ONE_SHOT) != 0;
        if ((watch->event.events & (EPOLL_EDGE | EPOLL_ONE_SHOT)) == 0) {
            irqflags_t flags = spin_lock(&set->changed.waiters.lock);
            if (list_empty(&watch->ready)) {
                list_push_back(&again, &watch->ready);
            }
            spin_unlock(&set->changed.waiters.lock, flags);
        }
    }
    irqflags_t flags = spin_lock(&set->changed.waiters.lock);
    while (!list_empty(&again)) {
        watch = list_first(&again, struct file_watch, ready);
        list_remove(&watch->ready);
        list_push_back(&set->ready, &watch->ready);
    }
    spin_unlock(&set->changed.waiters.lock, flags);
    return count > 0 ? count : error;
}

int64_t epoll_wait(struct file *file, uint64_t to, unsigned max, uint64_t deadline_ns)
{
    struct epoll *set = epoll_of(file);
    int64_t count;
    int error = 0;
    for (;;) {
        uint32_t seen = condition_seen(&set->changed);
        mutex_lock(&all);
        count = collect(set, to, max);
        mutex_unlock(&all);
        if (count != 0 || deadline_ns == 0 || error == -ETIMEDOUT) {
            return count;
        }
        if (error == -EINTR) {
            return -EINTR;
        }
        error = condition_wait_after(&set->changed, seen, deadline_ns);
    }
}

static unsigned epoll_poll(struct file *file, struct condition **changed)
{
    struct epoll *set = epoll_of(file);
    mutex_lock(&all);
    bool ready = any_ready(set);
    mutex_unlock(&all);
    *changed = &set->changed;
    return ready ? POLL_IN : 0;
}

// --- watches -------------------------------------------------------------------------------------------------------

static struct file_watch *find(struct epoll *set, const struct file *file, int32_t fd, struct tree_node **parent,
                               unsigned *side)
{
    *parent = NULL;
    *side = 0;
    for (struct tree_node *at = set->watches.root; at != NULL; at = at->child[*side]) {
        struct file_watch *watch = watch_of(at);
        if (watch->fd == fd && watch->file == file) {
            return watch;
        }
        *parent = at;
        *side = watch->fd < fd || (watch->fd == fd && watch->file < file);
    }
    return NULL;
}

static void drop(struct file_watch *watch)
{
    account_uncharge(watch->set->account, CHARGE_EPOLL_WATCHES, 1);
    process_put(watch->process);
    kfree(watch);
}

static void detach(struct file_watch *watch) // from all that knows it
{
    if (watch->source != NULL) {
        condition_stop_listening(watch->source, &watch->listener);
    }
    take_off_list(watch);
    struct file_watch **link = &watch->file->watches;
    while (*link != watch) {
        link = &(*link)->next;
    }
    store_release(link, watch->next);
    tree_remove(&watch->set->watches, &watch->node);
    drop(watch);
}

static void forget(struct file *file)
{
    mutex_lock(&all);
    while (file->watches != NULL) {
        detach(file->watches);
    }
    mutex_unlock(&all);
}

// Walks over sets see each of them once, however many ways lead there: those of this number have been seen. With all.
static uint64_t walk;

static bool seen(struct epoll *set)
{
    bool before = set->walk == walk;
    set->walk = walk;
    return before;
}

// Whether wanted is set, or below it. At most EPOLL_DEPTH_MAX deep.
static bool contains(struct epoll *set, const struct epoll *wanted)
{
    bool found = set == wanted;
    if (seen(set)) {
        return found;
    }
    for (struct tree_node *at = tree_edge(&set->watches, 0); at != NULL && !found; at = tree_step(at, 1)) {
        struct epoll *inner = watch_of(at)->inner;
        found = inner != NULL && contains(inner, wanted);
    }
    return found;
}

// How many sets lie over it, one in the other: at most EPOLL_DEPTH_MAX.
static unsigned height_above(struct epoll *set)
{
    if (seen(set)) {
        return set->above;
    }
    set->above = 0;
    for (const struct file_watch *watch = set->file->watches; watch != NULL; watch = watch->next) {
        unsigned height = height_above(watch->set) + 1;
        set->above = height > set->above ? height : set->above;
    }
    return set->above;
}

// What is heard of a file goes up every way through the sets that it is in, at once and with interrupts off. So there
// are few ways, as on Linux: any number to sets that are in no other, else so many that end so many sets further up.
static const unsigned ways_max[EPOLL_DEPTH_MAX] = {UINT32_MAX, 500, 100, 50, 10};

static bool few_ways_up(const struct file_watch *watches, unsigned depth, unsigned ways[EPOLL_DEPTH_MAX])
{
    bool few = depth < EPOLL_DEPTH_MAX;
    for (const struct file_watch *watch = watches; watch != NULL && few; watch = watch->next) {
        const struct file_watch *above = watch->set->file->watches;
        few = above != NULL ? few_ways_up(above, depth + 1, ways) : ++ways[depth] <= ways_max[depth];
    }
    return few;
}

static bool few_ways_from(const struct file *file)
{
    unsigned ways[EPOLL_DEPTH_MAX] = {0};
    return few_ways_up(file->watches, 0, ways);
}

// From each file that is in the set or below.
static bool few_ways_below(struct epoll *set)
{
    bool few = true;
    if (seen(set)) {
        return true;
    }
    for (struct tree_node *at = tree_edge(&set->watches, 0); at != NULL && few; at = tree_step(at, 1)) {
        const struct file_watch *watch = watch_of(at);
        few = watch->inner != NULL ? few_ways_below(watch->inner) : few_ways_from(watch->file);
    }
    return few;
}

// With the new watch in place.
static bool few_ways(const struct file_watch *watch)
{
    if (watch->inner != NULL) {
        walk++;
        return few_ways_below(watch->inner);
    }
    return watch->set->file->watches == NULL || few_ways_from(watch->file);
}

// Locks are taken from the inside out: the deeper a set, the later.
static void raise_level(struct epoll *set, unsigned level)
{
    if (set->level >= level) {
        return;
    }
    set->level = level;
    irqflags_t flags = spin_lock(&set->changed.waiters.lock);
    spin_set_rank(&set->changed.waiters.lock, RANK_EPOLL + level);
    spin_unlock(&set->changed.waiters.lock, flags);
    for (struct file_watch *above = set->file->watches; above != NULL; above = above->next) {
        raise_level(above->set, level + 1);
    }
}

static int check_nesting(struct epoll *set, const struct file *file)
{
    if (!file_is_epoll(file)) {
        return 0;
    }
    struct epoll *inner = epoll_of(file);
    walk++;
    if (contains(inner, set)) {
        return -ELOOP;
    }
    walk++;
    return inner->level + 1 + height_above(set) < EPOLL_DEPTH_MAX ? 0 : -ELOOP;
}

static void begin(struct file_watch *watch)
{
    struct condition *source;
    unsigned ready = watch->inner != NULL ? 0 : file_poll(watch->file, &source);
    (void)ready; // listening comes first, then the look that counts
    watch->source = watch->inner != NULL ? &watch->inner->changed : source;
    watch->listener = (struct listener){.notify = hear, .exclusive = (watch->event.events & EPOLL_EXCLUSIVE) != 0};
    list_init(&watch->listener.link);
    if (watch->source != NULL) {
        condition_add_listener(watch->source, &watch->listener);
    }
}

static int add(struct epoll *set, struct file *file, int32_t fd, struct file_watch *watch)
{
    struct tree_node *parent;
    unsigned side;
    int error = check_nesting(set, file);
    if (error == 0 && find(set, file, fd, &parent, &side) != NULL) {
        error = -EEXIST;
    }
    if (error != 0) {
        return error;
    }
    watch->inner = file_is_epoll(file) ? epoll_of(file) : NULL;
    tree_insert(&set->watches, &watch->node, parent, side);
    watch->next = file->watches;
    store_release(&file->watches, watch);
    if (!few_ways(watch)) {
        store_release(&file->watches, watch->next);
        tree_remove(&set->watches, &watch->node);
        return -EINVAL;
    }
    if (watch->inner != NULL) {
        raise_level(set, watch->inner->level + 1);
    }
    begin(watch);
    if (ask(watch) != 0) {
        put_on_list(watch, true);
    }
    return 0;
}

int epoll_add(struct file *set, struct file *file, int32_t fd, const struct epoll_event *event)
{
    const uint32_t with_exclusive = POLL_IN | POLL_OUT | ALWAYS | EPOLL_WAKEUP | EPOLL_EDGE | EPOLL_EXCLUSIVE;
    if (file->ops == NULL || file->ops->poll == NULL) {
        return -EPERM;
    }
    if ((event->events & EPOLL_EXCLUSIVE) != 0 && (file_is_epoll(file) || (event->events & ~with_exclusive) != 0)) {
        return -EINVAL;
    }
    struct account *account = epoll_of(set)->account;
    if (!account_charge(account, CHARGE_EPOLL_WATCHES, 1, READ_ONCE(epoll_user_watches_max))) {
        return -ENOSPC;
    }
    void *memory;
    int error = kmalloc(sizeof(struct file_watch), &memory);
    if (error != 0) {
        account_uncharge(account, CHARGE_EPOLL_WATCHES, 1);
        return error;
    }
    struct file_watch *watch = memory;
    *watch = (struct file_watch){.file = file, .fd = fd, .set = epoll_of(set), .event = *event};
    list_init(&watch->ready);
    watch->process = file->ops->of_process ? process_find(process_current()->pid) : NULL;
    mutex_lock(&all);
    error = add(epoll_of(set), file, fd, watch);
    mutex_unlock(&all);
    if (error != 0) {
        drop(watch);
    }
    return error;
}

int epoll_change(struct file *set, struct file *file, int32_t fd, const struct epoll_event *event)
{
    struct tree_node *parent;
    unsigned side;
    mutex_lock(&all);
    struct file_watch *watch = find(epoll_of(set), file, fd, &parent, &side);
    int error = watch == NULL ? -ENOENT : 0;
    if (error == 0 && ((watch->event.events | event->events) & EPOLL_EXCLUSIVE) != 0) {
        error = -EINVAL;
    }
    if (error == 0) {
        watch->event = *event;
        watch->disarmed = false;
        if (ask(watch) != 0) {
            put_on_list(watch, true);
        }
    }
    mutex_unlock(&all);
    return error;
}

int epoll_remove(struct file *set, struct file *file, int32_t fd)
{
    struct tree_node *parent;
    unsigned side;
    mutex_lock(&all);
    struct file_watch *watch = find(epoll_of(set), file, fd, &parent, &side);
    if (watch != NULL) {
        detach(watch);
    }
    mutex_unlock(&all);
    return watch != NULL ? 0 : -ENOENT;
}

// --- sets ----------------------------------------------------------------------------------------------------------

static void epoll_release(struct file *file)
{
    struct epoll *set = epoll_of(file);
    struct tree_node *node;
    mutex_lock(&all);
    while ((node = tree_edge(&set->watches, 0)) != NULL) {
        detach(watch_of(node));
    }
    mutex_unlock(&all);
    account_put(set->account);
    kfree(set);
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll, .release = epoll_release, .stream = true, .kind = 0600, .name = "eventpoll"};

// A 25th of the memory, as on Linux.
uint64_t epoll_watches_max(void)
{
    if (READ_ONCE(epoll_user_watches_max) == 0) {
        WRITE_ONCE(epoll_user_watches_max, page_pool_total(&kernel_pages) * PAGE_SIZE / 25 / sizeof(struct file_watch));
    }
    return READ_ONCE(epoll_user_watches_max);
}

int epoll_create(uint32_t flags, struct file **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct epoll), &memory);
    if (error != 0) {
        return error;
    }
    struct epoll *set = memory;
    *set = (struct epoll){.level = 0};
    (void)epoll_watches_max();
    condition_init(&set->changed, "epoll");
    spin_init(&set->changed.waiters.lock, "epoll", RANK_EPOLL);
    list_init(&set->ready);
    error = file_create(&epoll_ops, NULL, flags, out);
    if (error != 0) {
        kfree(set);
        return error;
    }
    set->file = *out;
    set->account = account_get(credentials_current()->account);
    (*out)->data = set;
    WRITE_ONCE(file_forget, forget);
    return 0;
}

const char *epoll_check(struct file *file)
{
    struct epoll *set = epoll_of(file);
    const char *broken = tree_check(&set->watches);
    for (struct tree_node *at = tree_edge(&set->watches, 0); at != NULL && broken == NULL; at = tree_step(at, 1)) {
        const struct file_watch *watch = watch_of(at), *known = watch->file->watches;
        while (known != NULL && known != watch) {
            known = known->next;
        }
        broken = watch->set != set                                           ? "a watch is in another set"
                 : known == NULL                                             ? "a file does not know its watch"
                 : watch->inner != NULL && watch->inner->level >= set->level ? "a set is not deeper than what is in it"
                                                                             : NULL;
    }
    return broken;
}
