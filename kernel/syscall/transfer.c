// From one file to another without a detour through user space, and room in files. Source: the man pages, section 2.
#include "kernel/base/atomic.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/io.h"

#define CHUNK PAGE_SIZE
#define TRANSFER_MAX 0x7ffff000u
#define PARTS_MAX 1024u
#define SPLICE_F_NONBLOCK 2u
#define FALLOC_KEEP_SIZE 1u
#define FALLOC_PUNCH_HOLE 2u
#define FALLOC_ZERO_RANGE 16u

struct transfer {
    struct file *in, *out;          // references
    uint64_t in_offset, out_offset; // where, if not at the file's own offset
    bool in_given, out_given;
    void *buffer; // CHUNK
};

static int begin(struct transfer *transfer, uint64_t in, uint64_t out)
{
    struct fd_table *files = process_current()->files;
    int error = fd_file(files, (uint32_t)in, &transfer->in);
    error = error != 0 ? error : fd_file(files, (uint32_t)out, &transfer->out);
    return error != 0 ? error : kmalloc(CHUNK, &transfer->buffer);
}

static void end(struct transfer *transfer)
{
    kfree(transfer->buffer);
    file_put(transfer->in);
    file_put(transfer->out);
}

static int take_offset(uint64_t from, uint64_t *offset, bool *given)
{
    *given = from != 0;
    int error = from != 0 ? copy_from_user(offset, uaddr(from), sizeof(*offset)) : 0;
    return error != 0 ? error : from != 0 && (int64_t)*offset < 0 ? -EINVAL : 0;
}

static int give_offset(uint64_t to, const uint64_t *offset)
{
    return to != 0 ? copy_to_user(uaddr(to), offset, sizeof(*offset)) : 0;
}

// One chunk; what was read and could not be written goes back, as far as there is a way back.
static int64_t move_chunk(struct transfer *transfer, uint64_t size)
{
    struct io io = {.kernel = transfer->buffer, .left = size};
    int64_t got =
        transfer->in_given ? file_read_at(transfer->in, &io, transfer->in_offset) : file_read(transfer->in, &io);
    if (got <= 0) {
        return got;
    }
    io = (struct io){.kernel = transfer->buffer, .left = (uint64_t)got};
    int64_t put =
        transfer->out_given ? file_write_at(transfer->out, &io, transfer->out_offset) : file_write(transfer->out, &io);
    int64_t done = put > 0 ? put : 0;
    if (!transfer->in_given && done < got && !transfer->in->ops->stream) {
        (void)file_seek(transfer->in, done - got, 1);
    }
    transfer->in_offset += (uint64_t)done;
    transfer->out_offset += (uint64_t)done;
    if (put == -EPIPE) {
        signal_send(process_current(), &(struct signal_info){.signal = SIGPIPE});
    }
    return put;
}

// Ends with the first short chunk, and when a signal is to be looked at.
static int64_t move_all(struct transfer *transfer, uint64_t count)
{
    int64_t total = 0;
    count = min_u64(count, TRANSFER_MAX);
    while (count > 0) {
        uint64_t size = min_u64(count, CHUNK);
        int64_t done = move_chunk(transfer, size);
        if (done <= 0) {
            return total > 0 ? total : done;
        }
        total += done;
        count -= (uint64_t)done;
        if ((uint64_t)done < size || thread_interrupted()) {
            return total;
        }
    }
    return total;
}

static bool may_be_spliced(const struct transfer *transfer)
{
    const struct file_ops *in = transfer->in->ops, *out = transfer->out->ops;
    return (in == NULL || !in->no_splice_from) && (out == NULL || !out->no_splice_to);
}

int64_t sys_sendfile(const uint64_t arguments[6])
{
    struct transfer transfer = {.in = NULL};
    int64_t result = begin(&transfer, arguments[1], arguments[0]);
    result = result != 0 ? result : take_offset(arguments[2], &transfer.in_offset, &transfer.in_given);
    if (result == 0 && transfer.in->ops != NULL && transfer.in->ops->stream) {
        result = -EINVAL;
    }
    result = result == 0 && !may_be_spliced(&transfer) ? -EINVAL : result;
    if (result == 0) {
        result = move_all(&transfer, arguments[3]);
        int error = result >= 0 ? give_offset(arguments[2], &transfer.in_offset) : 0;
        result = error != 0 ? error : result;
    }
    end(&transfer);
    return result;
}

