#include "kernel/events/eventfd.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/sync/condition.h"

struct eventfd {
    struct mutex lock; // covers value
    struct condition changed;
    uint64_t value; // at most UINT64_MAX - 1
    bool semaphore; // constant
};

static int64_t eventfd_read(struct file *file, struct io *io, uint64_t offset)
{
    struct eventfd *event = file->data;
    int error = 0;
    if (io->left < sizeof(uint64_t)) {
        return -EINVAL;
    }
    mutex_lock(&event->lock);
    while (event->value == 0 && error == 0) {
        if ((file->flags & O_NONBLOCK) != 0) {
            error = -EAGAIN;
        } else if (condition_wait_interruptible(&event->changed, &event->lock) != 0) {
            error = -ERESTART;
        }
    }
    if (error == 0) {
        uint64_t taken = event->semaphore ? 1 : event->value;
        error = io_give(io, &taken, sizeof(taken));
        if (error == 0) {
            event->value -= taken;
            condition_signal(&event->changed);
        }
    }
    mutex_unlock(&event->lock);
    return error != 0 ? error : (int64_t)sizeof(uint64_t);
}

static int64_t eventfd_write(struct file *file, struct io *io, uint64_t offset)
{
    struct eventfd *event = file->data;
    uint64_t added;
    int error = io->left < sizeof(added) ? -EINVAL : io_take(io, &added, sizeof(added));
    if (error != 0 || added == UINT64_MAX) {
        return error != 0 ? error : -EINVAL;
    }
    mutex_lock(&event->lock);
    while (added > UINT64_MAX - 1 - event->value && error == 0) {
        if ((file->flags & O_NONBLOCK) != 0) {
            error = -EAGAIN;
        } else if (condition_wait_interruptible(&event->changed, &event->lock) != 0) {
            error = -ERESTART;
        }
    }
    if (error == 0) {
        event->value += added;
        condition_signal(&event->changed);
    }
    mutex_unlock(&event->lock);
    return error != 0 ? error : (int64_t)sizeof(added);
}

static unsigned eventfd_poll(struct file *file, struct condition **changed)
{
    struct eventfd *event = file->data;
    mutex_lock(&event->lock);
    unsigned ready = (event->value > 0 ? POLL_IN : 0) | (event->value < UINT64_MAX - 1 ? POLL_OUT : 0);
    mutex_unlock(&event->lock);
    *changed = &event->changed;
    return ready;
}

static void eventfd_release(struct file *file)
{
    kfree(file->data);
}

static const struct file_ops eventfd_ops = {
    .no_splice_to = true,
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
    .stream = true,
    .kind = 0600,
    .name = "eventfd",
};

int eventfd_create(uint64_t value, bool semaphore, uint32_t flags, struct file **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct eventfd), &memory);
    if (error != 0) {
        return error;
    }
    struct eventfd *event = memory;
    *event = (struct eventfd){.value = value, .semaphore = semaphore};
    mutex_init(&event->lock, "eventfd");
    condition_init(&event->changed, "eventfd");
    error = file_create(&eventfd_ops, NULL, O_RDWR | (flags & O_NONBLOCK), out);
    if (error != 0) {
        kfree(event);
        return error;
    }
    (*out)->data = event;
    return 0;
}
