// Reading, writing and descriptors.
#include "kernel/syscall/io.h"
#include "kernel/base/atomic.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/task.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/locks.h"

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define FD_CLOEXEC 1u
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT)

#define TRANSFER_MAX 0x7ffff000u // bytes in one call, as on Linux
#define PARTS_FAST 8u            // that need no memory
#define PARTS_MAX 1024u
#define RWF_HIPRI 1u
#define RWF_DSYNC 2u
#define RWF_SYNC 4u
#define RWF_APPEND 16u

typedef int64_t transfer(struct file *file, struct io *io, uint64_t offset);

static int64_t read_here(struct file *file, struct io *io, uint64_t offset)
{
    return file_read(file, io);
}

static int64_t told(int64_t done) // a write
{
    if (done == -EPIPE) {
        signal_send_task(task_current(), &(struct signal_info){.signal = SIGPIPE});
    }
    return done;
}

static int64_t write_here(struct file *file, struct io *io, uint64_t offset)
{
    return told(file_write(file, io));
}

static int64_t append(struct file *file, struct io *io, uint64_t offset)
{
    return (int64_t)offset == -1 ? told(file_append(file, io)) : file_append_at(file, io, offset);
}

static struct fd_table *my_files(void)
{
    return process_current()->files;
}

static int64_t move(transfer *how, uint64_t fd, uint64_t address, uint64_t size, uint64_t offset)
{
    struct file *file;
    int error = fd_file(my_files(), (uint32_t)fd, &file);
    if (error != 0) {
        return error;
    }
    struct io io = {.user = uaddr(address), .left = min_u64(size, TRANSFER_MAX)};
    int64_t done = how(file, &io, offset);
    file_put(file);
    return done;
}

// All parts are looked at before the first byte moves. *total: at most TRANSFER_MAX.
static int take_parts(struct io_part *parts, uint64_t from, uint64_t count, uint64_t *total)
{
    int error = copy_from_user(parts, uaddr(from), count * sizeof(*parts));
    *total = 0;
    for (uint64_t i = 0; i < count && error == 0; i++) {
        if (parts[i].length > INT64_MAX) {
            error = -EINVAL;
        } else if (!user_range_ok(uaddr(parts[i].base), parts[i].length)) {
            error = -EFAULT;
        }
        parts[i].length = min_u64(parts[i].length, TRANSFER_MAX - *total);
        *total += parts[i].length;
    }
    return error;
}

static int64_t move_vector(transfer *how, uint64_t fd, uint64_t from, uint64_t count, uint64_t offset)
{
    struct io_part fast[PARTS_FAST], *parts = fast;
    struct file *file;
    void *memory;
    int64_t result = fd_file(my_files(), (uint32_t)fd, &file);
    if (result != 0) {
        return result;
    }
    result = count > PARTS_MAX ? -EINVAL : count > PARTS_FAST ? kmalloc(count * sizeof(*parts), &memory) : 0;
    if (result == 0) {
        struct io io = {.part_left = 0};
        parts = count > PARTS_FAST ? memory : fast;
        result = take_parts(parts, from, count, &io.left);
        io.parts = parts;
        result = result != 0 ? result : how(file, &io, offset);
    }
    if (parts != fast) {
        kfree(parts);
    }
    file_put(file);
    return result;
}

#define SPLICE_F_NONBLOCK 2u

// As much as there is room for, which is waited for.
static int64_t give_to_pipe(struct file *file, struct io *io, uint64_t flags)
{
    int64_t room = pipe_wait_room(file, (flags & SPLICE_F_NONBLOCK) != 0, true);
    return told(room < 0 ? room : pipe_put(file, io, true));
}

int64_t io_give_to_pipe(const uint64_t arguments[6])
{
    return move_vector(give_to_pipe, arguments[0], arguments[1], arguments[2], (uint32_t)arguments[3]);
}

