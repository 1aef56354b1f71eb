// Reading, writing and descriptors.
#include "kernel/fs/pipe.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"

#define IOV_SIZE 16u
#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC 1u
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT)

typedef int64_t transfer(struct file *file, struct io *io, uint64_t offset);

static int64_t read_here(struct file *file, struct io *io, uint64_t offset)
{
    return file_read(file, io);
}

static int64_t write_here(struct file *file, struct io *io, uint64_t offset)
{
    int64_t done = file_write(file, io);
    if (done == -EPIPE) {
        signal_send(process_current(), &(struct signal_info){.signal = SIGPIPE});
    }
    return done;
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
    struct io io = {.user = uaddr(address), .left = size};
    int64_t done = how(file, &io, offset);
    file_put(file);
    return done;
}

static int64_t move_vector(transfer *how, const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    int64_t total = 0;
    for (uint64_t i = 0; error == 0 && i < arguments[2]; i++) {
        struct {
            uint64_t base, length;
        } part;
        error = copy_from_user(&part, uaddr(arguments[1] + i * IOV_SIZE), sizeof(part));
        if (error == 0 && (part.length > INT64_MAX || !user_range_ok(uaddr(part.base), part.length))) {
            error = part.length > INT64_MAX ? -EINVAL : -EFAULT;
        }
        if (error != 0) {
            break;
        }
        struct io io = {.user = uaddr(part.base), .left = part.length};
        int64_t done = how(file, &io, 0);
        error = done < 0 ? (int)done : 0;
        total += done > 0 ? done : 0;
        if (done < 0 || (uint64_t)done < part.length) {
            break;
        }
    }
    file_put(file);
    return total > 0 ? total : error;
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
    return move_vector(read_here, arguments);
}

int64_t sys_writev(const uint64_t arguments[6])
{
    return move_vector(write_here, arguments);
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
    int error = fd_file(my_files(), (uint32_t)fd, &file);
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
    int error = fd_file(my_files(), (uint32_t)arguments[0], &file);
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
    int error = fd_file(my_files(), (uint32_t)fd, &file);
    if (error != 0) {
        return error;
    }
    mutex_lock(&file->lock);
    if (set != NULL) {
        file->flags = (file->flags & ~SETTABLE) | ((uint32_t)*set & SETTABLE);
    }
    int64_t flags = set != NULL ? 0 : (int64_t)file->flags;
    mutex_unlock(&file->lock);
    file_put(file);
    return flags;
}

int64_t sys_fcntl(const uint64_t arguments[6])
{
    switch ((int32_t)arguments[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        if ((uint32_t)arguments[2] >= my_files()->limit) {
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
        return -EINVAL;
    }
}

int64_t sys_ioctl(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    int64_t result = file->ops != NULL && file->ops->ioctl != NULL
                         ? file->ops->ioctl(file, (unsigned)arguments[1], arguments[2])
                         : -ENOTTY;
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

#define SENDFILE_CHUNK PAGE_SIZE

static int64_t send(struct file *out, struct file *in, uint64_t *offset, uint64_t count, char *buffer)
{
    int64_t total = 0;
    while (count > 0) {
        struct io io = {.kernel = buffer, .left = min_u64(count, SENDFILE_CHUNK)};
        int64_t got = offset != NULL ? file_read_at(in, &io, *offset) : file_read(in, &io);
        if (got <= 0) {
            return total > 0 ? total : got;
        }
        io = (struct io){.kernel = buffer, .left = (uint64_t)got};
        int64_t put = file_write(out, &io);
        if (put <= 0) {
            return total > 0 ? total : put;
        }
        if (offset != NULL) {
            *offset += (uint64_t)put;
        }
        total += put;
        count -= (uint64_t)put;
        if (put < got) {
            return total;
        }
    }
    return total;
}

static int64_t send_buffered(const uint64_t arguments[6], struct file *out, struct file *in)
{
    uint64_t offset;
    void *buffer;
    int64_t result = arguments[2] != 0 ? copy_from_user(&offset, uaddr(arguments[2]), sizeof(offset)) : 0;
    result = result != 0 ? result : kmalloc(SENDFILE_CHUNK, &buffer);
    if (result != 0) {
        return result;
    }
    result = send(out, in, arguments[2] != 0 ? &offset : NULL, arguments[3], buffer);
    kfree(buffer);
    int error = result >= 0 && arguments[2] != 0 ? copy_to_user(uaddr(arguments[2]), &offset, sizeof(offset)) : 0;
    return error != 0 ? error : result;
}

int64_t sys_sendfile(const uint64_t arguments[6])
{
    struct file *out, *in;
    int error = fd_file(my_files(), (uint32_t)arguments[0], &out);
    if (error != 0) {
        return error;
    }
    error = fd_file(my_files(), (uint32_t)arguments[1], &in);
    if (error != 0) {
        file_put(out);
        return error;
    }
    int64_t result = in->ops != NULL && in->ops->stream ? -EINVAL : send_buffered(arguments, out, in);
    file_put(in);
    file_put(out);
    return result;
}
