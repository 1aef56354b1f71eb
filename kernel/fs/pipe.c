#include "kernel/fs/pipe.h"

#include <hal/memory.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/user_page.h"
#include "kernel/mm/usercopy.h"
#include "kernel/sync/condition.h"

#define PAGES (PIPE_CAPACITY / PAGE_SIZE)
#define PAGES_FEW 2u // of who has too many
#define FIONREAD 0x541bu

struct pipe {
    struct mutex lock; // covers the rest
    struct condition changed;
    uint64_t read, written; // bytes since the beginning
    uint32_t readers, writers;
    uint32_t readers_ever, writers_ever; // whoever waits for the other end sees it even if it has gone again
    bool taking, putting;                // a splice has a part of what is in it, or of the room: others wait
    uint32_t references;                 // open files of any kind, and openers: the last one frees it
    uint32_t uid, gid;                   // who made it, for what has no name; constant
    struct account *account;             // page_count is charged to, and the pages that there are; a reference
    struct vnode *node;                  // of a FIFO; its lock covers node->pipe
    uint64_t number;                     // no other has it
    uint32_t page_count;                 // a power of two
    paddr_t *pages;                      // of the ring; made when they are first needed
    paddr_t own_pages[PAGES];
};

struct pipe_limits pipe_limits = {PIPE_CAPACITY_MAX, PIPE_USER_PAGES_SOFT, 0};

static bool is_unprivileged(void)
{
    return !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

static uint64_t limit_of(const uint64_t *limit)
{
    uint64_t pages = READ_ONCE(*limit);
    return pages != 0 && is_unprivileged() ? pages : UINT64_MAX;
}

// A user with many pipes gets small ones, and with very many none. 0: none.
static uint32_t charge_first(struct account *account)
{
    uint64_t hard = limit_of(&pipe_limits.user_pages_hard);
    uint32_t count = PAGES;
    while (count * PAGE_SIZE > READ_ONCE(pipe_limits.capacity_max) && count > 1 && !capable(CAP_SYS_RESOURCE)) {
        count /= 2;
    }
    if (account_charge(account, CHARGE_PIPE_PAGES, count, min_u64(limit_of(&pipe_limits.user_pages_soft), hard))) {
        return count;
    }
    return account_charge(account, CHARGE_PIPE_PAGES, PAGES_FEW, hard) ? PAGES_FEW : 0;
}

static int make(struct pipe **out)
{
    const struct credentials *as = credentials_current();
    uint32_t count = charge_first(as->account);
    void *memory;
    int error = count == 0 ? -ENFILE : kmalloc(sizeof(struct pipe), &memory);
    if (error != 0) {
        account_uncharge(as->account, CHARGE_PIPE_PAGES, count);
        return error;
    }
    struct pipe *pipe = memory;
    *pipe = (struct pipe){.page_count = count, .uid = as->uid, .gid = as->gid, .account = account_get(as->account)};
    static uint64_t last;
    pipe->pages = pipe->own_pages;
    pipe->number = atomic_add(&last, 1) + 1;
    mutex_init(&pipe->lock, "pipe");
    condition_init(&pipe->changed, "pipe");
    *out = pipe;
    return 0;
}

static void put_page(struct pipe *pipe, paddr_t *page)
{
    if (page->raw != 0) {
        user_page_put(&kernel_pages, *page);
        account_uncharge(pipe->account, CHARGE_PAGES, 1);
        page->raw = 0;
    }
}

static void destroy(struct pipe *pipe)
{
    for (unsigned i = 0; i < pipe->page_count; i++) {
        put_page(pipe, &pipe->pages[i]);
    }
    if (pipe->pages != pipe->own_pages) {
        kfree(pipe->pages);
    }
    account_uncharge(pipe->account, CHARGE_PIPE_PAGES, pipe->page_count);
    account_put(pipe->account);
    kfree(pipe);
}

static void come(struct pipe *pipe, const struct file *file)
{
    pipe->references++;
    pipe->readers += file_reads(file);
    pipe->readers_ever += file_reads(file);
    pipe->writers += file_writes(file);
    pipe->writers_ever += file_writes(file);
    condition_signal(&pipe->changed);
}

// True: nobody is left, and nobody can come. Whoever has only a place (O_PATH) keeps what it is, not what is in it.
static bool leave(struct pipe *pipe, const struct file *file)
{
    mutex_lock(&pipe->lock);
    pipe->readers -= file_reads(file);
    pipe->writers -= file_writes(file);
    bool last = --pipe->references == 0;
    if (pipe->readers == 0 && pipe->writers == 0) {
        pipe->read = pipe->written;
    }
    condition_signal(&pipe->changed);
    mutex_unlock(&pipe->lock);
    return last;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->data;
    struct vnode *node = pipe->node;
    bool last;
    if (node == NULL) {
        last = leave(pipe, file);
    } else {
        mutex_lock(&node->lock);
        last = leave(pipe, file);
        node->pipe = last ? NULL : node->pipe;
        mutex_unlock(&node->lock);
    }
    if (last) {
        destroy(pipe);
    }
}

// The stretch of the ring at position, up to the end of its page. -ENOMEM.
static int stretch(struct pipe *pipe, uint64_t position, char **at, uint64_t *size)
{
    paddr_t *page = &pipe->pages[position / PAGE_SIZE & (pipe->page_count - 1)];
    int error = 0;
    if (page->raw == 0) {
        error = user_page_alloc(&kernel_pages, page);
        bool charged = error == 0 && account_charge(pipe->account, CHARGE_PAGES, 1, UINT64_MAX);
        (void)charged; // it only weighs
    }
    if (error == 0) {
        *at = (char *)phys_to_virt(*page) + (position & PAGE_MASK);
        *size = PAGE_SIZE - (position & PAGE_MASK);
    }
    return error;
}

// From there on, what is left of it. *from moves along.
static int64_t give_available(struct pipe *pipe, struct io *io, uint64_t *from)
{
    int64_t done = 0;
    while (io->left > 0 && *from < pipe->written) {
        char *at = NULL;
        uint64_t size = 0;
        int error = stretch(pipe, *from, &at, &size);
        size = min_u64(min_u64(size, io_run(io)), pipe->written - *from);
        error = error != 0 ? error : io_give(io, at, size);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        *from += size;
        done += (int64_t)size;
    }
    return done;
}

static int wait_for_bytes(struct pipe *pipe, bool nonblock)
{
    while (pipe->taking || (pipe->read == pipe->written && pipe->writers > 0)) {
        if (nonblock && !pipe->taking) {
            return -EAGAIN;
        }
        if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            return -ERESTART;
        }
    }
    return 0;
}

