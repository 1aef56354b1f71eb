#include "kernel/tty/console_tty.h"

#include "kernel/debug/console.h"
#include "kernel/fs/device.h"
#include "kernel/proc/signal.h"
#include "kernel/sched/thread.h"

static struct tty console;

static void to_foreground(struct tty *tty, int signal)
{
    if (tty->foreground != 0) {
        int error = signal_send_group(tty->foreground, signal);
        (void)error; // nobody may be left there
    }
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
        tty_input(&console, console_read(CONSOLE_TERMINAL));
    }
}

int console_tty_start(void)
{
    struct thread *thread;
    tty_init(&console, console_write, to_foreground);
    device_register(DEVICE_TTY, "tty", 0666, &console_tty_ops);
    device_register(DEVICE_CONSOLE, "console", 0600, &console_tty_ops);
    int error = thread_create("tty", feed, NULL, &thread);
    if (error == 0) {
        thread_detach(thread);
    }
    return error;
}

static int64_t read_console(struct file *file, struct io *io, uint64_t offset)
{
    return tty_read(&console, io, (file->flags & O_NONBLOCK) != 0);
}

static int64_t write_console(struct file *file, struct io *io, uint64_t offset)
{
    return tty_write(&console, io);
}

static unsigned poll_console(struct file *file, struct condition **changed)
{
    return tty_poll(&console, changed);
}

static int64_t control_console(struct file *file, unsigned request, uint64_t argument)
{
    return tty_ioctl(&console, request, argument);
}

const struct file_ops console_tty_ops = {.read = read_console,
                                         .write = write_console,
                                         .ioctl = control_console,
                                         .poll = poll_console,
                                         .stream = true,
                                         .kind = S_IFCHR};

void tty_of_session(int32_t session, struct tty_place *out)
{
    *out = (struct tty_place){0};
    mutex_lock(&console.lock);
    if (console.session == session && session != 0) {
        *out = (struct tty_place){DEVICE_CONSOLE, console.foreground};
    }
    mutex_unlock(&console.lock);
}
