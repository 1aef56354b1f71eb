#include "kernel/fs/pipe.h"

#include <hal/memory.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/mm/user_page.h"
#include "kernel/sync/condition.h"

#define PAGES (PIPE_CAPACITY / PAGE_SIZE)

struct pipe {
    struct mutex lock; // covers the rest
    struct condition changed;
    uint64_t read, written; // bytes since the beginning
    uint32_t readers, writers;
    paddr_t pages[PAGES]; // of the ring; made when they are first needed
};

static void let_go(struct pipe *pipe, uint32_t *side)
{
    mutex_lock(&pipe->lock);
    (*side)--;
    bool last = pipe->readers == 0 && pipe->writers == 0;
    condition_signal(&pipe->changed);
    mutex_unlock(&pipe->lock);
    if (last) {
        for (unsigned i = 0; i < PAGES; i++) {
            if (pipe->pages[i].raw != 0) {
                user_page_put(&kernel_pages, pipe->pages[i]);
            }
        }
        kfree(pipe);
    }
}

static void release_reader(struct file *file)
{
    struct pipe *pipe = file->data;
    let_go(pipe, &pipe->readers);
}

static void release_writer(struct file *file)
{
    struct pipe *pipe = file->data;
    let_go(pipe, &pipe->writers);
}

// The stretch of the ring at position, up to the end of its page. -ENOMEM.
static int stretch(struct pipe *pipe, uint64_t position, char **at, uint64_t *size)
{
    paddr_t *page = &pipe->pages[position / PAGE_SIZE % PAGES];
    int error = page->raw == 0 ? user_page_alloc(&kernel_pages, page) : 0;
    if (error == 0) {
        *at = (char *)phys_to_virt(*page) + (position & PAGE_MASK);
        *size = PAGE_SIZE - (position & PAGE_MASK);
    }
    return error;
}

static int64_t read_available(struct pipe *pipe, struct io *io)
{
    int64_t done = 0;
    while (io->left > 0 && pipe->read < pipe->written) {
        char *at = NULL;
        uint64_t size = 0;
        int error = stretch(pipe, pipe->read, &at, &size);
        size = min_u64(min_u64(size, io->left), pipe->written - pipe->read);
        error = error != 0 ? error : io_give(io, at, size);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        pipe->read += size;
        done += (int64_t)size;
    }
    return done;
}

static int64_t pipe_read(struct file *file, struct io *io, uint64_t offset)
{
    struct pipe *pipe = file->data;
    int64_t result = 0;
    mutex_lock(&pipe->lock);
    while (io->left > 0 && pipe->read == pipe->written && pipe->writers > 0 && result == 0) {
        if ((file->flags & O_NONBLOCK) != 0) {
            result = -EAGAIN;
        } else if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            result = -ERESTART;
        }
    }
    if (result == 0) {
        result = read_available(pipe, io);
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
        size = min_u64(min_u64(size, io->left), room);
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

static int64_t pipe_write(struct file *file, struct io *io, uint64_t offset)
{
    struct pipe *pipe = file->data;
    uint64_t wanted = io->left <= PIPE_ATOMIC ? io->left : 1; // room without which not to begin
    int64_t done = 0;
    int error = 0;
    mutex_lock(&pipe->lock);
    while (io->left > 0 && error == 0) {
        uint64_t room = PIPE_CAPACITY - (pipe->written - pipe->read);
        if (pipe->readers == 0) {
            error = -EPIPE;
        } else if (room >= wanted) {
            error = write_some(pipe, io, room, &done);
            condition_signal(&pipe->changed);
        } else if ((file->flags & O_NONBLOCK) != 0) {
            error = -EAGAIN;
        } else if (condition_wait_interruptible(&pipe->changed, &pipe->lock) != 0) {
            error = -ERESTART;
        }
    }
    mutex_unlock(&pipe->lock);
    return done > 0 ? done : error;
}

static unsigned poll_reader(struct file *file, struct condition **changed)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    unsigned ready = (pipe->read != pipe->written ? POLL_IN : 0) | (pipe->writers == 0 ? POLL_HANGUP : 0);
    mutex_unlock(&pipe->lock);
    *changed = &pipe->changed;
    return ready;
}

static unsigned poll_writer(struct file *file, struct condition **changed)
{
    struct pipe *pipe = file->data;
    mutex_lock(&pipe->lock);
    bool room = PIPE_CAPACITY - (pipe->written - pipe->read) >= PIPE_ATOMIC;
    unsigned ready = (room ? POLL_OUT : 0) | (pipe->readers == 0 ? POLL_ERROR : 0);
    mutex_unlock(&pipe->lock);
    *changed = &pipe->changed;
    return ready;
}

static const struct file_ops reader_ops = {
    .poll = poll_reader, .read = pipe_read, .release = release_reader, .stream = true, .kind = S_IFIFO};
static const struct file_ops writer_ops = {
    .poll = poll_writer, .write = pipe_write, .release = release_writer, .stream = true, .kind = S_IFIFO};

int pipe_create(uint32_t flags, struct file **reader, struct file **writer)
{
    void *memory;
    int error = kmalloc(sizeof(struct pipe), &memory);
    if (error != 0) {
        return error;
    }
    struct pipe *pipe = memory;
    *pipe = (struct pipe){.readers = 1, .writers = 1};
    mutex_init(&pipe->lock, "pipe");
    condition_init(&pipe->changed, "pipe");
    error = file_create(&reader_ops, NULL, O_RDONLY | (flags & O_NONBLOCK), reader);
    if (error != 0) {
        kfree(pipe);
        return error;
    }
    (*reader)->data = pipe;
    error = file_create(&writer_ops, NULL, O_WRONLY | (flags & O_NONBLOCK), writer);
    if (error != 0) {
        pipe->writers = 0; // the reader is then the last
        file_put(*reader);
        return error;
    }
    (*writer)->data = pipe;
    return 0;
}
