#include "kernel/tty/pty.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/device.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/jobs.h"
#include "kernel/sched/thread.h"
#include "kernel/tty/pty_internal.h"

#define TIOCGPTN 0x80045430u
#define TIOCSPTLCK 0x40045431u
#define TIOCGPTLCK 0x80045439u
#define TIOCGPTPEER 0x5441u
#define TIOCSIG 0x40045436u
#define TIOCSCTTY 0x540eu
#define FIONREAD 0x541bu

static struct {
    struct mutex lock; // covers the rest
    struct pty *pairs[PTYS_MAX];
} table = {.lock = MUTEX_INIT(table.lock, "pseudo-terminals")};

static const struct file_ops master_ops, slave_ops;

static struct pty *pair_of(struct vnode *node) // with a reference; NULL: it has gone
{
    mutex_lock(&table.lock);
    struct pty *pty = *devpts_pair(node);
    if (pty != NULL) {
        (void)atomic_add(&pty->references, 1);
    }
    mutex_unlock(&table.lock);
    return pty;
}

int64_t pty_next(unsigned from)
{
    int64_t found = -ENOENT;
    mutex_lock(&table.lock);
    for (unsigned i = from; i < PTYS_MAX && found < 0; i++) {
        found = table.pairs[i] != NULL && table.pairs[i]->node != NULL ? (int64_t)i : -ENOENT;
    }
    mutex_unlock(&table.lock);
    return found;
}

struct vnode *pty_node(unsigned number)
{
    mutex_lock(&table.lock);
    struct vnode *node = number < PTYS_MAX && table.pairs[number] != NULL ? table.pairs[number]->node : NULL;
    vnode_get(node);
    mutex_unlock(&table.lock);
    return node;
}

// The number is another's when nobody has any side of the pair open.
void pty_put(struct pty *pty)
{
    if (pty != NULL && __atomic_fetch_sub(&pty->references, 1, __ATOMIC_ACQ_REL) == 1) {
        mutex_lock(&table.lock);
        table.pairs[pty->number] = NULL;
        mutex_unlock(&table.lock);
        kfree(pty);
    }
}

static struct pty *pty_of(struct tty *tty)
{
    return container_of(tty, struct pty, tty);
}

// --- the slave as a terminal ---------------------------------------------------------------------------------------

static size_t room(struct tty *tty)
{
    const struct pty *pty = pty_of(tty);
    return PTY_OUTPUT - (pty->written - pty->read);
}

static void send(struct tty *tty, const char *text, size_t size)
{
    struct pty *pty = pty_of(tty);
    for (size_t i = 0; i < size && room(tty) > 0; i++) { // whoever writes has looked for room
        pty->output[pty->written++ % PTY_OUTPUT] = text[i];
    }
    condition_signal(&pty->to_master);
}

static void to_foreground(struct tty *tty, int signal)
{
    group_signal(tty->foreground, tty->session, signal);
}

static void tell(struct tty *tty)
{
    condition_signal(&pty_of(tty)->to_master);
}

// The pair is in the list of terminals, or in the table: it is there.
static int open_slave(struct tty *tty, struct file *file)
{
    struct pty *pty = pty_of(tty);
    mutex_lock(&tty->lock);
    int error = pty->locked || tty->hung_up ? -EIO : 0;
    if (error == 0) {
        (void)atomic_add(&pty->references, 1);
        pty->slaves++;
        pty->slave_seen = true;
        file->ops = &slave_ops;
        file->data = pty;
    }
    mutex_unlock(&tty->lock);
    return error;
}

static const struct tty_ops pair_ops = {
    .send = send, .signal = to_foreground, .room = room, .tell = tell, .open = open_slave};

int pty_open_slave(struct file *file, struct vnode *node)
{
    struct pty *pty = pair_of(node);
    int error = pty != NULL ? open_slave(&pty->tty, file) : -EIO;
    if (error == 0) {
        tty_opened(&pty->tty, file->flags);
    }
    pty_put(pty);
    return error;
}

static int64_t slave_read(struct file *file, struct io *io, uint64_t offset)
{
    struct pty *pty = file->data;
    return tty_read(&pty->tty, io, (file->flags & O_NONBLOCK) != 0);
}

static int64_t slave_write(struct file *file, struct io *io, uint64_t offset)
{
    struct pty *pty = file->data;
    return tty_write(&pty->tty, io, (file->flags & O_NONBLOCK) != 0);
}

static unsigned slave_poll(struct file *file, struct condition **changed)
{
    struct pty *pty = file->data;
    return tty_poll(&pty->tty, changed);
}

