// In a page that is in use, struct page.next counts the references and struct page.used says what is known of it.
#include "kernel/mm/user_page.h"

#include <hal/memory.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

#define USED_CODE_SYNCED 1u

int user_page_alloc(struct page_pool *pool, paddr_t *out)
{
    if (unlikely(READ_ONCE(pool->buddy.free_frames) < page_pool_reserve(pool))) {
        return -ENOMEM;
    }
    int error = page_alloc_zeroed(pool, out);
    if (error == 0) {
        struct page *page = page_of(pool, *out);
        WRITE_ONCE(page->next, 1);
        page->used = 0;
    }
    return error;
}

int user_page_alloc_for_file(struct page_pool *pool, paddr_t *out)
{
    bool full = READ_ONCE(pool->buddy.free_frames) < page_pool_total(pool) / 8;
    return unlikely(full) ? -ENOMEM : user_page_alloc(pool, out);
}

void user_page_get(struct page_pool *pool, paddr_t page)
{
    uint32_t before = __atomic_fetch_add(&page_of(pool, page)->next, 1, __ATOMIC_RELAXED);
    ASSERT(before > 0 && before < UINT32_MAX);
}

void user_page_put(struct page_pool *pool, paddr_t page)
{
    uint32_t before = __atomic_fetch_sub(&page_of(pool, page)->next, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1) {
        page_free(pool, page, 0);
    }
}

uint32_t user_page_references(struct page_pool *pool, paddr_t page)
{
    return load_acquire(&page_of(pool, page)->next);
}

void user_page_sync_code(struct page_pool *pool, paddr_t page)
{
    struct page *info = page_of(pool, page);
    if ((READ_ONCE(info->used) & USED_CODE_SYNCED) == 0) {
        mmu_sync_code(phys_to_virt(page), PAGE_SIZE);
        WRITE_ONCE(info->used, USED_CODE_SYNCED);
    }
}

void user_page_written(struct page_pool *pool, paddr_t page)
{
    WRITE_ONCE(page_of(pool, page)->used, 0);
}
