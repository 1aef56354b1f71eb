// A timer is armed for its next expiration only; how many have passed is counted when somebody reads. So a short
// interval costs nobody but its reader.
#include "kernel/events/eventfd.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/timer.h"
#include "kernel/sync/condition.h"
#include "kernel/time/clock.h"

struct timerfd {
    struct spinlock lock; // covers the rest but for what is said
    int clockid;          // constant: what it was made for
    int clock;            // what next is of: relative times do not move with the time of day
    struct timer timer;
    struct condition changed;
    uint64_t next_ns, interval_ns; // of the clock; next 0: not armed
    bool absolute;                 // next moves with the time of day
    bool cancel, cancelled;
    bool expired; // once or more, and nobody has read it
    struct clock_watch watch;
};

static uint64_t machine_time(const struct timerfd *timerfd, uint64_t of_clock)
{
    uint64_t offset = clock_is_wall(timerfd->clock) ? clock_realtime_offset() : 0;
    return of_clock > offset ? min_u64(of_clock - offset, UINT64_MAX - 1) : 0;
}

static void fire(struct timer *timer)
{
    struct timerfd *timerfd = container_of(timer, struct timerfd, timer);
    irqflags_t flags = spin_lock(&timerfd->lock);
    bool due = timerfd->next_ns != 0 && clock_now(timerfd->clock) >= timerfd->next_ns;
    if (due) {
        timerfd->expired = true;
        condition_signal(&timerfd->changed);
    } else if (timerfd->next_ns != 0) { // the time of day has been set back
        timer_start(timer, machine_time(timerfd, timerfd->next_ns));
    }
    spin_unlock(&timerfd->lock, flags);
}

// With the clock's lock.
static void clock_jumped(struct clock_watch *watch)
{
    struct timerfd *timerfd = container_of(watch, struct timerfd, watch);
    irqflags_t flags = spin_lock(&timerfd->lock);
    if (timerfd->next_ns != 0 && timerfd->absolute) {
        if (!timerfd->expired) {
            timer_start(&timerfd->timer, machine_time(timerfd, timerfd->next_ns));
        }
        if (timerfd->cancel) {
            timerfd->cancelled = true;
            condition_signal(&timerfd->changed);
        }
    }
    spin_unlock(&timerfd->lock, flags);
}

// Takes what has expired, and arms the timer for what comes next. With the lock.
static uint64_t take_expirations(struct timerfd *timerfd)
{
    uint64_t count = 0, now = clock_now(timerfd->clock);
    if (timerfd->expired) {
        count = 1;
        timerfd->expired = false;
        if (timerfd->interval_ns == 0) {
            timerfd->next_ns = 0;
        } else {
            now = max_u64(now, timerfd->next_ns); // the time of day may have been set back since
            count = clock_wind_on(&timerfd->next_ns, timerfd->interval_ns, now);
            timer_start(&timerfd->timer, machine_time(timerfd, timerfd->next_ns));
        }
    }
    return count;
}

