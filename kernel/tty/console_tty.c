#include "kernel/tty/console_tty.h"

#include "kernel/debug/console.h"
#include "kernel/fs/device.h"
#include "kernel/proc/jobs.h"
#include "kernel/sched/thread.h"
#include "kernel/tty/tty_internal.h"

static struct tty console;

static void to_foreground(struct tty *tty, int signal)
{
    group_signal(tty->foreground, tty->session, signal);
}

void console_tty_give(int32_t group)
{
    mutex_lock(&console.lock);
    console.foreground = console.session = group;
    mutex_unlock(&console.lock);
}

static void feed(void *argument)
{
    for (;;) {
        (void)tty_input(&console, console_read(CONSOLE_TERMINAL)); // what does not fit is lost, as on a wire
    }
}

static void send(struct tty *tty, const char *text, size_t size)
{
    console_write(text, size);
}

static int open_console(struct tty *tty, struct file *file)
{
    file->ops = &console_tty_ops;
    return 0;
}

static const struct tty_ops ops = {.send = send, .signal = to_foreground, .open = open_console};

int console_tty_start(void)
{
    struct thread *thread;
    tty_init(&console, &ops, DEVICE_CONSOLE);
    tty_enlist(&console);
    device_register(DEVICE_TTY, "tty", 0666, &tty_mine_ops);
    device_register(DEVICE_CONSOLE, "console", 0600, &console_tty_ops);
    int error = thread_create("tty", feed, NULL, &thread);
    if (error == 0) {
        thread_detach(thread);
    }
    return error;
}

static int opened(struct file *file)
{
    tty_opened(&console, file->flags);
    return 0;
}

static int64_t read_console(struct file *file, struct io *io, uint64_t offset)
{
    return tty_read(&console, io, (file->flags & O_NONBLOCK) != 0);
}

static int64_t write_console(struct file *file, struct io *io, uint64_t offset)
{
    return tty_write(&console, io, (file->flags & O_NONBLOCK) != 0);
}

static unsigned poll_console(struct file *file, struct condition **changed)
{
    return tty_poll(&console, changed);
}

static int64_t control_console(struct file *file, unsigned request, uint64_t argument)
{
    return tty_ioctl(&console, request, argument);
}

const struct file_ops console_tty_ops = {.opened = opened,
                                         .read = read_console,
                                         .write = write_console,
                                         .ioctl = control_console,
                                         .poll = poll_console,
                                         .stream = true,
                                         .kind = S_IFCHR};