static int64_t pipe_read(struct file *file, struct io *io, uint64_t offset)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    int64_t result = io->left > 0 ? wait_for_bytes(pipe, (file->flags & O_NONBLOCK) != 0) : 0;
    if (result == 0) {
        result = give_available(pipe, io, &pipe->read);
        if (result > 0) {
            condition_signal(&pipe->changed);
        }
    }
    mutex_unlock(&pipe->lock);
    return result;
}

static int write_some(struct pipe *pipe, struct io *io, uint64_t room, int64_t *done)
{
    while (io->left > 0 && room > 0) {
        char *at = NULL;
        uint64_t size = 0;
        int error = stretch(pipe, pipe->written, &at, &size);
        size = min_u64(min_u64(size, io_run(io)), room);
        error = error != 0 ? error : io_take(io, at, size);
        if (error != 0) {
            return error;
        }
        pipe->written += size;
        room -= size;
        *done += (int64_t)size;
    }
    return 0;
}

static uint64_t room_in(const struct pipe *pipe)
{
    return pipe->page_count * PAGE_SIZE - (pipe->written - pipe->read);
}

static int64_t pipe_write(struct file *file, struct io *io, uint64_t offset)
{
    struct pipe *pipe = file->data;
    uint64_t wanted = io->left <= PIPE_ATOMIC ? io->left : 1; // room without which not to begin
    int64_t done = 0;
    int error = 0;
    mutex_lock(&pipe->lock);
    while (io->left > 0 && error == 0) {
        uint64_t room = room_in(pipe);
        if (pipe->readers == 0) {
            error = -EPIPE;
        } else if (room >= wanted && !pipe->putting) {
            error = write_some(pipe, io, room, &done);
            condition_signal(&pipe->changed);
        } else if ((file->flags & O_NONBLOCK) != 0 && !pipe->putting) {
            error = -EAGAIN;
        } else if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            error = -ERESTART;
        }
    }
    mutex_unlock(&pipe->lock);
    return done > 0 ? done : error;
}

// --- splice --------------------------------------------------------------------------------------------------------

int64_t pipe_take(struct file *file, struct io *io, bool nonblock)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    int64_t result = wait_for_bytes(pipe, nonblock);
    if (result == 0) {
        uint64_t from = pipe->read;
        result = give_available(pipe, io, &from);
        pipe->taking = result > 0;
    }
    mutex_unlock(&pipe->lock);
    return result;
}

void pipe_taken(struct file *file, uint64_t size)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    pipe->read = min_u64(pipe->read + size, pipe->written);
    pipe->taking = false;
    condition_signal(&pipe->changed);
    mutex_unlock(&pipe->lock);
}

