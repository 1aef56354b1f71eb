// Contents: whole pages in a map, holes read as zeroes. No lock is held while user memory is copied, since that may
// fault on a page of this very file: a page that is in use cannot go away, because it is counted.
#include "kernel/fs/tmpfs_internal.h"

#include <hal/memory.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/user_page.h"
#include "kernel/sched/thread.h"

#define SIZE_MAX_BYTES (PAGE_MAP_LIMIT << PAGE_SHIFT)

static int make_page(struct tmpfs_node *node, uint64_t number, paddr_t *out)
{
    int error = tmpfs_take_pages(node->vnode.mount, 1);
    if (error != 0) {
        return error;
    }
    error = user_page_alloc_for_file(&kernel_pages, out);
    if (error == 0) {
        error = page_map_insert(&node->pages, number, *out);
        if (error != 0) {
            user_page_put(&kernel_pages, *out);
        }
    }
    if (error != 0) {
        tmpfs_give_pages(node->vnode.mount, 1);
    }
    return error;
}

// With the vnode's lock.
static void drop_pages(struct tmpfs_node *node, uint64_t first)
{
    uint64_t before = node->pages.count;
    page_map_truncate(&node->pages, first);
    tmpfs_give_pages(node->vnode.mount, before - node->pages.count);
}

// With the vnode's lock: the page, with a reference for the caller. make: a hole is filled. -ENOENT: a hole.
static int get_page(struct tmpfs_node *node, uint64_t number, bool make, paddr_t *out)
{
    int error = 0;
    if (!page_map_find(&node->pages, number, out)) {
        error = make ? make_page(node, number, out) : -ENOENT;
    }
    if (error == 0) {
        user_page_get(&kernel_pages, *out);
    }
    return error;
}

static int read_part(struct tmpfs_node *node, struct io *io, uint64_t at, uint64_t part)
{
    paddr_t page;
    mutex_lock(&node->vnode.lock);
    int error = get_page(node, at >> PAGE_SHIFT, false, &page);
    mutex_unlock(&node->vnode.lock);
    if (error == -ENOENT) {
        return io_give_zeroes(io, part);
    }
    error = io_give(io, (const char *)phys_to_virt(page) + (at & PAGE_MASK), part);
    user_page_put(&kernel_pages, page);
    return error;
}

static int64_t tmpfs_read(struct file *file, struct io *io, uint64_t offset)
{
    struct tmpfs_node *node = tmpfs_node(file->node);
    uint64_t size = READ_ONCE(node->vnode.size), done = 0;
    while (io->left > 0 && offset + done < size) {
        uint64_t at = offset + done;
        uint64_t part = min_u64(min_u64(io_run(io), size - at), PAGE_SIZE - (at & PAGE_MASK));
        int error = read_part(node, io, at, part);
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        done += part;
    }
    return (int64_t)done;
}

static int write_part(struct tmpfs_node *node, struct io *io, uint64_t at, uint64_t part)
{
    paddr_t page;
    mutex_lock(&node->vnode.lock);
    int error = get_page(node, at >> PAGE_SHIFT, true, &page);
    mutex_unlock(&node->vnode.lock);
    if (error != 0) {
        return error == -ENOMEM ? -ENOSPC : error;
    }
    error = io_take(io, (char *)phys_to_virt(page) + (at & PAGE_MASK), part);
    user_page_written(&kernel_pages, page);
    user_page_put(&kernel_pages, page);
    if (error == 0) {
        mutex_lock(&node->vnode.lock);
        WRITE_ONCE(node->vnode.size, max_u64(node->vnode.size, at + part));
        node->vnode.modified_ns = node->vnode.changed_ns = vnode_now();
        mutex_unlock(&node->vnode.lock);
    }
    return error;
}

static int64_t tmpfs_write(struct file *file, struct io *io, uint64_t offset)
{
    struct tmpfs_node *node = tmpfs_node(file->node);
    uint64_t done = 0, end;
    if (io->left == 0) {
        return 0;
    }
    if (!add_fits(offset, io->left, &end) || end > SIZE_MAX_BYTES) {
        return -EFBIG;
    }
    while (io->left > 0) {
        uint64_t at = offset + done, part = min_u64(io_run(io), PAGE_SIZE - (at & PAGE_MASK));
        int error = write_part(node, io, at, part);
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        done += part;
    }
    return (int64_t)done;
}

static struct backing *tmpfs_pages(struct file *file)
{
    return &tmpfs_node(file->node)->backing;
}

const struct file_ops tmpfs_file_ops = {.read = tmpfs_read, .write = tmpfs_write, .pages = tmpfs_pages};
const struct file_ops tmpfs_directory_ops = {.read = NULL};

// --- as a source of pages ------------------------------------------------------------------------------------------

static struct tmpfs_node *node_of(struct backing *backing)
{
    return container_of(backing, struct tmpfs_node, backing);
}

