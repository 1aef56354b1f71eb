#include <hal/memory.h>

#include "kernel/debug/ktest.h"
#include "kernel/mm/user_page.h"
#include "kernel/proc/process_internal.h"

#define AT 0x100000ull

static paddr_t only_page;
static bool cut;

static int give_page(struct backing *backing, uint64_t offset, paddr_t *out)
{
    if (cut || offset != 0) {
        return -ENXIO;
    }
    *out = only_page;
    user_page_get(&kernel_pages, only_page);
    return 0;
}

static void no_count(struct backing *backing)
{
}

static const struct backing_ops ops = {give_page, no_count, no_count, NULL};
static struct backing backing = {.ops = &ops};

// As a child is while it is being made: its space has pages, and it is in no list of processes.
TEST(space_use, truncation_reaches_spaces_that_no_process_has_yet)
{
    struct space *parent, *child;
    struct space_request request = {
        .address = AT, .size = PAGE_SIZE, .flags = AREA_READ | AREA_SHARED, .fixed = true, .backing = &backing};
    struct mapping mapping;
    uint64_t at;
    cut = false;
    EXPECT_EQ(user_page_alloc(&kernel_pages, &only_page), 0);
    EXPECT_EQ(process_space_create(&parent), 0);
    EXPECT_EQ(space_map(parent, &request, &at), 0);
    EXPECT_EQ(space_touch(parent, AT, SPACE_READ), 0);
    EXPECT_EQ(process_space_create(&child), 0);
    EXPECT_EQ(space_fork(child, parent), 0);
    EXPECT_EQ(pagetable_query(&child->table, vaddr(AT), &mapping), 0);
    cut = true;
    backing_truncated(&backing, 0);
    EXPECT_EQ(pagetable_query(&child->table, vaddr(AT), &mapping), -ENOENT);
    EXPECT_EQ(pagetable_query(&parent->table, vaddr(AT), &mapping), -ENOENT);
    EXPECT_EQ(space_touch(child, AT, SPACE_READ), -ENXIO);
    EXPECT_EQ(backing.mapped, 2);
    space_reap(child);
    EXPECT_EQ(space_touch(child, AT, SPACE_READ), -EFAULT); // killed, and nothing comes any more
    process_space_put(child);
    process_space_put(parent);
    EXPECT_EQ(backing.mapped, 0);
    EXPECT_EQ(user_page_references(&kernel_pages, only_page), 1);
    user_page_put(&kernel_pages, only_page);
}
