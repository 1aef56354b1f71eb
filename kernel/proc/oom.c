#include "kernel/proc/oom.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/proc/process_internal.h"

#define WAIT_NS 2000000u // between two tries
#define TRIES_MAX 1000u  // while there is nobody to kill, and memory may come back all the same
#define ENOUGH_MAX 4u    // failures while there are pages: it is not for want of memory
// From the moment that a victim was chosen, however many wait for it: what it has of its own is taken from it; it is
// given up, and others have to go.
#define REAP_NS 500000000u
#define PATIENCE_NS 2000000000u

static struct {
    struct spinlock lock;   // covers the rest
    struct process *victim; // has not ended; NULL: none
    uint64_t chosen_ns;
    bool reaps; // somebody takes its pages, or has; or nobody may
    unsigned kills;
} oom = {.lock = SPINLOCK_INIT("out of memory", RANK_LEAF)};

// Of the kernel's pages that the user's objects hold, what falls to each of his tasks.
static uint64_t share_of(const struct account *account)
{
    return account_charged(account, CHARGE_PAGES) / max_u64(account_charged(account, CHARGE_TASKS), 1);
}

// With the family's lock. Pages that it has, its tables and its share of its user's, and what it was told to count for.
// 0: must not be killed. One that ends already has its weight, too: it is waited for before another has to go.
static uint64_t weight_of(const struct process *process)
{
    const struct space *space = process->space;
    int adjust = READ_ONCE(process->oom_score_adj);
    if (space == NULL || process->ended || process->oom_skip || adjust <= OOM_SCORE_ADJ_MIN) {
        return 0;
    }
    int64_t all = (int64_t)page_pool_total(&kernel_pages);
    int64_t weight = (int64_t)(READ_ONCE(space->resident) + READ_ONCE(space->table.table_pages)) + all * adjust / 1000;
    weight += (int64_t)share_of(process->as->account);
    return weight > 0 ? (uint64_t)weight : 1;
}

uint32_t oom_score(struct process *process)
{
    irqflags_t flags = spin_lock(&family.lock);
    uint64_t score = weight_of(process) * 1000 / page_pool_total(&kernel_pages);
    spin_unlock(&family.lock, flags);
    return (uint32_t)min_u64(score, 2000);
}

// With the family's lock. The first process goes last: without it there is nobody to ask.
static struct process *choose(void)
{
    struct process *worst = NULL, *first = NULL;
    uint64_t most = 0;
    list_for_each(at, &family.all)
    {
        struct process *process = container_of(at, struct process, all);
        uint64_t weight = weight_of(process);
        if (process->pid == 1) {
            first = weight > 0 ? process : NULL;
        } else if (weight > most) {
            most = weight;
            worst = process;
        }
    }
    return worst != NULL ? worst : first;
}

static const char *name_of(const struct process *process)
{
    bool runs = !list_empty(&process->tasks);
    return runs ? list_first(&process->tasks, struct task, sibling)->thread->name : process->name;
}

// With the family's lock: kills it, and all that share its memory, which would not come back otherwise; unless it ends
// already. False: one of them does not end.
static bool kill_all_of(struct process *victim)
{
    bool ends = READ_ONCE(victim->exiting);
    const struct space *space = victim->space;
    bool all = true;
    list_for_each(at, &family.all)
    {
        struct process *process = container_of(at, struct process, all);
        bool shares = process == victim || (space != NULL && process->space == space);
        bool may = process == victim || (process->pid != 1 && READ_ONCE(process->oom_score_adj) > OOM_SCORE_ADJ_MIN);
        if (shares && may && !ends) {
            signal_send_locked(process, NULL, &(struct signal_info){.signal = SIGKILL, .code = SI_KERNEL});
        }
        all &= !shares || READ_ONCE(process->exiting);
    }
    return all;
}