static int64_t timerfd_read(struct file *file, struct io *io, uint64_t offset)
{
    struct timerfd *timerfd = file->data;
    if (io->left < sizeof(uint64_t)) {
        return -EINVAL;
    }
    for (;;) {
        uint32_t seen = condition_seen(&timerfd->changed);
        irqflags_t flags = spin_lock(&timerfd->lock);
        bool cancelled = timerfd->cancelled;
        timerfd->cancelled = false;
        uint64_t count = cancelled ? 0 : take_expirations(timerfd);
        spin_unlock(&timerfd->lock, flags);
        if (cancelled) {
            return -ECANCELED;
        }
        if (count > 0) {
            int error = io_give(io, &count, sizeof(count));
            return error != 0 ? error : (int64_t)sizeof(count);
        }
        if ((file->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        if (condition_wait_after(&timerfd->changed, seen, UINT64_MAX) != 0) {
            return -ERESTART;
        }
    }
}

static unsigned timerfd_poll(struct file *file, struct condition **changed)
{
    struct timerfd *timerfd = file->data;
    irqflags_t flags = spin_lock(&timerfd->lock);
    unsigned ready = timerfd->expired || timerfd->cancelled ? POLL_IN : 0;
    spin_unlock(&timerfd->lock, flags);
    *changed = &timerfd->changed;
    return ready;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *timerfd = file->data;
    clock_watch_remove(&timerfd->watch);
    irqflags_t flags = spin_lock(&timerfd->lock);
    timerfd->next_ns = 0; // so that fire() does not start it again
    spin_unlock(&timerfd->lock, flags);
    (void)timer_cancel(&timerfd->timer);
    kfree(timerfd);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .release = timerfd_release,
    .stream = true,
    .kind = 0600,
    .name = "timerfd",
};

bool file_is_timerfd(const struct file *file)
{
    return file->ops == &timerfd_ops;
}

int timerfd_create(int clockid, uint32_t flags, struct file **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct timerfd), &memory);
    if (error != 0) {
        return error;
    }
    struct timerfd *timerfd = memory;
    *timerfd = (struct timerfd){.clockid = clockid, .clock = CLOCK_MONOTONIC};
    error = file_create(&timerfd_ops, NULL, O_RDWR | (flags & O_NONBLOCK), out);
    if (error != 0) {
        kfree(timerfd);
        return error;
    }
    spin_init(&timerfd->lock, "timerfd", RANK_FUTEX); // inside the clock's, outside of conditions
    condition_init(&timerfd->changed, "timerfd");
    timer_init(&timerfd->timer, fire);
    clock_watch_add(&timerfd->watch, clock_jumped);
    (*out)->data = timerfd;
    return 0;
}

static void describe(struct timerfd *timerfd, struct timerfd_setting *out)
{
    uint64_t now = clock_now(timerfd->clock);
    if (timerfd->expired && timerfd->interval_ns != 0) { // the next one, without telling of those that have passed
        uint64_t next = timerfd->next_ns;
        (void)clock_wind_on(&next, timerfd->interval_ns, max_u64(now, next));
        *out = (struct timerfd_setting){timerfd->interval_ns, next > now ? next - now : 0};
        return;
    }
    bool running = timerfd->next_ns != 0 && !timerfd->expired;
    uint64_t left = timerfd->next_ns > now ? timerfd->next_ns - now : 1; // due, but not heard of yet
    *out = (struct timerfd_setting){timerfd->interval_ns, running ? left : 0};
}

void timerfd_get(struct file *file, struct timerfd_setting *out)
{
    struct timerfd *timerfd = file->data;
    irqflags_t flags = spin_lock(&timerfd->lock);
    describe(timerfd, out);
    spin_unlock(&timerfd->lock, flags);
}

void timerfd_set(struct file *file, unsigned how, const struct timerfd_setting *setting, struct timerfd_setting *old)
{
    struct timerfd *timerfd = file->data;
    irqflags_t flags = spin_lock(&timerfd->lock);
    describe(timerfd, old);
    timerfd->absolute = (how & TIMERFD_ABSOLUTE) != 0 && clock_is_wall(timerfd->clockid);
    timerfd->clock = timerfd->absolute ? timerfd->clockid : CLOCK_MONOTONIC;
    uint64_t base = (how & TIMERFD_ABSOLUTE) != 0 ? 0 : clock_now(timerfd->clock), next;
    if (setting->value_ns == 0 || !add_fits(base, setting->value_ns, &next)) {
        next = setting->value_ns == 0 ? 0 : UINT64_MAX - 1;
    }
    timerfd->next_ns = next;
    timerfd->interval_ns = setting->interval_ns;
    timerfd->cancel = timerfd->absolute && (how & TIMERFD_CANCEL_ON_SET) != 0;
    timerfd->expired = timerfd->cancelled = false;
    timer_start(&timerfd->timer, next == 0 ? UINT64_MAX : machine_time(timerfd, next));
    spin_unlock(&timerfd->lock, flags);
}
