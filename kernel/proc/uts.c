#include "kernel/proc/uts.h"

#include "kernel/sync/spinlock.h"

static struct spinlock lock = SPINLOCK_INIT("uts", RANK_LEAF);
static struct uts_names names = {"Faultline", "faultline", "6.1.0", "#1 SMP PREEMPT", "aarch64", "(none)"};

void uts_get(struct uts_names *out)
{
    irqflags_t flags = spin_lock(&lock);
    *out = names;
    spin_unlock(&lock, flags);
}

static void set(char *to, const char *name, size_t length)
{
    irqflags_t flags = spin_lock(&lock);
    __builtin_memset(to, 0, UTS_LENGTH);
    __builtin_memcpy(to, name, length);
    spin_unlock(&lock, flags);
}

void uts_set_node(const char *name, size_t length)
{
    set(names.node, name, length);
}

void uts_set_domain(const char *name, size_t length)
{
    set(names.domain, name, length);
}