int64_t pipe_wait_room(struct file *file, bool nonblock, bool claim)
{
    struct pipe *pipe = file->data;
    int64_t result = 0;
    mutex_lock(&pipe->lock);
    while (result == 0 && pipe->readers > 0 && (pipe->putting || room_in(pipe) == 0)) {
        if (nonblock && !pipe->putting) {
            result = -EAGAIN;
        } else if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            result = -ERESTART;
        }
    }
    if (result == 0) {
        result = pipe->readers == 0 ? -EPIPE : (int64_t)room_in(pipe);
        pipe->putting = claim && result > 0;
    }
    mutex_unlock(&pipe->lock);
    return result;
}

int64_t pipe_put(struct file *file, struct io *io, bool claimed)
{
    struct pipe *pipe = file->data;
    int64_t done = 0;
    mutex_lock(&pipe->lock);
    bool free = claimed || !pipe->putting;
    int error = pipe->readers == 0                              ? -EPIPE
                : io->left > 0 && (!free || room_in(pipe) == 0) ? -EAGAIN
                                                                : write_some(pipe, io, room_in(pipe), &done);
    pipe->putting &= !claimed;
    condition_signal(&pipe->changed);
    mutex_unlock(&pipe->lock);
    return done > 0 ? done : error;
}

static unsigned pipe_poll(struct file *file, struct condition **changed)
{
    struct pipe *pipe = file->data;
    unsigned ready = 0;
    mutex_lock(&pipe->lock);
    if (file_reads(file)) {
        ready |= pipe->read != pipe->written ? POLL_IN : 0;
        ready |= pipe->writers == 0 && pipe->writers_ever > 0 ? POLL_HANGUP : 0;
    }
    if (file_writes(file)) {
        ready |= room_in(pipe) >= PIPE_ATOMIC ? POLL_OUT : 0;
        ready |= pipe->readers == 0 ? POLL_ERROR : 0;
    }
    mutex_unlock(&pipe->lock);
    *changed = &pipe->changed;
    return ready;
}

static int64_t pipe_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    struct pipe *pipe = file->data;
    if (request != FIONREAD) {
        return -ENOTTY;
    }
    mutex_lock(&pipe->lock);
    int32_t count = (int32_t)(pipe->written - pipe->read);
    mutex_unlock(&pipe->lock);
    return copy_to_user(uaddr(argument), &count, sizeof(count));
}

static uint64_t pipe_number(struct file *file)
{
    const struct pipe *pipe = file->data;
    return pipe->number;
}

static void pipe_owner(struct file *file, uint32_t *uid, uint32_t *gid)
{
    const struct pipe *pipe = file->data;
    *uid = pipe->uid;
    *gid = pipe->gid;
}

static int pipe_reopen(struct file *file, struct file *fresh);

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .reopen = pipe_reopen,
    .release = pipe_release,
    .number = pipe_number,
    .owner = pipe_owner,
    .stream = true,
    .kind = S_IFIFO | 0600,
};

static int pipe_reopen(struct file *file, struct file *fresh)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    fresh->ops = &pipe_ops;
    fresh->data = pipe;
    come(pipe, fresh);
    mutex_unlock(&pipe->lock);
    return 0;
}

int pipe_create(uint32_t flags, struct file **reader, struct file **writer)
{
    struct pipe *pipe;
    int error = make(&pipe);
    if (error != 0) {
        return error;
    }
    error = file_create(&pipe_ops, NULL, O_RDONLY | (flags & O_NONBLOCK), reader);
    if (error != 0) {
        destroy(pipe);
        return error;
    }
    pipe->readers = pipe->readers_ever = pipe->references = 1;
    (*reader)->data = pipe;
    error = file_create(&pipe_ops, NULL, O_WRONLY | (flags & O_NONBLOCK), writer);
    if (error != 0) {
        file_put(*reader); // the last
        return error;
    }
    pipe->writers = pipe->writers_ever = 1;
    pipe->references++;
    (*writer)->data = pipe;
    return 0;
}

// --- with a name ---------------------------------------------------------------------------------------------------

// The node's pipe, made if need be, with the caller among its openers.
static int pipe_of(struct vnode *node, struct pipe **out)
{
    int error = 0;
    mutex_lock(&node->lock);
    if (node->pipe == NULL) {
        error = make(&node->pipe);
        error = error == -ENFILE ? -ENOMEM : error; // as on Linux
        if (error == 0) {
            node->pipe->node = node;
        }
    }
    if (error == 0) {
        *out = node->pipe;
        mutex_lock(&(*out)->lock);
        (*out)->references++;
        mutex_unlock(&(*out)->lock);
    }
    mutex_unlock(&node->lock);
    return error;
}

