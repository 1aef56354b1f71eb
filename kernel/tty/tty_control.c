// Who a terminal belongs to, who is in front, and requests. Source: ioctl_tty(2), credentials(7).
#include "kernel/base/atomic.h"
#include "kernel/fs/device.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/jobs.h"
#include "kernel/tty/tty_internal.h"

#define TCGETS 0x5401u
#define TCSETS 0x5402u
#define TCSETSW 0x5403u
#define TCSETSF 0x5404u
#define TCSBRK 0x5409u
#define TCXONC 0x540au
#define TCFLSH 0x540bu
#define TIOCEXCL 0x540cu
#define TIOCNXCL 0x540du
#define TIOCSCTTY 0x540eu
#define TIOCGPGRP 0x540fu
#define TIOCSPGRP 0x5410u
#define TIOCOUTQ 0x5411u
#define TIOCSTI 0x5412u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define FIONREAD 0x541bu
#define TIOCNOTTY 0x5422u
#define TIOCGETD 0x5424u
#define TCSBRKP 0x5425u
#define TIOCGSID 0x5429u

static struct {
    struct mutex lock; // covers the list, and which session has which terminal: to change it, with the terminal's too
    struct list terminals;
} all = {MUTEX_INIT(all.lock, "terminals"), {&all.terminals, &all.terminals}};

// --- whose it is ---------------------------------------------------------------------------------------------------

void tty_enlist(struct tty *tty)
{
    mutex_lock(&all.lock);
    list_push_back(&all.terminals, &tty->link);
    mutex_unlock(&all.lock);
}

void tty_delist(struct tty *tty)
{
    mutex_lock(&all.lock);
    list_remove(&tty->link);
    mutex_unlock(&all.lock);
}

// With the list's lock.
static struct tty *find(int32_t session)
{
    list_for_each(at, &all.terminals)
    {
        struct tty *tty = container_of(at, struct tty, link);
        if (tty->session == session && session != 0) {
            return tty;
        }
    }
    return NULL;
}

void tty_of_session(int32_t session, struct tty_place *out)
{
    mutex_lock(&all.lock);
    const struct tty *tty = find(session);
    *out = tty != NULL ? (struct tty_place){tty->number, tty->foreground} : (struct tty_place){0};
    mutex_unlock(&all.lock);
}

static void give_to(struct tty *tty, int32_t session, int32_t foreground)
{
    mutex_lock(&tty->lock);
    tty->session = session;
    tty->foreground = foreground;
    mutex_unlock(&tty->lock);
}

// Nobody's from now on; who was in front is told. With the list's lock.
static void take_away(struct tty *tty)
{
    int32_t foreground = tty->foreground, session = tty->session;
    give_to(tty, 0, 0);
    group_signal(foreground, session, SIGHUP);
    group_signal(foreground, session, SIGCONT);
}

static void on_session_end(int32_t session)
{
    mutex_lock(&all.lock);
    struct tty *tty = find(session);
    if (tty != NULL) {
        take_away(tty);
    }
    mutex_unlock(&all.lock);
}

void tty_opened(struct tty *tty, uint32_t flags)
{
    const struct process *me = process_current();
    WRITE_ONCE(session_ended, on_session_end);
    if (me == NULL || (flags & (O_NOCTTY | O_PATH)) != 0 || me->session != me->pid) {
        return;
    }
    mutex_lock(&all.lock);
    if (tty->session == 0 && find(me->session) == NULL && !list_empty(&tty->link)) {
        give_to(tty, me->session, me->group);
    }
    mutex_unlock(&all.lock);
}

void tty_hang_up(struct tty *tty)
{
    mutex_lock(&all.lock);
    int32_t session = tty->session;
    mutex_lock(&tty->lock);
    tty->hung_up = true;
    condition_signal(&tty->changed);
    mutex_unlock(&tty->lock);
    if (session != 0) {
        take_away(tty);
        group_signal(session, session, SIGHUP); // the leader's own
        group_signal(session, session, SIGCONT);
    }
    mutex_unlock(&all.lock);
}

static bool is_mine(const struct tty *tty)
{
    const struct process *me = process_current();
    return me != NULL && tty->session != 0 && tty->session == me->session;
}

int tty_check_background(struct tty *tty, int signal)
{
    const struct process *me = process_current();
    mutex_lock(&tty->lock);
    bool behind = is_mine(tty) && tty->foreground != 0 && tty->foreground != me->group;
    mutex_unlock(&tty->lock);
    return behind ? process_in_background(signal) : 0;
}

static int set_controlling(struct tty *tty, uint64_t steal)
{
    const struct process *me = process_current();
    int error = 0;
    mutex_lock(&all.lock);
    if (me->session == me->pid && tty->session == me->session) {
        error = 0; // it is already
    } else if (me->session != me->pid || find(me->session) != NULL || list_empty(&tty->link) ||
               (tty->session != 0 && (steal != 1 || !capable(CAP_SYS_ADMIN)))) {
        error = -EPERM;
    } else {
        give_to(tty, me->session, me->group);
    }
    mutex_unlock(&all.lock);
    return error;
}

static int give_up_controlling(struct tty *tty)
{
    const struct process *me = process_current();
    mutex_lock(&all.lock);
    int error = is_mine(tty) ? 0 : -ENOTTY;
    if (error == 0 && me->session == me->pid) { // others of its session cannot do without it by themselves
        take_away(tty);
    }
    mutex_unlock(&all.lock);
    return error;
}

