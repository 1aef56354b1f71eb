// `check-walks`: each walk finds each thing that it promises to find. A structure is built, one word of it is broken,
// the walk must name it, and with the word back all is sound again.
#include <hal/cpu.h>
#include <hal/memory.h>
#include <hal/mmu.h>

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/mm/bump.h"
#include "kernel/mm/descriptor.h"
#include "kernel/mm/idalloc.h"
#include "kernel/mm/kmalloc.h"

#define EXPECT_BROKEN(walk, sentence)                                                                                  \
    do {                                                                                                               \
        const char *said_ = (walk);                                                                                    \
        if (said_ == NULL || !text_equal(said_, sentence)) {                                                           \
            ktest_fail(__FILE__, __LINE__, "expected '%s', got '%s'", sentence, said_ != NULL ? said_ : "sound");      \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

// The word is value while the walk looks.
#define WITH(word, value, walk, sentence)                                                                              \
    do {                                                                                                               \
        __typeof__(word) kept_ = (word);                                                                               \
        (word) = (value);                                                                                              \
        const char *seen_ = (walk);                                                                                    \
        (word) = kept_;                                                                                                \
        EXPECT_BROKEN(seen_, sentence);                                                                                \
        EXPECT_SOUND(walk);                                                                                            \
    } while (0)

TEST(walks, bump)
{
    struct bump bump;
    EXPECT_EQ(bump_init(&bump, paddr(0x1000), paddr(0x3000)), 0);
    WITH(bump.next, paddr(0xfff), bump_check(&bump), "next lies before start");
    WITH(bump.next, paddr(0x3001), bump_check(&bump), "next lies behind end");
}

TEST(walks, idalloc)
{
    static struct id_allocator ids;
    uint32_t id;
    EXPECT_EQ(id_init(&ids, 100), 0);
    EXPECT_EQ(id_alloc(&ids, &id), 0);
    WITH(ids.full, ids.full | 1, id_check(&ids), "the summary disagrees with a word");
    WITH(ids.words[5], 0, id_check(&ids), "the summary disagrees with a word");
    WITH(ids.used, 2, id_check(&ids), "the number of used ids is wrong");
    WITH(ids.words[0], 3, id_check(&ids), "the number of used ids is wrong");
}

// 64 frames, of which the first 4 are reserved: free 4, 8, 16, 32 at orders 2 to 5, then two blocks of order 0 taken.
static struct page frames[64];
static struct buddy buddy;

static bool make_buddy(paddr_t taken[2])
{
    return buddy_init(&buddy, paddr(MIB(64)), ARRAY_SIZE(frames), frames) == 0 &&
           buddy_add(&buddy, paddr(MIB(64) + 4 * PAGE_SIZE), 60) == 0 && buddy_alloc(&buddy, 0, &taken[0]) == 0 &&
           buddy_alloc(&buddy, 0, &taken[1]) == 0;
}

TEST(walks, buddy_lists)
{
    paddr_t taken[2];
    EXPECT(make_buddy(taken));
    EXPECT_SOUND(buddy_check(&buddy)); // used 4 and 5; free 6 at order 1, 8 at 3, 16 at 4, 32 at 5
    uint32_t head = buddy.head[1];
    EXPECT_EQ(head, 6);
    WITH(buddy.head[1], 64, buddy_check(&buddy), "a free list leaves the range or runs in a circle");
    WITH(frames[6].next, 6, buddy_check(&buddy), "a free list's back link is wrong");
    WITH(frames[6].prev, 8, buddy_check(&buddy), "a free list's back link is wrong");
    WITH(frames[6].order, 2, buddy_check(&buddy), "a free list holds a block that is not free at its order");
    WITH(frames[6].state, PAGE_USED_HEAD, buddy_check(&buddy),
         "a free list holds a block that is not free at its order");
    WITH(buddy.head[1], BUDDY_NONE, buddy_check(&buddy), "the mask of non-empty lists is wrong");
    WITH(buddy.nonempty, buddy.nonempty | 1, buddy_check(&buddy), "the mask of non-empty lists is wrong");
    WITH(buddy.free_frames, buddy.free_frames + 1, buddy_check(&buddy), "free pages are lost or counted twice");
    WITH(buddy.managed_frames, 59, buddy_check(&buddy), "the number of managed pages is wrong");
}

TEST(walks, buddy_blocks)
{
    paddr_t taken[2];
    EXPECT(make_buddy(taken));
    WITH(frames[4].state, PAGE_TAIL, buddy_check(&buddy), "a tail page has no head");
    WITH(frames[7].state, PAGE_USED_HEAD, buddy_check(&buddy), "blocks overlap");
    WITH(frames[4].order, BUDDY_MAX_ORDER + 1, buddy_check(&buddy), "a block's order is impossible");
    WITH(frames[4].order, BUDDY_MAX_ORDER, buddy_check(&buddy), "a block's order is impossible");
    WITH(frames[4].state, PAGE_FREE_HEAD, buddy_check(&buddy), "free pages are lost or counted twice");
    // As if both had been freed without merging.
    frames[4].state = frames[5].state = PAGE_FREE_HEAD;
    EXPECT_BROKEN(buddy_check(&buddy), "two free buddies are not merged");
    frames[4].state = frames[5].state = PAGE_USED_HEAD;
    buddy_free(&buddy, taken[0], 0);
    buddy_free(&buddy, taken[1], 0);
    EXPECT_SOUND(buddy_check(&buddy));
    // A list in a circle: two blocks of one order whose links lead back.
    EXPECT_EQ(buddy_init(&buddy, paddr(MIB(64)), 4, frames), 0);
    EXPECT_EQ(buddy_add(&buddy, paddr(MIB(64)), 1), 0);
    EXPECT_EQ(buddy_add(&buddy, paddr(MIB(64) + 2 * PAGE_SIZE), 1), 0);
    EXPECT_SOUND(buddy_check(&buddy));
    uint32_t first = buddy.head[0], second = frames[first].next;
    WITH(frames[second].next, 4, buddy_check(&buddy), "a free list leaves the range or runs in a circle");
    WITH(frames[second].prev, BUDDY_NONE, buddy_check(&buddy), "a free list's back link is wrong");
    frames[1].state = PAGE_FREE_HEAD; // a block that starts off its size
    frames[1].order = 1;
    frames[1].prev = frames[1].next = BUDDY_NONE;
    buddy.head[1] = 1;
    EXPECT_BROKEN(buddy_check(&buddy), "a free block is not aligned to its size");
}

TEST(walks, pages_in_caches)
{
    paddr_t page, used;
    EXPECT_EQ(page_alloc(&kernel_pages, 0, &used), 0);
    EXPECT_EQ(page_alloc(&kernel_pages, 0, &page), 0);
    irqflags_t flags = irq_save();
    page_free(&kernel_pages, page, 0); // so that this CPU's cache holds one
    struct page_cache *cache = &kernel_pages.cache[cpu_self()][0];
    struct page *cached = page_of(&kernel_pages, page);
    uint32_t kept = cache->count;
    const char *seen[5] = {page_pool_check(&kernel_pages)};
    cache->count = cache->limit;
    seen[1] = page_pool_check(&kernel_pages);
    cache->count = kept - 1;
    seen[2] = page_pool_check(&kernel_pages);
    cache->count = kept;
    cached->order = 1;
    seen[3] = page_pool_check(&kernel_pages);
    cached->order = 0;
    uint32_t frame = cache->frames[kept - 1];
    cache->frames[kept - 1] = kernel_pages.buddy.frames;
    const char *outside = page_pool_check(&kernel_pages);
    cache->frames[kept - 1] = buddy_frame(&kernel_pages.buddy, used);
    const char *in_use = page_pool_check(&kernel_pages);
    cache->frames[kept - 1] = frame;
    seen[4] = page_pool_check(&kernel_pages);
    irq_restore(flags);
    page_free(&kernel_pages, used, 0);
    EXPECT_SOUND(seen[0]);
    EXPECT_BROKEN(seen[1], "a CPU's page cache is over full");
    EXPECT_BROKEN(seen[2], "cached pages are lost or listed twice");
    EXPECT(seen[3] != NULL);
    EXPECT_BROKEN(outside, "a CPU's page cache holds a block that is not cached, or of another order");
    EXPECT_BROKEN(in_use, "a CPU's page cache holds a block that is not cached, or of another order");
    EXPECT_SOUND(seen[4]);
}

static struct slab_cache cache;

TEST(walks, slab)
{
    void *objects[3];
    EXPECT_EQ(slab_cache_init(&cache, "walks", 2000, 0, &kernel_pages), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        EXPECT_EQ(slab_alloc(&cache, &objects[i]), 0);
    }
    uint32_t frame = buddy_frame(&kernel_pages.buddy, virt_to_phys(objects[0])) & ~((1u << cache.order) - 1);
    struct page *page = &kernel_pages.buddy.pages[frame];
    const char *counts = "a slab's count of used objects is wrong",
               *lost = "slabs or objects are lost or counted twice";
    const char *foreign = "a listed slab is not the cache's";
    WITH(page->owner, (void *)&cache.name, slab_check(&cache), foreign);
    WITH(page->state, PAGE_TAIL, slab_check(&cache), foreign);
    WITH(page->order, (uint8_t)(cache.order + 1), slab_check(&cache), foreign);
    WITH(page->used, 2, slab_check(&cache), counts);
    WITH(page->free_bits[0], page->free_bits[0] & (page->free_bits[0] - 1), slab_check(&cache), counts);
    WITH(page->prev, 0, slab_check(&cache), "the partial list's back link is wrong");
    WITH(page->next, cache.partial, slab_check(&cache), "the partial list's back link is wrong");
    WITH(cache.slabs, 2, slab_check(&cache), lost);
    WITH(cache.used, 2, slab_check(&cache), lost);
    WITH(cache.full, 1, slab_check(&cache), lost);
    WITH(cache.empty, 1, slab_check(&cache), lost);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        slab_free(&cache, objects[i]);
    }
    EXPECT_EQ(slab_cache_destroy(&cache), 0);
}

TEST(walks, heap)
{
    struct slab_cache *class = &kernel_heap.classes[HEAP_CLASSES - 1];
    irqflags_t flags = irq_save();
    class->used++;
    const char *seen = heap_check(&kernel_heap);
    class->used--;
    irq_restore(flags);
    EXPECT_BROKEN(seen, "slabs or objects are lost or counted twice");
}

static uint64_t *slot_of(const struct pagetable *table, uint64_t va, unsigned level)
{
    uint64_t *slots = phys_to_virt(table->root);
    for (unsigned at = 0; at < level; at++) {
        slots = phys_to_virt(paddr(mmu_read(&slots[level_index(va, at)]) & DESC_ADDRESS));
    }
    return &slots[level_index(va, level)];
}

// No CPU uses this table: its descriptors may be anything for a moment.
#define WITH_SLOT(table, slot, value, sentence)                                                                        \
    do {                                                                                                               \
        uint64_t kept_ = mmu_read(slot);                                                                               \
        mmu_write((slot), (value));                                                                                    \
        const char *seen_ = pagetable_check(table);                                                                    \
        mmu_write((slot), kept_);                                                                                      \
        EXPECT_BROKEN(seen_, sentence);                                                                                \
        EXPECT_SOUND(pagetable_check(table));                                                                          \
    } while (0)

TEST(walks, pagetable)
{
    static struct pagetable table;
    EXPECT_EQ(pagetable_init(&table, PAGETABLE_USER, 7, &kernel_pages), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(MIB(2)), paddr(MIB(4)), MIB(2), MAP_USER | MAP_WRITE), 0);
    EXPECT_EQ(pagetable_map(&table, vaddr(PAGE_SIZE), paddr(MIB(4)), PAGE_SIZE, MAP_USER | MAP_EXEC), 0);
    uint64_t *block = slot_of(&table, MIB(2), 2), *page = slot_of(&table, PAGE_SIZE, 3), *empty = page + 5;
    uint64_t big = mmu_read(block), small = mmu_read(page);
    WITH_SLOT(&table, page, small & ~DESC_TABLE, "a leaf has the wrong type for its level");
    WITH_SLOT(&table, slot_of(&table, 0, 0) + 3, big, "a leaf has the wrong type for its level");
    WITH_SLOT(&table, block, big + PAGE_SIZE, "a leaf's address is not aligned to its size");
    static const uint64_t attributes[] = {DESC_USER, DESC_NOT_GLOBAL, DESC_READ_ONLY,
                                          DESC_UXN,  DESC_ACCESSED,   (uint64_t)MAP_EXEC << DESC_FLAGS_SHIFT};
    for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
        WITH_SLOT(&table, page, small ^ attributes[i], "a leaf's attributes are not those of its flags");
    }
    WITH_SLOT(&table, page, desc_leaf(MIB(4), DESC_ATTRIBUTES(MAP_WRITE, true), LEAF_LEVEL),
              "a leaf that nobody reaches has rights");
    WITH_SLOT(&table, page, desc_leaf(MIB(4), DESC_ATTRIBUTES(MAP_USER | MAP_WRITE | MAP_EXEC, true), LEAF_LEVEL),
              "a leaf is writable and executable");
    WITH_SLOT(&table, page, small & ~DESC_VALID, "a descriptor is neither empty nor valid");
    WITH_SLOT(&table, empty, small, "a table's count of descriptors is wrong");
    WITH_SLOT(&table, page, 0, "a table's count of descriptors is wrong");
    WITH(table.mapped, 0, pagetable_check(&table), "table pages or mapped bytes are counted wrong");
    WITH(table.table_pages, 1, pagetable_check(&table), "table pages or mapped bytes are counted wrong");
    struct page *leaf = page_of(&kernel_pages, virt_to_phys(page));
    mmu_write(page, 0);
    leaf->used = 0;
    const char *seen = pagetable_check(&table);
    mmu_write(page, small);
    leaf->used = 1;
    EXPECT_BROKEN(seen, "an empty table was not freed");
    EXPECT_EQ(pagetable_unmap(&table, vaddr(0), GIB(1)), 0);
    EXPECT_EQ(table.table_pages, 1);
    pagetable_destroy(&table);
}