static int wait_for_other(struct pipe *pipe, const struct file *file)
{
    uint32_t readers = pipe->readers_ever, writers = pipe->writers_ever;
    bool nonblock = (file->flags & O_NONBLOCK) != 0;
    if (file_reads(file) && file_writes(file)) {
        return 0;
    }
    while (file_reads(file) && !nonblock && pipe->writers == 0 && pipe->writers_ever == writers) {
        if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            return -ERESTART;
        }
    }
    while (file_writes(file) && pipe->readers == 0 && pipe->readers_ever == readers) {
        if (nonblock) {
            return -ENXIO;
        }
        if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            return -ERESTART;
        }
    }
    return 0;
}

int pipe_open(struct vnode *node, struct file *file)
{
    struct pipe *pipe;
    int error = file_reads(file) || file_writes(file) ? pipe_of(node, &pipe) : -EINVAL;
    if (error != 0) {
        return error;
    }
    mutex_lock(&pipe->lock);
    come(pipe, file);
    error = wait_for_other(pipe, file);
    mutex_unlock(&pipe->lock);
    mutex_lock(&node->lock);
    mutex_lock(&pipe->lock);
    pipe->references--;
    mutex_unlock(&pipe->lock);
    if (error == 0) {
        file->ops = &pipe_ops;
        file->data = pipe;
    } else if (leave(pipe, file)) {
        node->pipe = NULL;
        destroy(pipe);
    }
    mutex_unlock(&node->lock);
    return error;
}

// --- splice and fcntl ----------------------------------------------------------------------------------------------

bool file_is_pipe(const struct file *file)
{
    return file->ops == &pipe_ops;
}

uint64_t pipe_capacity(struct file *file)
{
    const struct pipe *pipe = file->data;
    return READ_ONCE(pipe->page_count) * PAGE_SIZE;
}

static int resize(struct pipe *pipe, paddr_t *pages, uint32_t count)
{
    uint64_t first = pipe->read / PAGE_SIZE, behind = (pipe->written + PAGE_SIZE - 1) / PAGE_SIZE;
    if (pipe->written != pipe->read && behind - first > count) {
        return -EBUSY;
    }
    __builtin_memset(pages, 0, count * sizeof(pages[0]));
    for (uint64_t i = 0; i < pipe->page_count; i++) { // those in use move, others go
        uint64_t number = first + i;
        paddr_t *page = &pipe->pages[number & (pipe->page_count - 1)];
        if (page->raw != 0 && number < behind) {
            pages[number & (count - 1)] = *page;
        } else {
            put_page(pipe, page);
        }
    }
    if (pipe->pages != pipe->own_pages) {
        kfree(pipe->pages);
    }
    pipe->pages = pages;
    WRITE_ONCE(pipe->page_count, count);
    condition_signal(&pipe->changed);
    return 0;
}

// The change of the charge comes first, so that two of them do not pass the limit together.
static int set_count(struct pipe *pipe, paddr_t *pages, uint32_t count)
{
    uint32_t before = pipe->page_count;
    bool grows = count > before;
    uint64_t most = min_u64(limit_of(&pipe_limits.user_pages_soft), limit_of(&pipe_limits.user_pages_hard));
    if (grows && count * PAGE_SIZE > READ_ONCE(pipe_limits.capacity_max) && !capable(CAP_SYS_RESOURCE)) {
        return -EPERM;
    }
    if (grows && !account_charge(pipe->account, CHARGE_PIPE_PAGES, count - before, most)) {
        return -EPERM;
    }
    int error = resize(pipe, pages, count);
    if (error == 0 ? !grows : grows) {
        account_uncharge(pipe->account, CHARGE_PIPE_PAGES, grows ? count - before : before - count);
    }
    return error;
}

int64_t pipe_set_capacity(struct file *file, uint64_t capacity)
{
    struct pipe *pipe = file->data;
    if (capacity > 1u << 31) {
        return -EINVAL;
    }
    if (capacity > max_u64(READ_ONCE(pipe_limits.capacity_max), pipe_capacity(file)) && !capable(CAP_SYS_RESOURCE)) {
        return -EPERM; // before memory is asked for
    }
    uint32_t count = 1;
    while (count * PAGE_SIZE < capacity) {
        count *= 2;
    }
    void *pages;
    int error = kmalloc(count * sizeof(paddr_t), &pages);
    if (error != 0) {
        return error;
    }
    mutex_lock(&pipe->lock);
    error = set_count(pipe, pages, count);
    mutex_unlock(&pipe->lock);
    if (error != 0) {
        kfree(pages);
        return error;
    }
    return (int64_t)(count * PAGE_SIZE);
}

int64_t pipe_peek(struct file *file, struct io *io, uint64_t skip)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    uint64_t from = pipe->read + min_u64(skip, pipe->written - pipe->read);
    int64_t done = give_available(pipe, io, &from);
    mutex_unlock(&pipe->lock);
    return done;
}

int pipe_wait_readable(struct file *file, bool nonblock)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    int error = wait_for_bytes(pipe, nonblock);
    mutex_unlock(&pipe->lock);
    return error;
}
