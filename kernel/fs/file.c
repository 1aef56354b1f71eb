#include "kernel/fs/file.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/fs/lock.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/sched/thread.h"

static int move_piece(struct io *io, void *at, uint64_t size, bool give)
{
    int error = thread_killed() ? -EINTR : 0; // nobody is left to use it, however much it would be
    if (error != 0) {
        return error;
    }
    if (io->kernel != NULL) {
        __builtin_memcpy(give ? io->kernel : at, give ? at : io->kernel, size);
        io->kernel += size;
    } else {
        error = give ? copy_to_user(io->user, at, size) : copy_from_user(at, io->user, size);
    }
    if (error == 0) {
        io->user.raw += size;
        io->left -= size;
    }
    return error;
}

uint64_t io_run(struct io *io)
{
    if (io->parts == NULL) {
        return io->left;
    }
    while (io->left > 0 && io->part_left == 0) {
        io->user = uaddr(io->parts->base);
        io->part_left = io->parts->length;
        io->parts++;
    }
    return min_u64(io->part_left, io->left); // RLIMIT_FSIZE may leave less than the parts have
}

static int move_parts(struct io *io, char *at, uint64_t size, bool give)
{
    const struct io before = *io;
    for (uint64_t done = 0, piece; done < size; done += piece) {
        piece = min_u64(io_run(io), size - done);
        int error = move_piece(io, at + done, piece, give);
        if (error != 0) {
            *io = before;
            return error;
        }
        io->part_left -= piece;
    }
    return 0;
}

int io_give(struct io *io, const void *from, uint64_t size)
{
    return io->parts == NULL ? move_piece(io, (void *)from, size, true) : move_parts(io, (void *)from, size, true);
}

int io_take(struct io *io, void *to, uint64_t size)
{
    return io->parts == NULL ? move_piece(io, to, size, false) : move_parts(io, to, size, false);
}

int io_give_zeroes(struct io *io, uint64_t size)
{
    static const char zeroes[256];
    int error = 0;
    for (uint64_t done = 0; done < size && error == 0; done += sizeof(zeroes)) {
        error = io_give(io, zeroes, min_u64(size - done, sizeof(zeroes)));
    }
    return error;
}

static uint64_t count;
uint64_t file_count_max;

uint64_t file_count(void)
{
    return READ_ONCE(count);
}

// A tenth of the memory by a KiB each, as on Linux.
static bool one_more(void)
{
    if (READ_ONCE(file_count_max) == 0) {
        WRITE_ONCE(file_count_max, max_u64(page_pool_total(&kernel_pages) * (PAGE_SIZE / 1024) / 10, 8192));
    }
    bool fits = atomic_add(&count, 1) < READ_ONCE(file_count_max) || capable(CAP_SYS_ADMIN);
    if (!fits) {
        (void)atomic_add(&count, -1ul);
    }
    return fits;
}

int file_create(const struct file_ops *ops, struct vnode *node, uint32_t flags, struct file **out)
{
    void *memory;
    if (!one_more()) {
        return -ENFILE;
    }
    int error = kmalloc(sizeof(struct file), &memory);
    if (error != 0) {
        (void)atomic_add(&count, -1ul);
    }
    if (error == 0) {
        struct file *file = memory;
        *file = (struct file){.ops = ops, .node = node, .references = 1, .flags = flags};
        mutex_init(&file->lock, "file");
        vnode_get(node);
        *out = file;
    }
    return error;
}

void (*file_forget)(struct file *file);

void file_get(struct file *file)
{
    uint32_t before = atomic_add(&file->references, 1);
    ASSERT(before > 0);
}