// --- requests ------------------------------------------------------------------------------------------------------

static int give(uint64_t to, const void *from, size_t size)
{
    return copy_to_user(uaddr(to), from, size);
}

static void set_termios(struct tty *tty, const struct termios *wanted, bool flush)
{
    bool changed = ((tty->termios.local ^ wanted->local) & ICANON) != 0;
    tty->termios = *wanted;
    if (flush) {
        tty_forget_input(tty);
    }
    if (changed) { // what was typed can be read now, as bytes
        __builtin_memset(tty->ends, 0, sizeof(tty->ends));
        tty->literal = false;
        tty_take_line(tty);
    }
    if ((tty->termios.input & IXON) == 0 && tty->stopped) {
        tty->stopped = false;
    }
    condition_signal(&tty->changed);
}

void tty_set_window(struct tty *tty, const struct window_size *size)
{
    if (__builtin_memcmp(&tty->window, size, sizeof(*size)) != 0) {
        tty->window = *size;
        tty->ops->signal(tty, SIGWINCH);
    }
}

static int64_t set_foreground(struct tty *tty, int32_t group)
{
    if (!is_mine(tty)) {
        return -ENOTTY;
    }
    if (group < 0) {
        return -EINVAL;
    }
    if (!group_in_session(group, tty->session)) {
        return process_group_of(group, false) < 0 ? -ESRCH : -EPERM;
    }
    tty->foreground = group;
    return 0;
}

// How much can be read, or the rest of the first line.
static uint32_t waiting(const struct tty *tty)
{
    uint32_t count = 0;
    for (uint32_t at = tty->read; at != tty->ready; at++) {
        bool end_of_file = tty_has(tty, ICANON) && tty_ends_line(tty, at) && tty->bytes[at % TTY_LINE_MAX] == 0;
        count += !end_of_file;
    }
    return count;
}

static int64_t flush(struct tty *tty, uint64_t which)
{
    if (which == 0 || which == 2) { // TCIFLUSH, TCIOFLUSH; output does not wait
        tty_forget_input(tty);
    }
    return which <= 2 ? 0 : -EINVAL;
}

static int64_t suspend(struct tty *tty, uint64_t which)
{
    if (which > 3) {
        return -EINVAL;
    }
    if (which < 2) { // TCOOFF, TCOON; the other two are for the device
        tty->stopped = which == 0;
        condition_signal(&tty->changed);
    }
    return 0;
}

int64_t tty_control(struct tty *tty, unsigned request, uint64_t argument, const void *taken)
{
    static const uint32_t nothing = 0;
    uint32_t count;
    switch (request) {
    case TCGETS:
        return give(argument, &tty->termios, sizeof(tty->termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        set_termios(tty, taken, request == TCSETSF);
        return 0;
    case TCFLSH:
        return flush(tty, argument);
    case TCXONC:
        return suspend(tty, argument);
    case TCSBRK:
    case TCSBRKP:
    case TIOCEXCL:
    case TIOCNXCL:
        return 0; // no line to break; who is root opens it anyway
    case TIOCGPGRP:
        return is_mine(tty) ? give(argument, &tty->foreground, sizeof(tty->foreground)) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(tty, *(const int32_t *)taken);
    case TIOCGWINSZ:
        return give(argument, &tty->window, sizeof(tty->window));
    case TIOCSWINSZ:
        tty_set_window(tty, taken);
        return 0;
    case FIONREAD:
        count = waiting(tty);
        return give(argument, &count, sizeof(count));
    case TIOCOUTQ:
    case TIOCGETD:
        return give(argument, &nothing, sizeof(nothing));
    case TIOCGSID:
        return is_mine(tty) ? give(argument, &tty->session, sizeof(tty->session)) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}

size_t tty_request_size(unsigned request)
{
    switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return sizeof(struct termios);
    case TIOCSPGRP:
        return sizeof(int32_t);
    case TIOCSWINSZ:
        return sizeof(struct window_size);
    default:
        return 0;
    }
}

// What only those in front may do.
static bool is_for_foreground(unsigned request)
{
    return request == TCSETS || request == TCSETSW || request == TCSETSF || request == TIOCSPGRP || request == TCFLSH ||
           request == TCXONC || request == TCSBRK || request == TCSBRKP;
}

int64_t tty_ioctl(struct tty *tty, unsigned request, uint64_t argument)
{
    struct termios taken; // the largest of them
    if (request == TIOCSCTTY || request == TIOCNOTTY) {
        return request == TIOCSCTTY ? set_controlling(tty, argument) : give_up_controlling(tty);
    }
    int64_t result = is_for_foreground(request) ? tty_check_background(tty, SIGTTOU) : 0;
    size_t size = tty_request_size(request);
    result = result == 0 && size > 0 ? copy_from_user(&taken, uaddr(argument), size) : result;
    if (result != 0) {
        return result;
    }
    mutex_lock(&tty->lock);
    result = tty->hung_up ? -EIO : tty_control(tty, request, argument, &taken);
    mutex_unlock(&tty->lock);
    return result;
}

// --- /dev/tty ------------------------------------------------------------------------------------------------------

static int open_mine(struct file *file)
{
    const struct process *me = process_current();
    mutex_lock(&all.lock);
    struct tty *tty = me != NULL ? find(me->session) : NULL;
    int error = tty != NULL ? tty->ops->open(tty, file) : -ENXIO;
    mutex_unlock(&all.lock);
    return error;
}

const struct file_ops tty_mine_ops = {.opened = open_mine, .stream = true};
