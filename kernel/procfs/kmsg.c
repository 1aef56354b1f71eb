// The kernel's log for user space. Source: Documentation/ABI/testing/dev-kmsg, syslog(2).
#include "kernel/procfs/kmsg.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/fs/device.h"
#include "kernel/irq/irq.h"
#include "kernel/proc/access.h"
#include "kernel/sync/condition.h"

#define TEXT_AT 17u // in a line of the log: "[    0.123456] E text"
#define MARK_AT 15u
#define RECORD_MAX (LOG_WIDTH + 48)

static unsigned priority_of(const char *line)
{
    return line[MARK_AT] == 'E' ? 3 : line[MARK_AT] == 'W' ? 4 : line[MARK_AT] == 'I' ? 6 : 7;
}

static uint64_t microseconds_of(const char *line)
{
    uint64_t value = 0;
    for (unsigned i = 1; i < MARK_AT - 2; i++) {
        value = line[i] >= '0' && line[i] <= '9' ? value * 10 + (uint64_t)(line[i] - '0') : value;
    }
    return value;
}

static struct condition written; // a line was

static bool on_line(uint32_t intid, void *argument)
{
    condition_signal(&written);
    return true;
}

static int kmsg_opened(struct file *file)
{
    if (file_reads(file) && !may_use_log(true)) {
        return -EPERM;
    }
    file->offset = 0; // of a stream: the number of the line to come
    log_follow(1);
    return 0;
}

static void kmsg_release(struct file *file)
{
    log_follow(-1);
}

static int64_t kmsg_read(struct file *file, struct io *io, uint64_t offset)
{
    char line[LOG_WIDTH], record[RECORD_MAX];
    uint32_t number;
    int64_t result = 0;
    mutex_lock(&file->lock);
    for (;;) {
        uint32_t seen = condition_seen(&written);
        number = (uint32_t)file->offset;
        if (log_read(&number, line)) {
            break;
        }
        mutex_unlock(&file->lock);
        if ((file->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        if (condition_wait_after(&written, seen, UINT64_MAX) == -EINTR) {
            return -ERESTART;
        }
        mutex_lock(&file->lock);
    }
    size_t length = format(record, sizeof(record), "%u,%u,%lu,-;%s\n", priority_of(line), number, microseconds_of(line),
                           line + TEXT_AT);
    if (length > io->left) {
        result = -EINVAL; // a record is read whole
    } else {
        result = io_give(io, record, length);
        result = result == 0 ? (int64_t)length : result;
    }
    if (result > 0) {
        WRITE_ONCE(file->offset, number + 1ull); // poll(2) looks without the lock
    }
    mutex_unlock(&file->lock);
    return result;
}

// "<priority>text": one line, which is cut to fit.
static int64_t kmsg_write(struct file *file, struct io *io, uint64_t offset)
{
    static struct log_limit limit;
    char text[LOG_WIDTH];
    uint32_t missed;
    uint64_t all = io->left, length = min_u64(all, sizeof(text) - 1);
    int error = io_take(io, text, length);
    if (error != 0) {
        return error;
    }
    text[length] = 0;
    unsigned priority = 4, at = 0;
    if (text[0] == '<' && text[1] >= '0' && text[1] <= '9') {
        for (priority = 0, at = 1; text[at] >= '0' && text[at] <= '9'; at++) {
            priority = priority * 10 + (unsigned)(text[at] - '0');
        }
        at = text[at] == '>' ? at + 1 : 0;
    }
    for (uint64_t i = at; i < length; i++) {
        text[i] = text[i] == '\n' ? 0 : (unsigned char)text[i] < ' ' ? '?' : text[i];
    }
    if (!log_may_say(&limit, &missed)) {
        return (int64_t)all; // as on Linux: the writer is not to know
    }
    priority &= 7; // above are the facilities of syslog(3)
    log_line(priority <= 3   ? LOG_ERROR
             : priority == 4 ? LOG_WARNING
             : priority <= 6 ? LOG_INFO
                             : LOG_DEBUG,
             "%s", text + at);
    return (int64_t)all;
}

static unsigned kmsg_poll(struct file *file, struct condition **changed)
{
    *changed = &written;
    return (uint32_t)READ_ONCE(file->offset) < log_end() ? POLL_OUT | POLL_IN : POLL_OUT;
}

static const struct file_ops kmsg_ops = {.opened = kmsg_opened,
                                         .no_splice_to = true,
                                         .release = kmsg_release,
                                         .read = kmsg_read,
                                         .write = kmsg_write,
                                         .poll = kmsg_poll,
                                         .stream = true};

int kmsg_start(void)
{
    condition_init(&written, "kernel log");
    int error = irq_register(SGI_LOG, on_line, NULL);
    if (error == 0) {
        device_register(DEVICE(1, 11), "kmsg", 0644, &kmsg_ops);
    }
    return error;
}