static int64_t slave_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    struct pty *pty = file->data;
    return tty_ioctl(&pty->tty, request, argument);
}

static void slave_release(struct file *file)
{
    struct pty *pty = file->data;
    mutex_lock(&pty->tty.lock);
    pty->slaves--;
    condition_signal(&pty->to_master);
    mutex_unlock(&pty->tty.lock);
    pty_put(pty);
}

static const struct file_ops slave_ops = {
    .read = slave_read,
    .write = slave_write,
    .poll = slave_poll,
    .ioctl = slave_ioctl,
    .release = slave_release,
    .stream = true,
    .kind = S_IFCHR | 0620,
};

// --- the master ----------------------------------------------------------------------------------------------------

static bool is_left(const struct pty *pty)
{
    return pty->slave_seen && pty->slaves == 0;
}

static int64_t give_output(struct pty *pty, struct io *io)
{
    int64_t done = 0;
    while (io->left > 0 && pty->read != pty->written) {
        uint32_t at = pty->read % PTY_OUTPUT;
        uint64_t part = min_u64(min_u64(io_run(io), pty->written - pty->read), PTY_OUTPUT - at);
        int error = io_give(io, pty->output + at, part);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        pty->read += (uint32_t)part;
        done += (int64_t)part;
    }
    condition_signal(&pty->tty.changed); // there is room
    return done;
}

static int64_t master_read(struct file *file, struct io *io, uint64_t offset)
{
    struct pty *pty = file->data;
    int64_t result = 0;
    mutex_lock(&pty->tty.lock);
    while (io->left > 0 && pty->read == pty->written && result == 0) {
        if (is_left(pty)) {
            result = -EIO;
        } else if ((file->flags & O_NONBLOCK) != 0) {
            result = -EAGAIN;
        } else if (condition_wait_interruptible(&pty->to_master, &pty->tty.lock) != 0) {
            result = -ERESTART;
        }
    }
    if (result == 0) {
        result = give_output(pty, io);
    }
    mutex_unlock(&pty->tty.lock);
    return result;
}

// Types a byte; sleeps while the other side is full. -EAGAIN, -ERESTART.
static int type(struct pty *pty, char byte, bool nonblock)
{
    for (;;) {
        uint32_t seen = condition_seen(&pty->to_master);
        if (tty_input(&pty->tty, byte)) {
            return 0;
        }
        if (nonblock) {
            return -EAGAIN;
        }
        if (condition_wait_after(&pty->to_master, seen, UINT64_MAX) != 0) {
            return -ERESTART;
        }
    }
}

static int64_t master_write(struct file *file, struct io *io, uint64_t offset)
{
    struct pty *pty = file->data;
    char chunk[64];
    int64_t done = 0;
    while (io->left > 0) {
        if (done > 0 && thread_interrupted()) { // as much may be written as there is memory
            return done;
        }
        uint64_t part = min_u64(io_run(io), sizeof(chunk));
        int error = io_take(io, chunk, part);
        for (uint64_t i = 0; i < part && error == 0; i++) {
            error = type(pty, chunk[i], (file->flags & O_NONBLOCK) != 0);
            done += error == 0;
        }
        if (error != 0) {
            return done > 0 ? done : error;
        }
    }
    return done;
}

static unsigned master_poll(struct file *file, struct condition **changed)
{
    struct pty *pty = file->data;
    mutex_lock(&pty->tty.lock);
    bool full = !tty_has(&pty->tty, ICANON) && pty->tty.written - pty->tty.read >= TTY_LINE_MAX - 1;
    unsigned ready =
        (pty->read != pty->written ? POLL_IN : 0) | (full ? 0 : POLL_OUT) | (is_left(pty) ? POLL_HANGUP : 0);
    mutex_unlock(&pty->tty.lock);
    *changed = &pty->to_master;
    return ready;
}

static int64_t open_peer(struct pty *pty, uint64_t flags)
{
    struct process *me = process_current();
    struct file *file;
    uint32_t known = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
    if ((flags & ~(uint64_t)known) != 0) {
        return -EINVAL;
    }
    int error = file_create(NULL, pty->node, (uint32_t)flags & ~O_CLOEXEC, &file);
    if (error != 0) {
        return error;
    }
    error = pty_open_slave(file, pty->node);
    file->flags &= ~O_NOCTTY;
    if (error != 0) {
        file_put(file);
        return error;
    }
    return fd_install(me->files, file, 0, (flags & O_CLOEXEC) != 0);
}

