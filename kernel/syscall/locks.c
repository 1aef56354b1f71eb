#include "kernel/syscall/locks.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/lock.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"

#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u
#define LOCK_MAND 32u

struct user_flock {
    int16_t type, whence;
    int32_t padding;
    int64_t start, length;
    int32_t pid, padding_two;
};
static_assert(sizeof(struct user_flock) == 32, "struct flock of asm-generic/fcntl.h");

// As bytes from the beginning of the file: fcntl(2) on l_whence, l_start and l_len.
static int to_range(const struct file *file, const struct user_flock *user, struct file_lock *out)
{
    int64_t base = 0, start, end = INT64_MAX;
    if (user->whence == 1) {
        base = (int64_t)file->offset;
    } else if (user->whence == 2) {
        base = (int64_t)READ_ONCE(file->node->size);
    } else if (user->whence != 0) {
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, user->start, &start)) {
        return -EOVERFLOW;
    }
    if (start < 0) {
        return -EINVAL;
    }
    if (user->length > 0 && __builtin_add_overflow(start, user->length - 1, &end)) {
        return -EOVERFLOW;
    }
    if (user->length < 0) {
        end = start - 1;
        start += user->length;
        if (start < 0) {
            return -EINVAL;
        }
    }
    out->type = user->type;
    out->start = (uint64_t)start;
    out->end = end == INT64_MAX ? UINT64_MAX : (uint64_t)end;
    return 0;
}

static int64_t ask(struct file *file, const void *owner, struct user_flock *user, struct file_lock *lock, uint64_t to)
{
    if (lock->type == F_UNLCK) {
        return -EINVAL;
    }
    lock_get(file->node, owner, lock);
    user->type = (int16_t)lock->type;
    if (lock->type != F_UNLCK) {
        user->whence = 0;
        user->start = (int64_t)lock->start;
        user->length = lock->end == UINT64_MAX ? 0 : (int64_t)(lock->end - lock->start + 1);
        user->pid = lock->pid;
    }
    return copy_to_user(uaddr(to), user, sizeof(*user));
}

// The descriptor may have been closed meanwhile: then nobody would ever give the locks up.
static int check_open(struct process *process, uint64_t fd, const struct file *file, const void *owner)
{
    struct file *now;
    int error = fd_file(process->files, (uint32_t)fd, &now);
    bool same = error == 0 && now == file;
    if (error == 0) {
        file_put(now);
    }
    if (!same) {
        lock_drop_owner(file->node, owner);
    }
    return same ? 0 : -EBADF;
}

int64_t fcntl_lock(uint64_t fd, struct file *file, int command, uint64_t argument)
{
    struct user_flock user;
    bool open_file = command >= F_OFD_GETLK;
    int error = copy_from_user(&user, uaddr(argument), sizeof(user));
    if (error != 0) {
        return error;
    }
    if (file->node == NULL) {
        return -EINVAL;
    }
    if (user.type < F_RDLCK || user.type > F_UNLCK || (open_file && user.pid != 0)) {
        return -EINVAL;
    }
    struct process *process = process_current();
    const void *owner = open_file ? (const void *)file : process->files;
    struct file_lock lock = {.pid = open_file ? -1 : process->pid};
    error = to_range(file, &user, &lock);
    if (error != 0) {
        return error;
    }
    if (command == F_GETLK || command == F_OFD_GETLK) {
        return ask(file, owner, &user, &lock, argument);
    }
    if ((lock.type == F_RDLCK && !file_reads(file)) || (lock.type == F_WRLCK && !file_writes(file))) {
        return -EBADF;
    }
    error = lock_set(file->node, owner, false, &lock, command == F_SETLKW || command == F_OFD_SETLKW);
    return error != 0 || open_file || lock.type == F_UNLCK ? error : check_open(process, fd, file, owner);
}

int64_t sys_flock(const uint64_t arguments[6])
{
    uint32_t what = (uint32_t)arguments[1] & ~LOCK_NB;
    struct file *file;
    if ((what & LOCK_MAND) != 0) {
        return 0; // Linux once had such locks, and says yes to this day
    }
    if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN) {
        return -EINVAL;
    }
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    struct file_lock lock = {what == LOCK_SH ? F_RDLCK : what == LOCK_EX ? F_WRLCK : F_UNLCK, 0, UINT64_MAX, -1};
    if (file->node != NULL) { // nobody else can open what has no name: nothing to lock out
        error = lock_set(file->node, file, true, &lock, ((uint32_t)arguments[1] & LOCK_NB) == 0);
    }
    file_put(file);
    return error;
}