static int check_copy(const struct transfer *transfer, uint64_t count)
{
    const struct vnode *in = transfer->in->node, *out = transfer->out->node;
    if ((in != NULL && vnode_is(in, S_IFDIR)) || (out != NULL && vnode_is(out, S_IFDIR))) {
        return -EISDIR;
    }
    if (in == NULL || out == NULL || !vnode_is(in, S_IFREG) || !vnode_is(out, S_IFREG)) {
        return -EINVAL;
    }
    if (!file_reads(transfer->in) || !file_writes(transfer->out) || (transfer->out->flags & O_APPEND) != 0) {
        return -EBADF;
    }
    if (in->mount != out->mount) {
        return -EXDEV;
    }
    uint64_t size = READ_ONCE(in->size);
    count = min_u64(count, size > transfer->in_offset ? size - transfer->in_offset : 0);
    if (in == out && count > 0 && transfer->in_offset < transfer->out_offset + count &&
        transfer->out_offset < transfer->in_offset + count) {
        return -EINVAL; // onto itself
    }
    return 0;
}

int64_t sys_copy_file_range(const uint64_t arguments[6])
{
    struct transfer transfer = {.in = NULL};
    int64_t result = begin(&transfer, arguments[0], arguments[2]);
    result = result != 0 ? result : take_offset(arguments[1], &transfer.in_offset, &transfer.in_given);
    result = result != 0 ? result : take_offset(arguments[3], &transfer.out_offset, &transfer.out_given);
    if (result == 0) {
        struct transfer place = transfer;
        place.in_offset = transfer.in_given ? transfer.in_offset : transfer.in->offset;
        place.out_offset = transfer.out_given ? transfer.out_offset : transfer.out->offset;
        uint64_t count = min_u64(arguments[4], TRANSFER_MAX);
        result = check_copy(&place, count);
        result = result != 0 ? result : move_all(&transfer, count);
        int error = result > 0 ? give_offset(arguments[1], &transfer.in_offset) : 0;
        error = error == 0 && result > 0 ? give_offset(arguments[3], &transfer.out_offset) : error;
        result = error != 0 ? error : result;
    }
    end(&transfer);
    return result;
}

// --- pipes ---------------------------------------------------------------------------------------------------------

static int check_splice_offsets(const struct transfer *transfer, const uint64_t arguments[6])
{
    bool in = file_is_pipe(transfer->in), out = file_is_pipe(transfer->out);
    return (in && arguments[1] != 0) || (out && arguments[3] != 0) ? -ESPIPE : 0;
}

static int check_splice(const struct transfer *transfer)
{
    bool in = file_is_pipe(transfer->in), out = file_is_pipe(transfer->out);
    if (!in && !out) {
        return -EINVAL;
    }
    if (!file_reads(transfer->in) || !file_writes(transfer->out)) {
        return -EBADF;
    }
    if (in && out && transfer->in->data == transfer->out->data) {
        return -EINVAL;
    }
    return ((transfer->out->flags & O_APPEND) != 0 && !out) || !may_be_spliced(transfer) ? -EINVAL : 0;
}

static int64_t write_chunk(struct transfer *transfer, struct io *io)
{
    return transfer->out_given ? file_write_at(transfer->out, io, transfer->out_offset) : file_write(transfer->out, io);
}

// Out of a pipe: what has not arrived stays in it.
static int64_t splice_from_pipe(struct transfer *transfer, uint64_t size, bool nonblock)
{
    bool to_pipe = file_is_pipe(transfer->out);
    for (;;) {
        int64_t room = pipe_wait_readable(transfer->in, nonblock);
        room = room == 0 && to_pipe ? pipe_wait_room(transfer->out, nonblock, false) : room;
        if (room < 0) {
            return room;
        }
        struct io io = {.kernel = transfer->buffer, .left = to_pipe ? min_u64(size, (uint64_t)room) : size};
        int64_t got = pipe_take(transfer->in, &io, true);
        if (got == -EAGAIN && !nonblock) { // somebody was faster
            continue;
        }
        if (got <= 0) {
            return got;
        }
        io = (struct io){.kernel = transfer->buffer, .left = (uint64_t)got};
        int64_t put = to_pipe ? pipe_put(transfer->out, &io, false) : write_chunk(transfer, &io);
        pipe_taken(transfer->in, put > 0 ? (uint64_t)put : 0);
        if (put != -EAGAIN || nonblock || !to_pipe) {
            return put;
        }
    }
}

