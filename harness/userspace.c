#include "harness/userspace.h"

#include "harness/fuzz.h"
#include "kernel/mm/usercopy.h"

#include <string.h>

#define ASID 1u
#define LOW_PAGES (USERSPACE_PAGES / 2)

uint64_t userspace_va(unsigned page)
{
    return page < LOW_PAGES ? 0x10000 + page * PAGE_SIZE : USER_LIMIT - (USERSPACE_PAGES - page) * PAGE_SIZE;
}

static int index_of(uint64_t va)
{
    for (unsigned i = 0; i < USERSPACE_PAGES; i++) {
        if (va - userspace_va(i) < PAGE_SIZE) {
            return (int)i;
        }
    }
    return -1;
}

void userspace_init(struct userspace *space, struct page_pool *pool)
{
    space->pool = pool;
    for (unsigned i = 0; i < USERSPACE_PAGES; i++) {
        // Past the fault site: what a plan makes fail is the copy, or the tables.
        if (buddy_alloc(&pool->buddy, 0, &space->frames[i]) != 0) {
            machine_finding("model", "no page for user space");
        }
        memory_allocated(phys_to_virt(space->frames[i]), PAGE_SIZE);
        memset(phys_to_virt(space->frames[i]), 'a' + (int)i, PAGE_SIZE);
        memset(space->mirror[i], 'a' + (int)i, PAGE_SIZE);
    }
    if (pagetable_init(&space->table, PAGETABLE_USER, ASID, pool) == 0) {
        mmu_activate(space->table.root, ASID);
    }
}

void userspace_allow(struct userspace *space, unsigned page, unsigned rights)
{
    vaddr_t va = vaddr(userspace_va(page));
    if (space->rights[page] != 0 && pagetable_unmap(&space->table, va, PAGE_SIZE) != 0) {
        machine_finding("model", "a page cannot be unmapped");
    }
    space->rights[page] = 0;
    unsigned flags = MAP_USER | (rights == USERSPACE_WRITE ? MAP_WRITE : 0);
    if (rights != 0 && pagetable_map(&space->table, va, space->frames[page], PAGE_SIZE, flags) == 0) {
        space->rights[page] = (uint8_t)rights;
    }
    OP("page %u at 0x%llx: rights %u", page, (unsigned long long)va.raw, space->rights[page]);
}

uint64_t userspace_reach(const struct userspace *space, uint64_t start, uint64_t size, unsigned rights)
{
    uint64_t done = 0;
    while (done < size) {
        int index = start + done < USER_LIMIT ? index_of(start + done) : -1;
        if (index < 0 || (space->rights[index] & rights) != rights) {
            break;
        }
        done += PAGE_SIZE - ((start + done) & PAGE_MASK);
    }
    return done < size ? done : size;
}

uint8_t *userspace_byte(struct userspace *space, uint64_t va)
{
    return &space->mirror[index_of(va)][va & PAGE_MASK];
}

void userspace_relearn(struct userspace *space)
{
    for (unsigned i = 0; i < USERSPACE_PAGES; i++) {
        memcpy(space->mirror[i], phys_to_virt(space->frames[i]), PAGE_SIZE);
    }
}

void userspace_finish(struct userspace *space)
{
    for (unsigned i = 0; i < USERSPACE_PAGES; i++) {
        EXPECT_MODEL(memcmp(space->mirror[i], phys_to_virt(space->frames[i]), PAGE_SIZE) == 0,
                     "user page %u holds what nobody wrote", i);
    }
    if (space->table.root.raw != 0) {
        mmu_activate(paddr(0), 0);
        pagetable_destroy(&space->table); // and with it, nothing can reach the pages
    }
    for (unsigned i = 0; i < USERSPACE_PAGES; i++) {
        page_free(space->pool, space->frames[i], 0);
    }
}
