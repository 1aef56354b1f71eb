#include "kernel/mm/space.h"

#include <hal/memory.h>

#include "kernel/debug/ktest.h"
#include "kernel/proc/process.h"

// What the current thread keeps to while it stands for a process.
static struct process limited;

static void begin_limits(void)
{
    limits_init(&limited.limits);
    thread_current()->process = &limited;
}

static void end_limits(void)
{
    thread_current()->process = NULL;
}

#define RW (AREA_READ | AREA_WRITE)
#define AT 0x100000ull

static struct space space, child;

static int map(uint64_t at, uint64_t pages, unsigned flags)
{
    struct space_request request = {.address = at, .size = pages * PAGE_SIZE, .flags = flags, .fixed = true};
    uint64_t start;
    return space_map(&space, &request, &start);
}

// Rights of the page there; -1: it is not present.
static int rights(struct space *of, uint64_t at)
{
    struct mapping mapping;
    return pagetable_query(&of->table, vaddr(at), &mapping) == 0 ? (int)mapping.flags : -1;
}

TEST(space, a_page_is_writable_or_executable_as_it_was_last_used)
{
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    EXPECT_EQ(map(AT, 1, RW | AREA_EXEC), 0);
    EXPECT_EQ(space_touch(&space, AT, SPACE_WRITE), 0);
    EXPECT_EQ(rights(&space, AT), MAP_USER | MAP_WRITE);
    EXPECT_EQ(space_touch(&space, AT, SPACE_EXEC), 0);
    EXPECT_EQ(rights(&space, AT), MAP_USER | MAP_EXEC);
    EXPECT_EQ(space_touch(&space, AT, SPACE_READ), 0);
    EXPECT_EQ(rights(&space, AT), MAP_USER | MAP_EXEC);
    EXPECT_EQ(space_touch(&space, AT, SPACE_WRITE), 0);
    EXPECT_EQ(rights(&space, AT), MAP_USER | MAP_WRITE);
    EXPECT_EQ(space_protect(&space, AT, PAGE_SIZE, AREA_READ), 0);
    EXPECT_EQ(space_touch(&space, AT, SPACE_EXEC), -EACCES);
    EXPECT_SOUND(space_check(&space));
    space_destroy(&space);
}

TEST(space, what_is_locked_is_not_forgotten)
{
    uint8_t present[4];
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    EXPECT_EQ(map(AT, 4, RW), 0);
    EXPECT_EQ(space_lock(&space, AT, 2 * PAGE_SIZE, AREA_LOCKED, PAGE_SIZE), -ENOMEM); // the limit
    EXPECT_EQ(space_lock(&space, AT, 2 * PAGE_SIZE, AREA_LOCKED, 2 * PAGE_SIZE), 0);
    EXPECT_EQ(space_resident(&space, AT, 4, present), 0);
    EXPECT(present[0] == 1 && present[1] == 1 && present[2] == 0 && present[3] == 0);
    EXPECT_EQ(space_forget(&space, AT, 2 * PAGE_SIZE, false), -EINVAL);
    EXPECT_EQ(space_unlock(&space, AT + PAGE_SIZE, PAGE_SIZE), 0);
    EXPECT_EQ(space_forget(&space, AT + PAGE_SIZE, PAGE_SIZE, false), 0);
    EXPECT_EQ(space_lock(&space, AT, 8 * PAGE_SIZE, AREA_LOCKED | AREA_LOCK_LATER, UINT64_MAX), -ENOMEM); // a hole
    EXPECT_EQ(space_resident(&space, AT, 5, present), -ENOMEM);
    EXPECT_EQ(space_covered(&space, AT, 4 * PAGE_SIZE), 0);
    EXPECT_EQ(space_covered(&space, AT, 5 * PAGE_SIZE), -ENOMEM);
    EXPECT_EQ(space_covered(&space, AT + 1, PAGE_SIZE), -EINVAL);
    space_unlock_all(&space);
    EXPECT_EQ(space.areas.count, 1);
    EXPECT_EQ(space_lock_all(&space, true, true, AREA_LOCKED, UINT64_MAX), 0);
    EXPECT_EQ(space.resident, 4);
    EXPECT_EQ(map(AT + 16 * PAGE_SIZE, 2, RW), 0); // comes at once
    EXPECT_EQ(space.resident, 6);
    EXPECT_EQ(space.resident_most, 6);
    EXPECT_SOUND(space_check(&space));
    space_destroy(&space);
}

TEST(space, a_child_lacks_what_it_should_not_have)
{
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    EXPECT_EQ(space_init(&child, &kernel_pages), 0);
    EXPECT_EQ(map(AT, 3, RW), 0);
    EXPECT_EQ(space_populate(&space, AT, AT + 3 * PAGE_SIZE, true), 0);
    EXPECT_EQ(space_advise(&space, AT, PAGE_SIZE, AREA_NOT_FORKED, 0, NULL), 0);
    EXPECT_EQ(space_advise(&space, AT + PAGE_SIZE, PAGE_SIZE, AREA_WIPED, 0, NULL), 0);
    EXPECT_EQ(space_advise(&space, AT + 2 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0, NULL), -ENOMEM);
    EXPECT_EQ(space_fork(&child, &space), 0);
    int lacks = space_touch(&child, AT, SPACE_READ), empty = rights(&child, AT + PAGE_SIZE);
    int shared = rights(&child, AT + 2 * PAGE_SIZE);
    EXPECT_SOUND(space_check(&child));
    space_destroy(&child);
    space_destroy(&space);
    EXPECT_EQ(lacks, -EFAULT);
    EXPECT_EQ(empty, -1);
    EXPECT_EQ(shared, MAP_USER);
}