// Into a pipe: no more is read than there is room for, which others leave alone meanwhile.
static int64_t splice_to_pipe(struct transfer *transfer, uint64_t size, bool nonblock)
{
    int64_t room = pipe_wait_room(transfer->out, nonblock, true);
    if (room < 0) {
        return room;
    }
    struct io io = {.kernel = transfer->buffer, .left = min_u64(size, (uint64_t)room)};
    int64_t got =
        transfer->in_given ? file_read_at(transfer->in, &io, transfer->in_offset) : file_read(transfer->in, &io);
    io = (struct io){.kernel = transfer->buffer, .left = got > 0 ? (uint64_t)got : 0};
    int64_t put = pipe_put(transfer->out, &io, true), done = put > 0 ? put : 0;
    if (got > done && !transfer->in_given && !transfer->in->ops->stream) {
        (void)file_seek(transfer->in, done - got, 1);
    }
    return got > 0 ? put : got;
}

static int64_t splice_chunk(struct transfer *transfer, uint64_t size, bool nonblock)
{
    int64_t done = file_is_pipe(transfer->in) ? splice_from_pipe(transfer, size, nonblock)
                                              : splice_to_pipe(transfer, size, nonblock);
    transfer->in_offset += done > 0 ? (uint64_t)done : 0;
    transfer->out_offset += done > 0 ? (uint64_t)done : 0;
    return done;
}

static bool splice_never_sleeps(const struct transfer *transfer, uint64_t flags)
{
    bool in = file_is_pipe(transfer->in) && (transfer->in->flags & O_NONBLOCK) != 0;
    bool out = file_is_pipe(transfer->out) && (transfer->out->flags & O_NONBLOCK) != 0;
    return (flags & SPLICE_F_NONBLOCK) != 0 || in || out;
}

int64_t sys_splice(const uint64_t arguments[6])
{
    struct transfer transfer = {.in = NULL};
    if (arguments[4] == 0) {
        return 0;
    }
    int64_t result = begin(&transfer, arguments[0], arguments[2]);
    result = result != 0 ? result : check_splice_offsets(&transfer, arguments);
    result = result != 0 ? result : take_offset(arguments[1], &transfer.in_offset, &transfer.in_given);
    result = result != 0 ? result : take_offset(arguments[3], &transfer.out_offset, &transfer.out_given);
    result = result != 0 ? result : check_splice(&transfer);
    uint64_t left = min_u64(arguments[4], TRANSFER_MAX), total = 0;
    while (result == 0 && left > 0) {
        uint64_t size = min_u64(left, CHUNK);
        // What is there, and no more waiting once something has moved.
        int64_t done = splice_chunk(&transfer, size, total > 0 || splice_never_sleeps(&transfer, arguments[5]));
        result = done < 0 ? done : 0;
        if (done <= 0) {
            break;
        }
        total += (uint64_t)done;
        left -= (uint64_t)done;
        if ((uint64_t)done < size || thread_interrupted()) {
            break;
        }
    }
    if (result == -EPIPE) {
        signal_send(process_current(), &(struct signal_info){.signal = SIGPIPE});
    }
    result = total > 0 ? (int64_t)total : result;
    int error = result >= 0 ? give_offset(arguments[1], &transfer.in_offset) : 0;
    error = error == 0 && result >= 0 ? give_offset(arguments[3], &transfer.out_offset) : error;
    end(&transfer);
    return error != 0 ? error : result;
}