void file_put(struct file *file)
{
    if (file == NULL || __atomic_fetch_sub(&file->references, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    if (load_acquire(&file->watches) != NULL) {
        READ_ONCE(file_forget)(file);
    }
    if (file->node != NULL) {
        lock_drop_owner(file->node, file);
    }
    if (file->ops != NULL && file->ops->release != NULL) {
        file->ops->release(file);
    }
    if (file->counted && file->node != NULL) {
        mount_end_writing(file->node->mount);
    }
    vnode_put(file->node);
    kfree(file);
    (void)atomic_add(&count, -1ul);
}

// --- open ----------------------------------------------------------------------------------------------------------

static unsigned wanted_access(uint32_t flags)
{
    static const unsigned wanted[] = {ACCESS_READ, ACCESS_WRITE, ACCESS_READ | ACCESS_WRITE,
                                      ACCESS_READ | ACCESS_WRITE}; // 3: to look at, for who could do both
    return (flags & O_PATH) != 0 ? 0 : wanted[flags & O_ACCMODE] | ((flags & O_TRUNC) != 0 ? ACCESS_WRITE : 0);
}

static int check_kind(const struct vnode *node, uint32_t flags)
{
    bool writes = (wanted_access(flags) & ACCESS_WRITE) != 0;
    if (vnode_is(node, S_IFDIR)) {
        return (writes || (flags & O_CREAT) != 0) && (flags & O_PATH) == 0 ? -EISDIR : 0;
    }
    if ((flags & O_DIRECTORY) != 0) {
        return -ENOTDIR;
    }
    bool device = vnode_is(node, S_IFCHR) || vnode_is(node, S_IFBLK);
    if (device && (flags & O_PATH) == 0 && (READ_ONCE(node->mount->flags) & MOUNT_NO_DEVICES) != 0) {
        return -EACCES;
    }
    if (vnode_is(node, S_IFLNK) && (flags & O_PATH) == 0) {
        return -ELOOP; // O_NOFOLLOW
    }
    return vnode_is(node, S_IFSOCK) && (flags & O_PATH) == 0 ? -ENXIO : 0;
}

static int make(const struct path_start *start, struct path_end *end, uint32_t mode)
{
    int error = vnode_access(end->directory, start->as, ACCESS_WRITE | ACCESS_EXEC);
    if (error == 0 && end->directory->ops->create == NULL) {
        error = -ENOENT; // as on Linux's /proc
    }
    if (error == 0) {
        error = end->directory->ops->create(end->directory, end->name, end->name_length, S_IFREG | (mode & 07777), 0,
                                            NULL, start->as, &end->node);
    }
    return error;
}

static int open_node(const struct path_start *start, struct vnode *node, uint32_t flags, bool made, struct file **out)
{
    int error = check_kind(node, flags);
    if (error == 0 && !made) {
        error = vnode_access(node, start->as, wanted_access(flags));
        bool owner = start->as->uid == node->uid || credentials_capable(start->as, CAP_FOWNER);
        error = error == 0 && (flags & (O_NOATIME | O_PATH)) == O_NOATIME && !owner ? -EPERM : error;
    }
    struct file *file;
    if (error == 0) {
        error = file_create(NULL, node, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), &file);
    }
    if (error != 0) {
        return error;
    }
    if ((flags & O_PATH) == 0) {
        if (file_writes(file) && vnode_is(node, S_IFREG) && node->mount != NULL) {
            error = mount_begin_writing(node->mount);
            file->counted = error == 0;
        }
        error = error != 0 ? error : node->ops->open(node, file);
    }
    file->flags &= ~O_NOCTTY; // was for the opening
    if (error == 0 && (flags & O_TRUNC) != 0 && vnode_is(node, S_IFREG)) {
        error = file_truncate(node, 0);
    }
    if (error != 0) {
        file_put(file);
        return error;
    }
    *out = file;
    return 0;
}

static int open_nameless(const struct path_start *start, char *path, uint32_t flags, uint32_t mode, unsigned how,
                         struct file **out)
{
    struct path_end end;
    if ((flags & O_ACCMODE) == O_RDONLY || (flags & (O_CREAT | O_DIRECTORY)) != O_DIRECTORY) {
        return -EINVAL;
    }
    how |= (flags & O_NOFOLLOW) != 0 ? 0 : PATH_FOLLOW;
    int error = path_walk(start, path, how | PATH_DIRECTORY, &end);
    if (error != 0) {
        return error;
    }
    error = vnode_access(end.node, start->as, ACCESS_WRITE | ACCESS_EXEC);
    struct vnode *node;
    if (error == 0) {
        error = end.node->ops->nameless == NULL
                    ? -EOPNOTSUPP
                    : end.node->ops->nameless(end.node, mode & 07777, (flags & O_EXCL) == 0, start->as, &node);
    }
    if (error == 0) {
        error = open_node(start, node, flags & ~(O_TMPFILE | O_DIRECTORY), true, out);
        vnode_put(node);
    }
    path_end_put(&end);
    return error;
}

int file_open(const struct path_start *start, char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    return file_open_how(start, path, flags, mode, 0, out);
}

#define OPEN_TRIES 40u

// Opens what the walk has found, or makes it. -EEXIST without O_EXCL: somebody was faster, and it is to be found anew.
static int open_end(const struct path_start *start, struct path_end *end, uint32_t flags, uint32_t mode,
                    struct file **out)
{
    bool missing = end->node == NULL;
    int error = missing ? make(start, end, mode) : (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? -EEXIST : 0;
    return error != 0 ? error : open_node(start, end->node, flags, missing, out);
}

int file_open_how(const struct path_start *start, char *path, uint32_t flags, uint32_t mode, unsigned how,
                  struct file **out)
{
    struct path_start from = *start;
    struct path_end end, before = {.node = NULL};
    bool makes = (flags & O_CREAT) != 0, exclusive = makes && (flags & O_EXCL) != 0;
    if ((flags & O_TMPFILE) != 0 && (flags & O_PATH) == 0) {
        return open_nameless(start, path, flags, mode, how, out);
    }
    how |= (flags & O_NOFOLLOW) != 0 || exclusive ? 0 : PATH_FOLLOW;
    how |= makes ? PATH_MAY_MISS | PATH_MAKES : 0;
    int error = path_walk(&from, path, how, &end);
    for (unsigned tries = 0; error == 0; tries++) {
        error = open_end(&from, &end, flags, mode, out);
        if (error != -EEXIST || exclusive) {
            break;
        }
        if ((how & (PATH_BENEATH | PATH_IN_ROOT)) != 0 || tries == OPEN_TRIES) {
            error = -EAGAIN; // as when anything else has changed on the way
            break;
        }
        path_end_put(&before); // the last name once more, which may be a link by now
        before = end;
        from.directory = end.directory;
        __builtin_memcpy(path, end.name, end.name_length + 1);
        error = path_walk(&from, path, how, &end);
    }
    path_end_put(&before);
    path_end_put(&end);
    return error;
}

// --- read, write, seek ---------------------------------------------------------------------------------------------

static inline int may(const struct file *file, bool write)
{
    if (!(write ? file_writes(file) : file_reads(file))) {
        return -EBADF;
    }
    if (file->node != NULL && vnode_is(file->node, S_IFDIR)) {
        return -EISDIR;
    }
    return (write ? file->ops->write : file->ops->read) == NULL ? -EINVAL : 0;
}

static int may_at(const struct file *file, bool write, const struct io *io, uint64_t offset)
{
    int error = may(file, write);
    return error == 0 && offset + io->left > INT64_MAX ? -EINVAL : error;
}

int64_t file_read_at(struct file *file, struct io *io, uint64_t offset)
{
    int error = may_at(file, false, io, offset);
    return error != 0 ? error : file->ops->stream ? -ESPIPE : file->ops->read(file, io, offset);
}

int64_t file_read(struct file *file, struct io *io)
{
    int error = may(file, false);
    if (error != 0 || file->ops->stream || file->ops->no_offset) {
        return error != 0 ? error : file->ops->read(file, io, 0);
    }
    mutex_lock(&file->lock);
    int64_t done = file->ops->read(file, io, file->offset);
    COUNT_ADD(file->offset, done > 0 ? (uint64_t)done : 0);
    mutex_unlock(&file->lock);
    return done;
}

// At *offset, or at the end, which is looked up under the same lock as is written under: nobody else's bytes land
// there. Likewise how much of it RLIMIT_FSIZE allows. *offset: where it was.
static int64_t write_to(struct file *file, struct io *io, uint64_t *offset, bool at_end)
{
    struct vnode *node = file->node;
    if (node == NULL || !vnode_is(node, S_IFREG) || io->left == 0) {
        return file->ops->write(file, io, *offset);
    }
    mutex_lock(&node->writing);
    *offset = at_end ? READ_ONCE(node->size) : *offset;
    int64_t done = file_limit_growth(*offset, &io->left);
    if (done == 0) {
        vnode_contents_changed(node, credentials_current());
        done = file->ops->write(file, io, *offset);
    }
    mutex_unlock(&node->writing);
    return done;
}

int64_t file_write_at(struct file *file, struct io *io, uint64_t offset)
{
    int error = may_at(file, true, io, offset);
    bool at_end = (READ_ONCE(file->flags) & O_APPEND) != 0; // as on Linux: pwrite(2), BUGS
    return error != 0 ? error : file->ops->stream ? -ESPIPE : write_to(file, io, &offset, at_end);
}

int64_t file_append_at(struct file *file, struct io *io, uint64_t offset)
{
    int error = may_at(file, true, io, offset);
    return error != 0 ? error : file->ops->stream ? -ESPIPE : write_to(file, io, &offset, true);
}

static int64_t write_here(struct file *file, struct io *io, bool at_end)
{
    int error = may(file, true);
    if (error != 0 || file->ops->stream || file->ops->no_offset) {
        return error != 0 ? error : file->ops->write(file, io, 0);
    }
    mutex_lock(&file->lock);
    uint64_t offset = file->offset;
    int64_t done = write_to(file, io, &offset, at_end || (file->flags & O_APPEND) != 0);
    if (done > 0) {
        WRITE_ONCE(file->offset, offset + (uint64_t)done);
    }
    mutex_unlock(&file->lock);
    return done;
}

int64_t file_write(struct file *file, struct io *io)
{
    return write_here(file, io, false);
}

int64_t file_append(struct file *file, struct io *io)
{
    return write_here(file, io, true);
}

int file_truncate(struct vnode *node, uint64_t size)
{
    uint64_t one = 1;
    mutex_lock(&node->writing);
    int error = size > READ_ONCE(node->size) ? file_limit_growth(size - 1, &one) : 0;
    error = error != 0 ? error : node->ops->truncate(node, size);
    if (error == 0) {
        vnode_contents_changed(node, credentials_current());
    }
    mutex_unlock(&node->writing);
    return error;
}

int file_allocate(struct vnode *node, uint64_t offset, uint64_t size, bool punch, bool keep_size)
{
    uint64_t end = offset + size, one = 1;
    mutex_lock(&node->writing);
    bool grows = !punch && end > READ_ONCE(node->size);
    int error = grows ? file_limit_growth(end - 1, &one) : 0;
    if (error == 0) {
        vnode_contents_changed(node, credentials_current());
        error = node->ops->allocate(node, offset, size, punch);
    }
    if (error == 0 && grows && !keep_size) {
        error = node->ops->truncate(node, end);
    }
    mutex_unlock(&node->writing);
    return error;
}

unsigned file_poll(struct file *file, struct condition **changed)
{
    *changed = NULL;
    bool able = file->ops != NULL && file->ops->poll != NULL;
    unsigned ready = able ? file->ops->poll(file, changed) : POLL_IN | POLL_OUT;
    return ready | ((ready & POLL_IN) != 0 ? POLL_READ_NORMAL : 0) | ((ready & POLL_OUT) != 0 ? POLL_WRITE_NORMAL : 0);
}

int64_t file_seek(struct file *file, int64_t offset, unsigned whence)
{
    if (file->ops != NULL && file->ops->no_offset) {
        return 0;
    }
    if (file->ops == NULL || file->ops->stream) {
        return file->ops == NULL ? -EBADF : file->ops->name != NULL ? 0 : -ESPIPE; // counters and such stay at 0
    }
    if (whence > 1 && file->node != NULL && vnode_is(file->node, S_IFDIR)) {
        return -EINVAL;
    }
    mutex_lock(&file->lock);
    int64_t size = file->node != NULL ? (int64_t)READ_ONCE(file->node->size) : 0, base = 0, to;
    int error = 0;
    switch (whence) {
    case 0: // SEEK_SET
        break;
    case 1:
        base = (int64_t)file->offset;
        break;
    case 2:
        base = size;
        break;
    case 3: // SEEK_DATA, SEEK_HOLE: there are no holes to speak of
    case 4:
        error = offset < 0 || offset >= size ? -ENXIO : 0;
        offset = whence == 4 ? size : offset;
        break;
    default:
        error = -EINVAL;
    }
    if (error == 0 && (__builtin_add_overflow(base, offset, &to) || to < 0)) {
        error = -EINVAL;
    }
    if (error == 0) {
        WRITE_ONCE(file->offset, (uint64_t)to);
    }
    mutex_unlock(&file->lock);
    return error != 0 ? error : to;
}
