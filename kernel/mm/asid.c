#include "kernel/mm/asid.h"

#include "kernel/base/assert.h"
#include "kernel/mm/idalloc.h"
#include "kernel/sync/spinlock.h"

#define ASID_LIMIT 256u

static struct {
    struct spinlock lock; // covers the rest
    struct id_allocator ids;
    bool ready;
} asids = {.lock = SPINLOCK_INIT("asids", RANK_LEAF)};

int asid_alloc(uint16_t *out)
{
    uint32_t id;
    irqflags_t flags = spin_lock(&asids.lock);
    if (!asids.ready) {
        int error = id_init(&asids.ids, ASID_LIMIT);
        ASSERT(error == 0 && id_reserve(&asids.ids, 0) == 0);
        asids.ready = true;
    }
    int error = id_alloc(&asids.ids, &id);
    spin_unlock(&asids.lock, flags);
    *out = (uint16_t)id;
    return error == 0 ? 0 : -EAGAIN;
}

void asid_free(uint16_t asid)
{
    irqflags_t flags = spin_lock(&asids.lock);
    id_free(&asids.ids, asid);
    spin_unlock(&asids.lock, flags);
}