static int64_t master_ioctl(struct file *file, unsigned request, uint64_t argument)
{
    struct pty *pty = file->data;
    struct termios taken; // the largest of them
    size_t size = request == TIOCSPTLCK ? sizeof(int32_t) : tty_request_size(request);
    int64_t result = size > 0 ? copy_from_user(&taken, uaddr(argument), size) : 0;
    if (result != 0 || request == TIOCGPTPEER || request == TIOCSCTTY) {
        return result != 0 ? result : request == TIOCGPTPEER ? open_peer(pty, argument) : -ENOTTY;
    }
    mutex_lock(&pty->tty.lock);
    uint32_t value = request == TIOCGPTN ? pty->number : request == FIONREAD ? pty->written - pty->read : pty->locked;
    switch (request) {
    case TIOCGPTN:
    case TIOCGPTLCK:
    case FIONREAD:
        result = copy_to_user(uaddr(argument), &value, sizeof(value));
        break;
    case TIOCSPTLCK:
        __builtin_memcpy(&value, &taken, sizeof(value));
        pty->locked = value != 0;
        break;
    case TIOCSIG:
        // What can be typed; any other signal wants a right, which nobody asks for here.
        result = argument == SIGINT || argument == SIGQUIT || argument == SIGTSTP ? 0 : -EINVAL;
        if (result == 0) {
            to_foreground(&pty->tty, (int)argument);
        }
        break;
    default:
        result = tty_control(&pty->tty, request, argument, &taken);
    }
    mutex_unlock(&pty->tty.lock);
    return result;
}

static void master_release(struct file *file)
{
    struct pty *pty = file->data;
    tty_hang_up(&pty->tty);
    tty_delist(&pty->tty);
    mutex_lock(&table.lock);
    struct vnode *node = pty->node;
    pty->node = NULL;
    *devpts_pair(node) = NULL;
    mutex_unlock(&table.lock);
    vnode_put(node);
    pty_put(pty);
}

static const struct file_ops master_ops = {
    .read = master_read,
    .write = master_write,
    .poll = master_poll,
    .ioctl = master_ioctl,
    .release = master_release,
    .stream = true,
    .kind = S_IFCHR | 0620,
};

// --- making --------------------------------------------------------------------------------------------------------

// A number and a node for it. -ENOSPC: too many. With the table's lock.
static int enter(struct pty *pty)
{
    unsigned number = 0;
    while (number < PTYS_MAX && table.pairs[number] != NULL) {
        number++;
    }
    int error = number < PTYS_MAX ? devpts_make_node(pty, number, &pty->node) : -ENOSPC;
    if (error == 0) {
        pty->number = number;
        pty->tty.number = DEVICE_PTS + number;
        table.pairs[number] = pty;
    }
    return error;
}

static int open_master(struct file *file)
{
    void *memory;
    int error = kmalloc(sizeof(struct pty), &memory);
    if (error != 0) {
        return error;
    }
    struct pty *pty = memory;
    __builtin_memset(pty, 0, sizeof(*pty));
    tty_init(&pty->tty, &pair_ops, 0);
    pty->tty.window = (struct window_size){0, 0, 0, 0};
    condition_init(&pty->to_master, "master");
    pty->references = 1; // the file's: the pair is in the table as long as that is open
    pty->locked = true;
    mutex_lock(&table.lock);
    error = enter(pty);
    mutex_unlock(&table.lock);
    if (error != 0) {
        kfree(pty);
        return error;
    }
    tty_enlist(&pty->tty);
    file->ops = &master_ops;
    file->data = pty;
    return 0;
}

static const struct file_ops ptmx_ops = {.opened = open_master, .stream = true};

int pty_start(void)
{
    struct vnode *root = mount_root_node(), *dev = NULL, *place = NULL, *node = NULL;
    device_register(DEVICE_PTMX, "ptmx", 0666, &ptmx_ops);
    filesystem_register(&devpts);
    int error = root->ops->lookup(root, "dev", 3, &dev);
    if (error == 0) {
        error = dev->ops->create(dev, "ptmx", 4, S_IFCHR | 0666, DEVICE_PTMX, NULL, &credentials_kernel, &node);
        error = error == -EEXIST ? 0 : error;
    }
    if (error == 0) {
        error = dev->ops->lookup(dev, "pts", 3, &place);
    }
    if (error == -ENOENT) {
        error = dev->ops->create(dev, "pts", 3, S_IFDIR | 0755, 0, NULL, &credentials_kernel, &place);
    }
    if (error == 0) {
        error = mount_add(&devpts, "devpts", "", MOUNT_NO_SUID | MOUNT_NO_EXEC, place);
    }
    vnode_put(node);
    vnode_put(place);
    vnode_put(dev);
    vnode_put(root);
    return error;
}