static int backing_page(struct backing *backing, uint64_t offset, paddr_t *out)
{
    struct tmpfs_node *node = node_of(backing);
    mutex_lock(&node->vnode.lock);
    int error = offset < node->vnode.size ? get_page(node, offset >> PAGE_SHIFT, true, out) : -ENXIO;
    error = error == -ENOSPC ? -ENXIO : error; // the limit of its mount: SIGBUS, where no process is in the way
    mutex_unlock(&node->vnode.lock);
    return error;
}

static void backing_reference(struct backing *backing)
{
    vnode_get(&node_of(backing)->vnode);
}

static void backing_release(struct backing *backing)
{
    vnode_put(&node_of(backing)->vnode);
}

static struct vnode *backing_node(struct backing *backing)
{
    return &node_of(backing)->vnode;
}

const struct backing_ops tmpfs_backing_ops = {backing_page, backing_reference, backing_release, backing_node};

// --- truncate ------------------------------------------------------------------------------------------------------

int tmpfs_may_write(struct vnode *vnode)
{
    return READ_ONCE(tmpfs_node(vnode)->backing.running) > 0 ? -ETXTBSY : 0;
}

int tmpfs_truncate(struct vnode *vnode, uint64_t size)
{
    struct tmpfs_node *node = tmpfs_node(vnode);
    int error = size > SIZE_MAX_BYTES ? -EFBIG : tmpfs_may_write(vnode);
    if (error != 0) {
        return error;
    }
    mutex_lock(&vnode->lock);
    bool shrinks = size < vnode->size;
    if (shrinks) {
        drop_pages(node, (size + PAGE_SIZE - 1) >> PAGE_SHIFT);
        paddr_t last;
        if ((size & PAGE_MASK) != 0 && page_map_find(&node->pages, size >> PAGE_SHIFT, &last)) {
            __builtin_memset((char *)phys_to_virt(last) + (size & PAGE_MASK), 0, PAGE_SIZE - (size & PAGE_MASK));
        }
    }
    WRITE_ONCE(vnode->size, size);
    vnode->modified_ns = vnode->changed_ns = vnode_now();
    mutex_unlock(&vnode->lock);
    if (shrinks) {
        backing_truncated(&node->backing, size);
    }
    return 0;
}

// --- fallocate -----------------------------------------------------------------------------------------------------

// By the pages that there are: a range may be as large as a file can be.
static int punch(struct tmpfs_node *node, uint64_t offset, uint64_t end)
{
    int error = 0;
    for (uint64_t at = offset; at < end && error == 0; at = round_down(at, PAGE_SIZE) + PAGE_SIZE) {
        uint64_t number = at >> PAGE_SHIFT;
        paddr_t page;
        mutex_lock(&node->vnode.lock);
        bool found = page_map_next(&node->pages, &number, &page) && number << PAGE_SHIFT < end;
        at = found ? max_u64(at, number << PAGE_SHIFT) : end;
        if (found) {
            uint64_t from = at & PAGE_MASK, to = min_u64(end - round_down(at, PAGE_SIZE), PAGE_SIZE);
            __builtin_memset((char *)phys_to_virt(page) + from, 0, to - from);
            user_page_written(&kernel_pages, page);
        }
        mutex_unlock(&node->vnode.lock);
        error = thread_killed() ? -EINTR : 0;
    }
    return error;
}

// What is in the way of so many pages, before the first is taken.
static int has_room(const struct tmpfs_node *node, uint64_t count)
{
    const struct tmpfs_use *use = tmpfs_use(node->vnode.mount);
    uint64_t most = READ_ONCE(use->limits.pages_max);
    bool much = most != 0 && count > most; // some may be there already
    return much || count + 2 > page_pool_free_pages(&kernel_pages) ? -ENOSPC : 0;
}

static int fill(struct tmpfs_node *node, uint64_t number)
{
    paddr_t page;
    mutex_lock(&node->vnode.lock);
    int error = thread_killed() ? -EINTR : get_page(node, number, true, &page);
    mutex_unlock(&node->vnode.lock);
    if (error == 0) {
        user_page_put(&kernel_pages, page);
    }
    return error == -ENOMEM ? -ENOSPC : error;
}

int tmpfs_allocate(struct vnode *vnode, uint64_t offset, uint64_t size, bool hole)
{
    struct tmpfs_node *node = tmpfs_node(vnode);
    uint64_t end = offset + size; // the caller has seen that it fits
    if (hole) {
        return punch(node, offset, min_u64(end, round_up(READ_ONCE(vnode->size), PAGE_SIZE)));
    }
    if (end > SIZE_MAX_BYTES) {
        return -EFBIG;
    }
    int error = has_room(node, (size >> PAGE_SHIFT) + ((size & PAGE_MASK) != 0));
    for (uint64_t at = offset; at < end && error == 0; at = round_down(at, PAGE_SIZE) + PAGE_SIZE) {
        error = fill(node, at >> PAGE_SHIFT);
    }
    if (error != 0) { // what lies behind the end is nobody's
        mutex_lock(&vnode->lock);
        drop_pages(node, (vnode->size + PAGE_SIZE - 1) >> PAGE_SHIFT);
        mutex_unlock(&vnode->lock);
    }
    return error;
}