// With both locks: whether the last victim still has time to give back what it has. *reap: the victim, with a
// reference: its pages are to be taken now.
static bool wait_for_victim(struct process **reap)
{
    struct process *victim = oom.victim;
    if (victim == NULL) {
        return false;
    }
    uint64_t age = timer_now() - oom.chosen_ns;
    victim->oom_skip |= age >= PATIENCE_NS; // it holds on to it: this is no reason to kill all others for ever
    if (victim->oom_skip) {
        oom.victim = NULL;
        return false;
    }
    if (age >= REAP_NS && !oom.reaps) {
        oom.reaps = true;
        (void)__atomic_fetch_add(&victim->references, 1, __ATOMIC_RELAXED);
        *reap = victim;
    }
    return true;
}

static void take_memory(struct process *victim)
{
    struct space *space = process_space_get(victim);
    if (space != NULL) {
        space_reap(space);
    }
    process_space_put(space);
    irqflags_t flags = spin_lock(&family.lock);
    victim->oom_skip |= space != NULL; // it has nothing more
    spin_unlock(&family.lock, flags);
    process_put(victim);
}

// One victim at a time, until its memory is back. False: there is none.
static bool kill_one(void)
{
    char line[80] = "";
    struct process *reap = NULL, *victim = NULL;
    irqflags_t flags = spin_lock(&family.lock);
    spin_lock_raw(&oom.lock);
    bool waits = wait_for_victim(&reap);
    if (!waits) {
        victim = choose();
    }
    if (victim != NULL) {
        oom.victim = victim;
        oom.chosen_ns = timer_now();
    }
    if (victim != NULL && !READ_ONCE(victim->exiting)) {
        WRITE_ONCE(oom.kills, oom.kills + 1);
        format(line, sizeof(line), "out of memory: killed pid %d (%s), %lu KiB", victim->pid, name_of(victim),
               READ_ONCE(victim->space->resident) * (PAGE_SIZE / 1024));
    }
    spin_unlock_raw(&oom.lock);
    if (victim != NULL) {
        bool all = kill_all_of(victim);
        spin_lock_raw(&oom.lock);
        oom.reaps = !all;
        spin_unlock_raw(&oom.lock);
    }
    spin_unlock(&family.lock, flags);
    if (reap != NULL) {
        take_memory(reap);
    }
    if (line[0] != 0) {
        log_error("%s", line);
    }
    return waits || victim != NULL;
}

void oom_ended(const struct process *process)
{
    spin_lock_raw(&oom.lock);
    oom.victim = oom.victim == process ? NULL : oom.victim;
    spin_unlock_raw(&oom.lock);
}

// Who ends needs pages on the way, who may do more than others ends those who took the rest.
static bool may_have_the_last(void)
{
    const struct thread *me = thread_current();
    return me == NULL || me->process == NULL || this_cpu()->interrupt_depth > 0 || thread_killed() ||
           capable(CAP_SYS_RESOURCE);
}

void oom_init(void)
{
    page_reserve_is_ours = may_have_the_last;
}

unsigned oom_kills(void)
{
    return READ_ONCE(oom.kills);
}

bool oom_relieve(struct oom_relief *relief)
{
    const struct process *process = process_current();
    page_pool_drain_cpu(&kernel_pages);
    if (relief->tries++ == 0) {
        return true; // what this CPU held back may have been enough
    }
    if (READ_ONCE(process->exiting)) {
        return false;
    }
    if (page_pool_free_pages(&kernel_pages) >= page_pool_low(&kernel_pages)) {
        return ++relief->enough < ENOUGH_MAX; // it has come back meanwhile; or it is not for want of memory
    }
    if (kill_one()) {
        relief->tries = 1; // for as long as somebody gives up what he has, nobody else has to
    }
    if (relief->tries >= TRIES_MAX || READ_ONCE(process->exiting)) {
        return false; // nothing helps; or it was us
    }
    thread_sleep_until(timer_now() + WAIT_NS);
    return true;
}
