// Address spaces: mmap(2) and its relatives.
#include "kernel/fs/mount.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/space.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"

#define MAP_TYPE_SHARED 1u
#define MAP_TYPE_PRIVATE 2u
#define MAP_TYPE 15u
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_GROWSDOWN 0x100u
#define MAP_FIXED_NOREPLACE 0x100000u
#define MAP_NORESERVE 0x4000u
#define MAP_POPULATE 0x8000u
#define MAP_LOCKED 0x2000u
#define MAP_HUGETLB 0x40000u
#define MAP_TYPE_VALIDATED 3u
#define MAP_VALIDATED 0x7c07f933u // what MAP_SHARED_VALIDATE takes: all of the above and those that say nothing
#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED 2u

static struct space *my_space(void)
{
    return process_current()->space;
}

int64_t sys_brk(const uint64_t arguments[6])
{
    return (int64_t)space_set_brk(my_space(), arguments[0]);
}

int64_t sys_munmap(const uint64_t arguments[6])
{
    return space_unmap(my_space(), arguments[0], arguments[1]);
}

static int map_shared(struct space_request *request, uint64_t *start)
{
    struct vnode *node;
    bool reserves = (request->flags & AREA_NORESERVE) == 0;
    if ((request->flags & AREA_GROWS_DOWN) != 0) { // a stack is nobody else's
        return -EINVAL;
    }
    if (request->size > SPACE_HIGH || (reserves && request->size / PAGE_SIZE > page_pool_total(&kernel_pages))) {
        return -ENOMEM;
    }
    int error = tmpfs_anonymous(credentials_current(), request->size, &node, &request->backing);
    if (error == 0) {
        request->flags |= AREA_SHARED;
        error = space_map(my_space(), request, start);
        vnode_put(node);
    }
    return error;
}

static bool file_may_run(const struct file *file)
{
    return file->node == NULL || (file->node->mount->flags & MOUNT_NO_EXEC) == 0;
}

static int map_file(uint32_t fd, struct space_request *request, uint64_t *start)
{
    struct file *file;
    int error = fd_file(process_current()->files, fd, &file);
    if (error != 0) {
        return error;
    }
    // What the file and its mount allow now they allow for as long as it is mapped, whatever mprotect(2) asks.
    bool shared = (request->flags & AREA_SHARED) != 0, programs = file_may_run(file);
    request->flags |= (shared && !file_writes(file) ? AREA_NEVER_WRITE : 0) | (programs ? 0 : AREA_NEVER_EXEC);
    if (!file_reads(file) || area_forbids(request->flags, request->flags & AREA_WRITE)) {
        error = -EACCES;
    } else if (area_forbids(request->flags, request->flags)) {
        error = -EPERM;
    } else if (file->ops->pages == NULL && !file->ops->zeroes) {
        error = -ENODEV;
    } else if ((request->flags & AREA_GROWS_DOWN) != 0) {
        error = -EINVAL; // below it would be other bytes of the file
    } else if (file->ops->zeroes) {
        request->offset = 0; // all of it is the same
        error = shared ? map_shared(request, start) : space_map(my_space(), request, start);
    } else {
        request->backing = file->ops->pages(file);
        error = space_map(my_space(), request, start);
    }
    file_put(file);
    return error;
}

static int map_anonymous(unsigned type, struct space_request *request, uint64_t *start)
{
    switch (type) {
    case MAP_TYPE_SHARED:
        return map_shared(request, start);
    case MAP_TYPE_PRIVATE:
        return space_map(my_space(), request, start);
    default:
        return -EINVAL;
    }
}

int64_t sys_mmap(const uint64_t arguments[6])
{
    unsigned flags = (unsigned)arguments[3], type = flags & MAP_TYPE;
    if (!is_aligned(arguments[5], PAGE_SIZE)) {
        return -EINVAL;
    }
    if ((flags & MAP_HUGETLB) != 0 && (flags & MAP_ANONYMOUS) != 0) {
        return -ENOMEM; // none are set aside
    }
    if ((flags & MAP_LOCKED) != 0 && space_limits().locked == 0) {
        return -EPERM;
    }
    struct space_request request = {
        .address = arguments[0],
        .size = arguments[1],
        .flags = ((unsigned)arguments[2] & AREA_RIGHTS) | ((flags & MAP_GROWSDOWN) != 0 ? AREA_GROWS_DOWN : 0) |
                 ((flags & MAP_LOCKED) != 0 ? AREA_LOCKED : 0) | ((flags & MAP_NORESERVE) != 0 ? AREA_NORESERVE : 0),
        .fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0,
        .replace = (flags & MAP_FIXED_NOREPLACE) == 0,
    };
    uint64_t start;
    int error;
    if ((flags & MAP_ANONYMOUS) != 0) {
        error = map_anonymous(type, &request, &start);
    } else if (type == 0 || type > MAP_TYPE_VALIDATED) {
        error = -EINVAL;
    } else if (type == MAP_TYPE_VALIDATED && (flags & ~MAP_VALIDATED) != 0) {
        error = -EOPNOTSUPP;
    } else if (arguments[5] > INT64_MAX || arguments[1] > INT64_MAX - arguments[5]) {
        error = arguments[1] == 0 ? -EINVAL : arguments[1] > SPACE_HIGH ? -ENOMEM : -EOVERFLOW;
    } else {
        request.offset = arguments[5];
        request.flags |= type != MAP_TYPE_PRIVATE ? AREA_SHARED : 0;
        error = map_file((uint32_t)arguments[4], &request, &start);
    }
    if (error == 0 && (flags & MAP_POPULATE) != 0) {
        space_populate_usually(my_space(), start, start + round_up(arguments[1], PAGE_SIZE));
    }
    return error != 0 ? error : (int64_t)start;
}

int64_t sys_mremap(const uint64_t arguments[6])
{
    bool may_move = (arguments[3] & MREMAP_MAYMOVE) != 0, fixed = (arguments[3] & MREMAP_FIXED) != 0;
    if (fixed && (!may_move || arguments[4] == 0)) {
        return -EINVAL;
    }
    uint64_t start;
    int error =
        space_remap(my_space(), arguments[0], arguments[1], arguments[2], may_move, fixed ? arguments[4] : 0, &start);
    return error != 0 ? error : (int64_t)start;
}

int64_t sys_mprotect(const uint64_t arguments[6])
{
    if (arguments[1] == 0) {
        return is_aligned(arguments[0], PAGE_SIZE) ? 0 : -EINVAL;
    }
    return space_protect(my_space(), arguments[0], arguments[1], (unsigned)arguments[2]);
}
