#include "kernel/proc/oom.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/proc/process_internal.h"

#define WAIT_NS 2000000u // between two tries
#define TRIES_MAX 1000u  // while somebody else gives up what he has
#define DYING_TRIES 250u // a victim that has not ended by then does not keep others alive

static struct {
    struct spinlock lock; // covers the rest
    int32_t victim;       // 0: none as yet
    unsigned waited;      // tries since it was chosen
    unsigned kills;
} oom = {.lock = SPINLOCK_INIT("out of memory", RANK_LEAF)};

// With the family's lock. Pages that it has, and what it was told to count for. 0: must not be killed.
static uint64_t weight_of(const struct process *process)
{
    const struct space *space = process->space;
    int adjust = READ_ONCE(process->oom_score_adj);
    if (space == NULL || READ_ONCE(process->exiting) || process->ended || adjust <= OOM_SCORE_ADJ_MIN) {
        return 0;
    }
    int64_t all = (int64_t)page_pool_total(&kernel_pages);
    int64_t weight = (int64_t)(READ_ONCE(space->resident) + space->table.table_pages) + all * adjust / 1000;
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

// Chosen already, and not gone yet.
static bool is_dying(int32_t pid)
{
    const struct process *process = pid != 0 ? family_find(pid) : NULL;
    return process != NULL && process->space != NULL;
}

static void kill_one(void)
{
    char line[80] = "";
    irqflags_t flags = spin_lock(&family.lock);
    spin_lock_raw(&oom.lock);
    bool wait = is_dying(oom.victim) && ++oom.waited < DYING_TRIES;
    struct process *victim = wait ? NULL : choose();
    if (victim != NULL) {
        oom.victim = victim->pid;
        oom.waited = 0;
        WRITE_ONCE(oom.kills, oom.kills + 1);
        format(line, sizeof(line), "out of memory: killed pid %d (%s), %lu KiB", victim->pid, name_of(victim),
               READ_ONCE(victim->space->resident) * (PAGE_SIZE / 1024));
    }
    spin_unlock_raw(&oom.lock);
    if (victim != NULL) {
        signal_send_locked(victim, NULL, &(struct signal_info){.signal = SIGKILL, .code = SI_KERNEL});
    }
    spin_unlock(&family.lock, flags);
    if (line[0] != 0) {
        log_error("%s", line);
    }
}

unsigned oom_kills(void)
{
    return READ_ONCE(oom.kills);
}

bool oom_relieve(unsigned tries)
{
    const struct process *process = process_current();
    page_pool_drain_cpu(&kernel_pages);
    if (tries == 0) {
        return true; // what this CPU held back may have been enough
    }
    bool short_of_pages = page_pool_free_pages(&kernel_pages) < page_pool_low(&kernel_pages);
    if (!short_of_pages || tries >= TRIES_MAX) {
        return false; // it is not for want of memory, or nothing helps
    }
    if (!READ_ONCE(process->exiting)) {
        kill_one();
    }
    if (READ_ONCE(process->exiting)) {
        return false; // by us, or by somebody else
    }
    thread_sleep_until(timer_now() + WAIT_NS);
    return true;
}
