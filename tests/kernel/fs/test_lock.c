// Record locks: cut, joined, refused, dropped.
#include "kernel/fs/lock.h"

#include "kernel/debug/ktest.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"

static const char me, other;

static int set(struct vnode *node, const void *owner, int type, uint64_t start, uint64_t end)
{
    return lock_set(node, owner, false, &(struct file_lock){type, start, end, 1}, false);
}

// The first of my locks that another meets from start to end, as "start to end type".
static bool meets(struct vnode *node, uint64_t start, uint64_t end, int type, uint64_t first, uint64_t last)
{
    struct file_lock lock = {F_WRLCK, start, end, 1};
    lock_get(node, &other, &lock);
    return lock.type == type && (type == F_UNLCK || (lock.start == first && lock.end == last));
}

TEST(lock, ranges_are_cut_and_joined)
{
    struct vnode *node;
    struct backing *pages;
    uint64_t before = heap_used_objects(&kernel_heap);
    EXPECT_EQ(tmpfs_anonymous(&credentials_kernel, 0, &node, &pages), 0);
    EXPECT_EQ(set(node, &me, F_WRLCK, 10, 19), 0);
    EXPECT_EQ(set(node, &me, F_WRLCK, 20, 29), 0); // beside it: becomes one
    EXPECT(meets(node, 0, 100, F_WRLCK, 10, 29));
    EXPECT_EQ(set(node, &me, F_RDLCK, 15, 17), 0); // in its middle
    EXPECT(meets(node, 0, 14, F_WRLCK, 10, 14));
    EXPECT(meets(node, 15, 17, F_RDLCK, 15, 17));
    EXPECT(meets(node, 18, 100, F_WRLCK, 18, 29));
    EXPECT_EQ(set(node, &other, F_RDLCK, 16, 16), 0);
    EXPECT_EQ(set(node, &other, F_RDLCK, 14, 16), -EAGAIN);
    EXPECT_EQ(set(node, &me, F_WRLCK, 0, UINT64_MAX), -EAGAIN); // the other reads
    EXPECT(meets(node, 15, 15, F_RDLCK, 15, 17));               // and nothing has changed
    EXPECT_EQ(set(node, &other, F_UNLCK, 0, UINT64_MAX), 0);
    EXPECT_EQ(set(node, &me, F_WRLCK, 0, UINT64_MAX), 0);
    EXPECT(meets(node, 1000, 1000, F_WRLCK, 0, UINT64_MAX));
    EXPECT_EQ(set(node, &me, F_UNLCK, 5, 6), 0);
    EXPECT(meets(node, 5, 6, F_UNLCK, 0, 0));
    EXPECT(meets(node, 6, 7, F_WRLCK, 7, UINT64_MAX));
    lock_drop_owner(node, &me);
    EXPECT(meets(node, 0, UINT64_MAX, F_UNLCK, 0, 0));
    vnode_put(node);
    EXPECT_EQ(heap_used_objects(&kernel_heap), before);
}

TEST(lock, whole_files_know_nothing_of_records)
{
    struct vnode *node;
    struct backing *pages;
    const struct file_lock shared = {F_RDLCK, 0, UINT64_MAX, -1}, exclusive = {F_WRLCK, 0, UINT64_MAX, -1};
    EXPECT_EQ(tmpfs_anonymous(&credentials_kernel, 0, &node, &pages), 0);
    EXPECT_EQ(set(node, &me, F_WRLCK, 0, 10), 0);
    EXPECT_EQ(lock_set(node, &other, true, &exclusive, false), 0);
    EXPECT_EQ(lock_set(node, &me, true, &shared, false), -EAGAIN);
    EXPECT_EQ(lock_set(node, &other, true, &shared, false), 0);
    EXPECT_EQ(lock_set(node, &me, true, &shared, false), 0);
    EXPECT_EQ(lock_set(node, &me, true, &exclusive, false), -EAGAIN);
    lock_drop_owner(node, &other);
    lock_drop_owner(node, &me);
    vnode_put(node);
}