TEST(space, limits_hold)
{
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    begin_limits();
    limited.limits.of[RLIMIT_DATA].soft = 4 * PAGE_SIZE;
    EXPECT_EQ(map(AT, 3, RW), 0);
    EXPECT_EQ(map(AT + MIB(1), 2, RW), -ENOMEM);
    EXPECT_EQ(map(AT + MIB(1), 2, AREA_READ), 0);
    EXPECT_EQ(map(AT + MIB(2), 1, RW), 0);
    EXPECT_EQ(space_protect(&space, AT + MIB(1), 2 * PAGE_SIZE, RW), -ENOMEM);
    limited.limits.of[RLIMIT_AS].soft = 7 * PAGE_SIZE;
    EXPECT_EQ(map(AT + MIB(3), 2, AREA_READ), -ENOMEM);
    end_limits();
    EXPECT_EQ(space_protect(&space, AT + MIB(1), 2 * PAGE_SIZE, RW), 0);
    uint64_t all = page_pool_total(&kernel_pages);
    EXPECT_EQ(map(MIB(1024), all + 1, RW), -ENOMEM);
    EXPECT_EQ(map(MIB(1024), all + 1, AREA_READ), 0);
    EXPECT_EQ(space_protect(&space, MIB(1024), (all + 1) * PAGE_SIZE, RW), -ENOMEM);
    EXPECT_EQ(map(MIB(2048), all + 1, RW | AREA_NORESERVE), 0);
    EXPECT_SOUND(space_check(&space));
    space_destroy(&space);
}

TEST(space, a_stack_grows_as_far_as_it_may)
{
    uint64_t top = MIB(64);
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    begin_limits();
    limited.limits.of[RLIMIT_STACK].soft = MIB(2);
    EXPECT_EQ(map(top - PAGE_SIZE, 1, RW | AREA_GROWS_DOWN), 0);
    EXPECT_EQ(space_touch(&space, top - MIB(1), SPACE_WRITE), 0);
    EXPECT_EQ(space_touch(&space, top - MIB(2) - PAGE_SIZE, SPACE_WRITE), -EFAULT);
    EXPECT_EQ(map(top - MIB(2) - MIB(1) + PAGE_SIZE, 1, RW), 0); // too near for the rest
    EXPECT_EQ(space_touch(&space, top - MIB(2), SPACE_WRITE), -EFAULT);
    EXPECT_EQ(space_touch(&space, top - MIB(2) + 2 * PAGE_SIZE, SPACE_WRITE), 0);
    end_limits();
    EXPECT_SOUND(space_check(&space));
    space_destroy(&space);
}

TEST(space, what_a_source_never_gives_nobody_gets)
{
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    EXPECT_EQ(map(AT, 1, RW), 0);
    EXPECT_EQ(map(AT + PAGE_SIZE, 2, AREA_READ | AREA_NEVER_WRITE), 0);
    EXPECT_EQ(map(AT + 3 * PAGE_SIZE, 1, AREA_READ | AREA_NEVER_EXEC), 0);
    EXPECT_EQ(space_protect(&space, AT + PAGE_SIZE, PAGE_SIZE, RW), -EACCES);
    EXPECT_EQ(space_protect(&space, AT + PAGE_SIZE, PAGE_SIZE, AREA_EXEC), 0);
    EXPECT_EQ(space_protect(&space, AT + 3 * PAGE_SIZE, PAGE_SIZE, AREA_READ | AREA_EXEC), -EACCES);
    EXPECT_EQ(space_protect(&space, AT, 2 * PAGE_SIZE, AREA_WRITE), -EACCES); // what lies before has changed
    EXPECT_EQ(areas_find(&space.areas, AT)->flags, AREA_WRITE);
    EXPECT_EQ(space_touch(&space, AT + 2 * PAGE_SIZE, SPACE_WRITE), -EACCES);
    uint64_t moved;
    EXPECT_EQ(space_remap(&space, AT + 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, true, AT + MIB(1), &moved), 0);
    EXPECT_EQ(space_protect(&space, moved, PAGE_SIZE, RW), -EACCES);
    EXPECT_EQ(space_init(&child, &kernel_pages), 0);
    EXPECT_EQ(space_fork(&child, &space), 0);
    int in_child = space_protect(&child, moved, PAGE_SIZE, RW);
    EXPECT_SOUND(space_check(&space));
    space_destroy(&child);
    space_destroy(&space);
    EXPECT_EQ(in_child, -EACCES);
}

TEST(space, what_is_locked_moves)
{
    uint64_t moved;
    EXPECT_EQ(space_init(&space, &kernel_pages), 0);
    EXPECT_EQ(space_lock_all(&space, false, true, AREA_LOCKED, UINT64_MAX), 0);
    EXPECT_EQ(map(AT, 4, RW), 0);
    EXPECT_EQ(map(AT + 4 * PAGE_SIZE, 1, 0), 0); // in the way
    EXPECT_EQ(space_remap(&space, AT, 4 * PAGE_SIZE, 8 * PAGE_SIZE, true, 0, &moved), 0);
    EXPECT_EQ(space.areas.locked, 9 * PAGE_SIZE);
    EXPECT_EQ(space.resident, 8); // those that it has grown by, too
    EXPECT_SOUND(space_check(&space));
    space_destroy(&space);
}