int64_t sys_read(const uint64_t arguments[6])
{
    return move(read_here, arguments[0], arguments[1], arguments[2], 0);
}

int64_t sys_write(const uint64_t arguments[6])
{
    return move(write_here, arguments[0], arguments[1], arguments[2], 0);
}

int64_t sys_pread64(const uint64_t arguments[6])
{
    return move(file_read_at, arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t sys_pwrite64(const uint64_t arguments[6])
{
    return move(file_write_at, arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t sys_readv(const uint64_t arguments[6])
{
    return move_vector(read_here, arguments[0], arguments[1], arguments[2], 0);
}

int64_t sys_writev(const uint64_t arguments[6])
{
    return move_vector(write_here, arguments[0], arguments[1], arguments[2], 0);
}

int64_t sys_preadv(const uint64_t arguments[6])
{
    return move_vector(file_read_at, arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t sys_pwritev(const uint64_t arguments[6])
{
    return move_vector(file_write_at, arguments[0], arguments[1], arguments[2], arguments[3]);
}

// Offset -1: the file's own.
static int64_t check_v2(const uint64_t arguments[6], uint32_t known)
{
    int64_t offset = (int64_t)arguments[3];
    return ((uint32_t)arguments[5] & ~known) != 0 ? -EOPNOTSUPP : offset < -1 ? -EINVAL : 0;
}

int64_t sys_preadv2(const uint64_t arguments[6])
{
    int64_t error = check_v2(arguments, RWF_HIPRI | RWF_DSYNC | RWF_SYNC);
    transfer *how = (int64_t)arguments[3] == -1 ? read_here : file_read_at;
    return error != 0 ? error : move_vector(how, arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t sys_pwritev2(const uint64_t arguments[6])
{
    int64_t error = check_v2(arguments, RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND);
    transfer *how = ((uint32_t)arguments[5] & RWF_APPEND) != 0 ? append
                    : (int64_t)arguments[3] == -1              ? write_here
                                                               : file_write_at;
    return error != 0 ? error : move_vector(how, arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t sys_lseek(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    int64_t at = file_seek(file, (int64_t)arguments[1], (unsigned)arguments[2]);
    file_put(file);
    return at;
}

int64_t sys_close(const uint64_t arguments[6])
{
    return fd_close(my_files(), (uint32_t)arguments[0]);
}

static int64_t duplicate(uint64_t fd, uint64_t first, bool close_on_exec)
{
    struct file *file;
    int error = fd_file_or_place(my_files(), (uint32_t)fd, &file);
    return error != 0 ? error : fd_install(my_files(), file, (uint32_t)first, close_on_exec);
}

int64_t sys_dup(const uint64_t arguments[6])
{
    return duplicate(arguments[0], 0, false);
}

int64_t sys_dup3(const uint64_t arguments[6])
{
    struct file *file;
    if ((uint32_t)arguments[0] == (uint32_t)arguments[1]) {
        return -EINVAL;
    }
    int error = fd_file_or_place(my_files(), (uint32_t)arguments[0], &file);
    return error != 0 ? error : fd_replace(my_files(), file, (uint32_t)arguments[1], (arguments[2] & O_CLOEXEC) != 0);
}

static int64_t descriptor_flags(uint64_t fd, const uint64_t *set)
{
    bool value = set != NULL && (*set & FD_CLOEXEC) != 0, found;
    int error = fd_flags(my_files(), (uint32_t)fd, set != NULL ? &value : NULL, &found);
    return error != 0 ? error : set != NULL ? 0 : found;
}

static int64_t file_flags(uint64_t fd, const uint64_t *set)
{
    struct file *file;
    int error =
        set == NULL ? fd_file_or_place(my_files(), (uint32_t)fd, &file) : fd_file(my_files(), (uint32_t)fd, &file);
    if (error != 0) {
        return error;
    }
    mutex_lock(&file->lock);
    if (set != NULL) {
        WRITE_ONCE(file->flags, (file->flags & ~SETTABLE) | ((uint32_t)*set & SETTABLE));
    }
    int64_t flags = set != NULL ? 0 : (int64_t)file->flags;
    mutex_unlock(&file->lock);
    file_put(file);
    return flags;
}

static int64_t fcntl_on_file(const uint64_t arguments[6])
{
    struct file *file;
    int64_t result = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (result != 0) {
        return result;
    }
    switch ((int32_t)arguments[1]) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        result = fcntl_lock(arguments[0], file, (int)arguments[1], arguments[2]);
        break;
    case F_GETPIPE_SZ:
        result = file_is_pipe(file) ? (int64_t)pipe_capacity(file) : -EBADF;
        break;
    case F_SETPIPE_SZ:
        result = file_is_pipe(file) ? pipe_set_capacity(file, (uint32_t)arguments[2]) : -EBADF;
        break;
    default:
        result = -EINVAL;
    }
    file_put(file);
    return result;
}

int64_t sys_fcntl(const uint64_t arguments[6])
{
    switch ((int32_t)arguments[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if ((uint32_t)arguments[2] >= fd_limit()) {
            return -EINVAL;
        }
        return duplicate(arguments[0], arguments[2], (int32_t)arguments[1] == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return descriptor_flags(arguments[0], NULL);
    case F_SETFD:
        return descriptor_flags(arguments[0], &arguments[2]);
    case F_GETFL:
        return file_flags(arguments[0], NULL);
    case F_SETFL:
        return file_flags(arguments[0], &arguments[2]);
    default:
        return fcntl_on_file(arguments);
    }
}

#define FIONREAD 0x541bu
#define FIONBIO 0x5421u

// What any file can be asked; -ENOTTY: not this.
static int64_t control_any(struct file *file, unsigned request, uint64_t argument)
{
    int32_t value;
    int error;
    switch (request) {
    case FIONBIO:
        error = copy_from_user(&value, uaddr(argument), sizeof(value));
        if (error == 0) {
            mutex_lock(&file->lock);
            WRITE_ONCE(file->flags, value != 0 ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK);
            mutex_unlock(&file->lock);
        }
        return error;
    case FIONREAD:
        if (file->node == NULL || !vnode_is(file->node, S_IFREG)) {
            return -ENOTTY;
        }
        value = (int32_t)(READ_ONCE(file->node->size) - READ_ONCE(file->offset));
        return copy_to_user(uaddr(argument), &value, sizeof(value));
    default:
        return -ENOTTY;
    }
}

int64_t sys_ioctl(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    int64_t result = control_any(file, (unsigned)arguments[1], arguments[2]);
    if (result == -ENOTTY && file->ops != NULL && file->ops->ioctl != NULL) {
        result = file->ops->ioctl(file, (unsigned)arguments[1], arguments[2]);
    }
    file_put(file);
    return result;
}

int64_t sys_pipe2(const uint64_t arguments[6])
{
    struct file *reader, *writer;
    uint32_t flags = (uint32_t)arguments[1];
    int error = pipe_create(flags, &reader, &writer);
    if (error != 0) {
        return error;
    }
    bool close_on_exec = (flags & O_CLOEXEC) != 0;
    int32_t fds[2] = {fd_install(my_files(), reader, 0, close_on_exec), 0};
    if (fds[0] < 0) {
        file_put(writer);
        return fds[0];
    }
    fds[1] = fd_install(my_files(), writer, 0, close_on_exec);
    error = fds[1] < 0 ? fds[1] : copy_to_user(uaddr(arguments[0]), fds, sizeof(fds));
    for (unsigned i = 0; i < 2 && error != 0; i++) {
        int ignored = fds[i] >= 0 ? fd_close(my_files(), (uint32_t)fds[i]) : 0;
        (void)ignored; // another thread may have been faster
    }
    return error;
}
