#include "kernel/time/process_timers.h"

#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/proc/task.h"
#include "kernel/time/cputime.h"

struct process_timer {
    struct clock_timer clock; // expired: has a signal to send
    struct tree_node by_id;
    int32_t id;
    int clockid;
    struct timer_event event;
    struct signal_record record;
    struct account *account; // that it is charged to, as one signal that waits; with a reference
    uint64_t told;           // of overruns, when its signal was last taken; the timers' lock
};

void process_timers_init(struct process_timers *timers)
{
    *timers = (struct process_timers){0};
    mutex_init(&timers->lock, "timers");
    cpu_timers_init(&timers->cpu);
}

// --- setitimer -----------------------------------------------------------------------------------------------------

static void interval_expired(struct clock_timer *timer)
{
    static const int signals[] = {
        [SOURCE_STEADY] = SIGALRM, [SOURCE_PROCESS_USER] = SIGVTALRM, [SOURCE_PROCESS] = SIGPROF};
    signal_send(timer->process, &(struct signal_info){.signal = signals[timer->made_for], .code = SI_KERNEL});
    if (timer->cpu != NULL) {
        (void)clock_timer_go_on(timer, true); // in the next tick at the soonest
    }
}

static void start_intervals(struct process *process)
{
    static const enum clock_source sources[INTERVAL_TIMERS] = {SOURCE_STEADY, SOURCE_PROCESS_USER, SOURCE_PROCESS};
    struct process_timers *timers = &process->timers;
    for (unsigned i = 0; i < INTERVAL_TIMERS && !timers->intervals_used; i++) {
        clock_timer_init(&timers->intervals[i], process, &timers->cpu, sources[i], 0, interval_expired);
    }
    timers->intervals_used = true;
}

void interval_timer(unsigned which, const struct timer_setting *set, struct timer_setting *old)
{
    struct process *process = process_current();
    struct clock_timer *timer = &process->timers.intervals[which];
    mutex_lock(&process->timers.lock);
    if (set == NULL && !process->timers.intervals_used) {
        *old = (struct timer_setting){0};
    } else if (set == NULL) {
        clock_timer_get(timer, false, &old->value_ns, &old->interval_ns);
    } else {
        start_intervals(process);
        struct clock_timer_setting wanted = {timer->made_for, set->value_ns != 0, 0, set->interval_ns};
        if (!add_fits(clock_source_now(timer, timer->made_for), set->value_ns, &wanted.expiry_ns)) {
            wanted.expiry_ns = UINT64_MAX - 1;
        }
        clock_timer_set(timer, &wanted, false, &old->value_ns, &old->interval_ns);
    }
    mutex_unlock(&process->timers.lock);
}

// --- timer_create --------------------------------------------------------------------------------------------------

static void timer_expired(struct clock_timer *clock)
{
    struct process_timer *timer = container_of(clock, struct process_timer, clock);
    uint64_t value = timer->event.value_is_id ? (uint64_t)timer->id : timer->event.value;
    struct signal_info info = {
        .signal = timer->event.signal, .code = SI_TIMER, .timed = true, .value = {(uint32_t)timer->id, value}};
    (void)signal_send_record(clock->process, timer->event.tid, &timer->record, &info);
}

static struct process_timer *timer_of(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct process_timer, by_id) : NULL;
}

static struct process_timer *find(struct process_timers *timers, int32_t id)
{
    struct tree_node *at = timers->by_id.root;
    while (at != NULL && timer_of(at)->id != id) {
        at = at->child[id > timer_of(at)->id];
    }
    return timer_of(at);
}

// Numbers rise until they wrap.
static void insert(struct process_timers *timers, struct process_timer *timer)
{
    struct tree_node *parent = NULL, *at = timers->by_id.root;
    unsigned side = 0;
    while (find(timers, timers->next_id) != NULL) {
        timers->next_id = timers->next_id < INT32_MAX ? timers->next_id + 1 : 0;
    }
    timer->id = timers->next_id;
    timers->next_id = timer->id < INT32_MAX ? timer->id + 1 : 0;
    while (at != NULL) {
        parent = at;
        side = timer->id > timer_of(at)->id;
        at = at->child[side];
    }
    tree_insert(&timers->by_id, &timer->by_id, parent, side);
    COUNT_ADD(timers->count, 1);
}

// -EINVAL, -EOPNOTSUPP.
static int source_of(int clockid, enum clock_source *source, int32_t *tid)
{
    uint64_t unused;
    *tid = 0;
    switch (clockid) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
        *source = SOURCE_WALL;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
        *source = SOURCE_STEADY;
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
        return -EOPNOTSUPP;
    default:
        break;
    }
    if (!clock_is_cputime(clockid) || cputime_of_clock(clockid, &unused) != 0) {
        return -EINVAL;
    }
    bool thread = cputime_is_own(clockid, tid);
    *source = thread ? SOURCE_THREAD : SOURCE_PROCESS;
    return *tid >= 0 ? 0 : -EINVAL; // another process's clock
}

int process_timer_create(int clockid, const struct timer_event *event, int32_t *id)
{
    struct process *process = process_current();
    enum clock_source source;
    int32_t tid;
    void *memory;
    int error = source_of(clockid, &source, &tid);
    if (error != 0) {
        return error;
    }
    struct account *account = credentials_current()->account;
    if (!account_charge(account, CHARGE_SIGNALS, 1, process_limit(process, RLIMIT_SIGPENDING))) {
        return -EAGAIN;
    }
    if (kmalloc(sizeof(struct process_timer), &memory) != 0) {
        account_uncharge(account, CHARGE_SIGNALS, 1);
        return -EAGAIN;
    }
    struct process_timer *timer = memory;
    *timer = (struct process_timer){.clockid = clockid, .event = *event, .account = account_get(account)};
    clock_timer_init(&timer->clock, process, &process->timers.cpu, source, tid, event->quiet ? NULL : timer_expired);
    mutex_lock(&process->timers.lock);
    insert(&process->timers, timer);
    *id = timer->id;
    mutex_unlock(&process->timers.lock);
    return 0;
}

