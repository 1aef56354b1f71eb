// Pages of user memory: shared by whoever maps them and by the page cache, counted, freed by the last. Any context that
// may allocate.
#pragma once

#include "kernel/mm/page_alloc.h"

[[nodiscard]] int user_page_alloc(struct page_pool *pool, paddr_t *out); // zeroed, one reference; -ENOMEM
// Likewise for what outlives its process: files in memory. Leaves an eighth of the memory to processes.
[[nodiscard]] int user_page_alloc_for_file(struct page_pool *pool, paddr_t *out);
void user_page_get(struct page_pool *pool, paddr_t page);
void user_page_put(struct page_pool *pool, paddr_t page); // the last one frees; nobody may map the page any more
uint32_t user_page_references(struct page_pool *pool, paddr_t page);
// Before the page is mapped executable: what was written to it becomes visible to instruction fetches, once.
void user_page_sync_code(struct page_pool *pool, paddr_t page);
void user_page_written(struct page_pool *pool, paddr_t page); // by the kernel: must be synced again
