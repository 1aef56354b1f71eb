// What programs say of their memory, and ask of it: msync(2), mlock(2), mincore(2), madvise(2), membarrier(2).
#include "kernel/base/atomic.h"
#include "kernel/mm/space.h"
#include "kernel/proc/process.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/bodies.h"

#define MS_ASYNC 1u
#define MS_SYNC 4u
#define MLOCK_ONFAULT 1u
#define MCL_CURRENT 1u
#define MCL_FUTURE 2u
#define MCL_ONFAULT 4u

static struct space *my_space(void)
{
    return process_current()->space;
}

int64_t sys_msync(const uint64_t arguments[6])
{
    unsigned flags = (unsigned)arguments[2];
    if (!is_aligned(arguments[0], PAGE_SIZE) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
        return -EINVAL;
    }
    int error = space_covered(my_space(), arguments[0], arguments[1]); // what is written is there at once
    return error == -EINVAL ? -ENOMEM : error;
}

// --- mlock ---------------------------------------------------------------------------------------------------------

#define LATER (AREA_LOCKED | AREA_LOCK_LATER)

// The whole pages of a range. -EINVAL: it wraps around.
static int whole_pages(uint64_t start, uint64_t size, uint64_t *first, uint64_t *bytes)
{
    uint64_t end = round_up(start + size, PAGE_SIZE);
    *first = round_down(start, PAGE_SIZE);
    *bytes = end - *first;
    return size <= SPACE_HIGH && end < *first ? -EINVAL : size > SPACE_HIGH ? -ENOMEM : 0;
}

static int lock(uint64_t start, uint64_t size, unsigned how)
{
    uint64_t limit = space_limits().locked, first, bytes;
    int error = limit == 0 ? -EPERM : whole_pages(start, size, &first, &bytes);
    if (error == 0) {
        error = space_lock(my_space(), first, bytes, how, limit);
    }
    return error == -EFAULT || error == -EACCES || error == -ENXIO ? -ENOMEM : error;
}

int64_t sys_mlock(const uint64_t arguments[6])
{
    return lock(arguments[0], arguments[1], AREA_LOCKED);
}

int64_t sys_mlock2(const uint64_t arguments[6])
{
    return lock(arguments[0], arguments[1], (arguments[2] & MLOCK_ONFAULT) != 0 ? LATER : AREA_LOCKED);
}

int64_t sys_munlock(const uint64_t arguments[6])
{
    uint64_t first, bytes;
    int error = whole_pages(arguments[0], arguments[1], &first, &bytes);
    return error != 0 ? error : space_unlock(my_space(), first, bytes);
}

int64_t sys_mlockall(const uint64_t arguments[6])
{
    unsigned flags = (unsigned)arguments[0], how = (flags & MCL_ONFAULT) != 0 ? LATER : AREA_LOCKED;
    if ((flags & (MCL_CURRENT | MCL_FUTURE)) == 0) {
        return -EINVAL;
    }
    uint64_t limit = space_limits().locked;
    bool now = (flags & MCL_CURRENT) != 0, future = (flags & MCL_FUTURE) != 0;
    return limit == 0 ? -EPERM : space_lock_all(my_space(), now, future, how, limit);
}

int64_t sys_munlockall(const uint64_t arguments[6])
{
    space_unlock_all(my_space());
    return 0;
}

// --- mincore -------------------------------------------------------------------------------------------------------

#define PART 512u