int64_t sys_tee(const uint64_t arguments[6])
{
    struct transfer transfer = {.in = NULL};
    if (arguments[2] == 0) {
        return 0;
    }
    int64_t result = begin(&transfer, arguments[0], arguments[1]);
    if (result == 0 &&
        (!file_is_pipe(transfer.in) || !file_is_pipe(transfer.out) || transfer.in->data == transfer.out->data)) {
        result = -EINVAL;
    }
    if (result == 0 && (!file_reads(transfer.in) || !file_writes(transfer.out))) {
        result = -EBADF;
    }
    if (result == 0) {
        result = pipe_wait_readable(transfer.in, ((uint32_t)arguments[3] & SPLICE_F_NONBLOCK) != 0);
    }
    uint64_t total = 0, wanted = min_u64(arguments[2], TRANSFER_MAX);
    while (result == 0 && total < wanted) {
        struct io io = {.kernel = transfer.buffer, .left = min_u64(wanted - total, CHUNK)};
        struct condition *changed;
        int64_t got = pipe_peek(transfer.in, &io, total);
        if (got <= 0 || (total > 0 && (transfer.out->ops->poll(transfer.out, &changed) & POLL_OUT) == 0)) {
            result = got < 0 ? got : 0;
            break;
        }
        io = (struct io){.kernel = transfer.buffer, .left = (uint64_t)got};
        int64_t put = file_write(transfer.out, &io);
        result = put < 0 ? put : 0;
        total += put > 0 ? (uint64_t)put : 0;
        if (thread_interrupted()) {
            break;
        }
    }
    end(&transfer);
    return total > 0 ? (int64_t)total : result;
}

// Into or out of a pipe, by which end it is: the bytes are copied either way.
int64_t sys_vmsplice(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    bool pipe = file_is_pipe(file), in = file_writes(file);
    file_put(file);
    return arguments[2] == 0          ? 0
           : !pipe                    ? -EBADF
           : arguments[2] > PARTS_MAX ? -EINVAL
           : in                       ? io_give_to_pipe(arguments)
                                      : sys_readv(arguments);
}

// --- room and advice -----------------------------------------------------------------------------------------------

static int64_t allocate(struct file *file, uint32_t mode, uint64_t offset, uint64_t size)
{
    struct vnode *node = file->node;
    uint64_t end = offset + size;
    if (!file_writes(file)) {
        return -EBADF;
    }
    if (node == NULL || !vnode_is(node, S_IFREG)) {
        return node == NULL || vnode_is(node, S_IFIFO) ? -ESPIPE : vnode_is(node, S_IFDIR) ? -EISDIR : -ENODEV;
    }
    if (end > INT64_MAX) {
        return -EFBIG;
    }
    if (node->ops->allocate == NULL) {
        return -EOPNOTSUPP;
    }
    return file_allocate(node, offset, size, (mode & FALLOC_PUNCH_HOLE) != 0, (mode & FALLOC_KEEP_SIZE) != 0);
}

int64_t sys_fallocate(const uint64_t arguments[6])
{
    uint32_t mode = (uint32_t)arguments[1];
    struct file *file;
    int64_t offset = (int64_t)arguments[2], size = (int64_t)arguments[3];
    if (offset < 0 || size <= 0) {
        return -EINVAL;
    }
    if (mode != 0 && mode != FALLOC_KEEP_SIZE && mode != (FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE)) {
        return -EOPNOTSUPP;
    }
    int64_t result = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (result == 0) {
        result = allocate(file, mode, (uint64_t)offset, (uint64_t)size);
        file_put(file);
    }
    return result;
}

// What asks a cache for something, where files are in memory anyway. The descriptor must be that of a file.
static int64_t advise(uint64_t fd, bool pipe_allowed)
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)fd, &file);
    if (error == 0) {
        error = file_is_pipe(file) && !pipe_allowed ? -ESPIPE : 0;
        file_put(file);
    }
    return error;
}

int64_t sys_fadvise64(const uint64_t arguments[6])
{
    int64_t result = advise(arguments[0], false);
    return result != 0 ? result : (int64_t)arguments[2] < 0 || (uint32_t)arguments[3] > 5 ? -EINVAL : 0;
}

int64_t sys_readahead(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error == 0) {
        bool wrong = (int64_t)arguments[2] < 0;
        error = !file_reads(file)                                               ? -EBADF
                : !wrong && file->node != NULL && vnode_is(file->node, S_IFREG) ? 0
                                                                                : -EINVAL;
        file_put(file);
    }
    return error;
}

int64_t sys_sync_file_range(const uint64_t arguments[6])
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)arguments[0], &file);
    if (error == 0) {
        bool stored = file->node != NULL && (vnode_is(file->node, S_IFREG) || vnode_is(file->node, S_IFDIR));
        bool bad = (int64_t)arguments[1] < 0 || (int64_t)arguments[2] < 0 || arguments[1] + arguments[2] > INT64_MAX;
        error = bad ? -EINVAL : stored ? 0 : -ESPIPE;
        file_put(file);
    }
    return error;
}

int64_t sys_syncfs(const uint64_t arguments[6])
{
    return advise(arguments[0], true);
}
