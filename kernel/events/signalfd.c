// The signals of whoever reads.
#include "kernel/base/atomic.h"
#include "kernel/events/eventfd.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/sync/condition.h"

struct signalfd_info { // struct signalfd_siginfo
    uint32_t signal;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t timer, band, overrun, trap;
    int32_t status, value;
    uint64_t pointer, user_time, system_time, address;
    uint8_t padding[48];
};
static_assert(sizeof(struct signalfd_info) == 128, "struct signalfd_siginfo of linux/signalfd.h");

struct signalfd {
    uint64_t mask; // atomic
};

static struct signalfd_info describe(const struct signal_info *info)
{
    struct signalfd_info out = {.signal = (uint32_t)info->signal, .error = info->error, .code = info->code};
    bool fault = info->code > 0 && (info->signal == SIGSEGV || info->signal == SIGBUS || info->signal == SIGILL ||
                                    info->signal == SIGFPE || info->signal == SIGTRAP);
    if (fault) {
        out.address = info->value[0];
    } else if (info->code == SI_TIMER) {
        out.timer = (uint32_t)info->value[0];
        out.overrun = (uint32_t)(info->value[0] >> 32);
        out.value = (int32_t)info->value[1];
        out.pointer = info->value[1];
    } else {
        out.pid = (uint32_t)info->value[0];
        out.uid = (uint32_t)(info->value[0] >> 32);
        if (info->signal == SIGCHLD && info->code > 0) {
            out.status = (int32_t)info->value[1];
        } else if (info->code == SI_QUEUE) {
            out.value = (int32_t)info->value[1];
            out.pointer = info->value[1];
        }
    }
    return out;
}

static int64_t signalfd_read(struct file *file, struct io *io, uint64_t offset)
{
    struct signalfd *signalfd = file->data;
    struct process *me = process_current();
    int64_t done = 0;
    if (io->left < sizeof(struct signalfd_info)) {
        return -EINVAL;
    }
    while (io->left >= sizeof(struct signalfd_info)) {
        struct signal_info info;
        uint32_t seen = condition_seen(&me->arrivals);
        if (signal_take(READ_ONCE(signalfd->mask), &info) != 0) {
            struct signalfd_info out = describe(&info);
            int error = io_give(io, &out, sizeof(out));
            if (error != 0) {
                return done > 0 ? done : error; // the signal is lost, as on Linux
            }
            done += (int64_t)sizeof(out);
        } else if (done > 0) {
            break;
        } else if ((file->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        } else if (condition_wait_after(&me->arrivals, seen, UINT64_MAX) != 0) {
            return -ERESTART;
        }
    }
    return done;
}

static unsigned signalfd_poll(struct file *file, struct condition **changed)
{
    const struct signalfd *signalfd = file->data;
    *changed = &process_current()->arrivals;
    return (signals_pending() & READ_ONCE(signalfd->mask)) != 0 ? POLL_IN : 0;
}

static void signalfd_release(struct file *file)
{
    kfree(file->data);
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .poll = signalfd_poll,
    .release = signalfd_release,
    .stream = true,
    .of_process = true,
    .kind = 0600,
    .name = "signalfd",
};

bool file_is_signalfd(const struct file *file)
{
    return file->ops == &signalfd_ops;
}

static uint64_t allowed(uint64_t mask)
{
    return mask & ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP));
}

void signalfd_set_mask(struct file *file, uint64_t mask)
{
    struct signalfd *signalfd = file->data;
    WRITE_ONCE(signalfd->mask, allowed(mask));
    condition_signal(&process_current()->arrivals);
}

int signalfd_create(uint64_t mask, uint32_t flags, struct file **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct signalfd), &memory);
    if (error != 0) {
        return error;
    }
    struct signalfd *signalfd = memory;
    *signalfd = (struct signalfd){.mask = allowed(mask)};
    error = file_create(&signalfd_ops, NULL, O_RDWR | (flags & O_NONBLOCK), out);
    if (error != 0) {
        kfree(signalfd);
        return error;
    }
    (*out)->data = signalfd;
    return 0;
}