int64_t sys_mincore(const uint64_t arguments[6])
{
    uint64_t start = arguments[0], pages = (arguments[1] + PAGE_SIZE - 1) / PAGE_SIZE;
    uint8_t present[PART];
    if (!is_aligned(start, PAGE_SIZE)) {
        return -EINVAL;
    }
    if (!user_range_ok(uaddr(start), arguments[1])) {
        return -ENOMEM;
    }
    if (!user_range_ok(uaddr(arguments[2]), pages)) {
        return -EFAULT;
    }
    for (uint64_t done = 0; done < pages; done += PART) {
        uint64_t part = min_u64(pages - done, PART);
        int error = thread_killed() ? -EINTR : 0;
        error = error != 0 ? error : space_resident(my_space(), start + done * PAGE_SIZE, part, present);
        error = error != 0 ? error : copy_to_user(uaddr(arguments[2] + done), present, part);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// --- madvise -------------------------------------------------------------------------------------------------------

enum advice {
    MADV_NORMAL,
    MADV_RANDOM,
    MADV_SEQUENTIAL,
    MADV_WILLNEED,
    MADV_DONTNEED,
    MADV_FREE = 8,
    MADV_REMOVE,
    MADV_DONTFORK,
    MADV_DOFORK,
    MADV_MERGEABLE,
    MADV_UNMERGEABLE,
    MADV_HUGEPAGE,
    MADV_NOHUGEPAGE,
    MADV_DONTDUMP,
    MADV_DODUMP,
    MADV_WIPEONFORK,
    MADV_KEEPONFORK,
    MADV_COLD,
    MADV_PAGEOUT,
    MADV_POPULATE_READ,
    MADV_POPULATE_WRITE,
    MADV_DONTNEED_LOCKED,
};

static bool is_private_zeroes(const struct area *area)
{
    return area->backing == NULL && (area->flags & AREA_SHARED) == 0;
}

static bool is_not_locked(const struct area *area)
{
    return (area->flags & AREA_LOCKED) == 0;
}

static int64_t populate(uint64_t start, uint64_t size, bool write)
{
    int error = space_covered(my_space(), start, size);
    if (error == 0) {
        error = space_populate(my_space(), start, start + round_up(size, PAGE_SIZE), write);
    }
    return error == -EACCES ? -EINVAL : error == -ENXIO ? -EFAULT : error;
}

int64_t sys_madvise(const uint64_t arguments[6])
{
    struct space *space = my_space();
    uint64_t start = arguments[0], size = arguments[1], end;
    int advice = (int)arguments[2];
    bool known = (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) ||
                 (advice >= MADV_FREE && advice <= MADV_DONTNEED_LOCKED && advice != MADV_REMOVE);
    if (!known || !is_aligned(start, PAGE_SIZE) || !add_fits(start, round_up(size, PAGE_SIZE), &end) ||
        round_up(size, PAGE_SIZE) < size) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (end > SPACE_HIGH) {
        return -ENOMEM;
    }
    switch ((enum advice)advice) {
    case MADV_DONTNEED:
        return space_forget(space, start, size, false);
    case MADV_FREE:
        return space_forget(space, start, size, true);
    case MADV_DONTFORK:
        return space_advise(space, start, size, AREA_NOT_FORKED, 0, NULL);
    case MADV_DOFORK:
        return space_advise(space, start, size, 0, AREA_NOT_FORKED, NULL);
    case MADV_WIPEONFORK:
        return space_advise(space, start, size, AREA_WIPED, 0, is_private_zeroes);
    case MADV_KEEPONFORK:
        return space_advise(space, start, size, 0, AREA_WIPED, NULL);
    case MADV_COLD:
    case MADV_PAGEOUT:
        return space_advise(space, start, size, 0, 0, is_not_locked);
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return populate(start, size, advice == MADV_POPULATE_WRITE);
    default: // nothing to do, or nothing that could be seen
        return space_covered(space, start, size);
    }
}

// --- membarrier ----------------------------------------------------------------------------------------------------

#define QUERY 0u
#define GLOBAL 1u
#define GLOBAL_EXPEDITED 2u
#define REGISTER_GLOBAL_EXPEDITED 4u
#define PRIVATE_EXPEDITED 8u
#define REGISTER_PRIVATE_EXPEDITED 16u
#define PRIVATE_EXPEDITED_SYNC_CORE 32u
#define REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 64u
#define KNOWN 127u

int64_t sys_membarrier(const uint64_t arguments[6])
{
    struct space *space = my_space();
    unsigned command = (unsigned)arguments[0];
    if ((unsigned)arguments[1] != 0) {
        return -EINVAL;
    }
    switch (command) {
    case QUERY:
        return KNOWN;
    case REGISTER_GLOBAL_EXPEDITED:
        return 0; // every process takes part
    case REGISTER_PRIVATE_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        (void)atomic_or(&space->barriers, command);
        return 0;
    case PRIVATE_EXPEDITED:
    case PRIVATE_EXPEDITED_SYNC_CORE:
        if ((READ_ONCE(space->barriers) & command << 1) == 0) {
            return -EPERM;
        }
        sched_barrier();
        return 0;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
        sched_barrier();
        return 0;
    default:
        return -EINVAL;
    }
}