int process_timer_set(int32_t id, bool absolute, const struct timer_setting *set, struct timer_setting *old)
{
    struct process_timers *timers = &process_current()->timers;
    mutex_lock(&timers->lock);
    struct process_timer *timer = find(timers, id);
    if (timer != NULL) {
        struct clock_timer *clock = &timer->clock;
        uint64_t expiry = set->value_ns;
        // A span does not change with the time of day.
        enum clock_source source = !absolute && clock->made_for == SOURCE_WALL ? SOURCE_STEADY : clock->made_for;
        if (!absolute && !add_fits(clock_source_now(clock, source), set->value_ns, &expiry)) {
            expiry = UINT64_MAX - 1;
        }
        struct clock_timer_setting wanted = {source, set->value_ns != 0, expiry, set->interval_ns};
        signal_cancel_record(clock->process, &timer->record);
        clock_timer_set(clock, &wanted, true, &old->value_ns, &old->interval_ns);
        timer->told = 0;
        if (clock->cpu != NULL) { // it may have passed already, and its clock stand still
            clock_timers_tick(clock->process, clock->cpu, clock->tid);
        }
    }
    mutex_unlock(&timers->lock);
    return timer != NULL ? 0 : -EINVAL;
}

int process_timer_get(int32_t id, struct timer_setting *now)
{
    struct process_timers *timers = &process_current()->timers;
    mutex_lock(&timers->lock);
    struct process_timer *timer = find(timers, id);
    if (timer != NULL) {
        clock_timer_get(&timer->clock, true, &now->value_ns, &now->interval_ns);
    }
    mutex_unlock(&timers->lock);
    return timer != NULL ? 0 : -EINVAL;
}

int process_timer_overrun(int32_t id)
{
    struct process_timers *timers = &process_current()->timers;
    mutex_lock(&timers->lock);
    const struct process_timer *timer = find(timers, id);
    int overrun = timer != NULL ? (int)min_u64(timer->told, INT32_MAX) : -EINVAL;
    mutex_unlock(&timers->lock);
    return overrun;
}

static void free_timer(struct process *process, struct process_timer *timer)
{
    clock_timer_end(&timer->clock);
    signal_cancel_record(process, &timer->record);
    account_uncharge(timer->account, CHARGE_SIGNALS, 1);
    account_put(timer->account);
    kfree(timer);
}

int process_timer_delete(int32_t id)
{
    struct process *process = process_current();
    mutex_lock(&process->timers.lock);
    struct process_timer *timer = find(&process->timers, id);
    if (timer != NULL) {
        tree_remove(&process->timers.by_id, &timer->by_id);
        COUNT_ADD(process->timers.count, -1u);
        free_timer(process, timer); // with the lock: process_timers_tick() may be about to call it
    }
    mutex_unlock(&process->timers.lock);
    return timer != NULL ? 0 : -EINVAL;
}

// --- what becomes of their signals ---------------------------------------------------------------------------------

void process_timers_tick(void)
{
    const struct task *me = task_current();
    struct process_timers *timers = &me->process->timers;
    mutex_lock(&timers->lock);
    clock_timers_tick(me->process, &timers->cpu, me->tid);
    mutex_unlock(&timers->lock);
}

void process_timers_taken(struct signal_info *info)
{
    struct process_timers *timers = &process_current()->timers;
    bool interval = info->signal == SIGALRM && READ_ONCE(timers->intervals[ITIMER_REAL].lapsed);
    if (!info->timed && !interval) {
        return;
    }
    mutex_lock(&timers->lock);
    struct process_timer *timer = info->timed ? find(timers, (int32_t)info->value[0]) : NULL;
    if (timer != NULL) { // else another thread has deleted it
        timer->told = clock_timer_go_on(&timer->clock, true);
        info->value[0] |= min_u64(timer->told, INT32_MAX) << 32;
    }
    if (interval) {
        (void)clock_timer_go_on(&timers->intervals[ITIMER_REAL], true);
    }
    mutex_unlock(&timers->lock);
}

void process_timers_heard(int signal)
{
    struct process_timers *timers = &process_current()->timers;
    if (READ_ONCE(timers->count) == 0) {
        return;
    }
    mutex_lock(&timers->lock);
    for (struct tree_node *at = tree_edge(&timers->by_id, 0); at != NULL; at = tree_step(at, 1)) {
        struct process_timer *timer = timer_of(at);
        if (timer->event.signal == signal && !signal_record_is_queued(&timer->record)) {
            (void)clock_timer_go_on(&timer->clock, false);
        }
    }
    mutex_unlock(&timers->lock);
}

void process_timers_exec(struct process *process)
{
    struct process_timers *timers = &process->timers;
    while (timers->by_id.root != NULL) { // nobody else is left to use them
        struct process_timer *timer = timer_of(timers->by_id.root);
        tree_remove(&timers->by_id, &timer->by_id);
        COUNT_ADD(timers->count, -1u);
        free_timer(process, timer);
    }
    timers->next_id = 0;
}

void process_timers_end(struct process *process)
{
    process_timers_exec(process);
    for (unsigned i = 0; i < INTERVAL_TIMERS && process->timers.intervals_used; i++) {
        clock_timer_end(&process->timers.intervals[i]);
    }
}
