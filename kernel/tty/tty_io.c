// Reading and writing by programs.
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/proc/process.h"
#include "kernel/sched/thread.h"
#include "kernel/tty/tty_internal.h"

#define TENTH_NS 100000000ull // VTIME counts in these

// One line, or in raw mode what is there. With the lock.
static int64_t read_ready(struct tty *tty, struct io *io)
{
    bool canonical = tty_has(tty, ICANON);
    int64_t done = 0;
    while (io->left > 0 && tty->read != tty->ready) {
        char c = tty->bytes[tty->read % TTY_LINE_MAX];
        bool ends = canonical && tty_ends_line(tty, tty->read);
        if (ends && c == 0) { // the end of the file
            tty->read++;
            break;
        }
        int error = io_give(io, &c, 1);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        tty->read++;
        done++;
        if (ends) {
            break;
        }
    }
    if (tty->ops->tell != NULL) {
        tty->ops->tell(tty);
    }
    return done;
}

// Gives the lock up meanwhile. -ETIMEDOUT, -ERESTART.
static int wait_for_change(struct tty *tty, uint64_t deadline) NO_LOCK_ANALYSIS
{
    uint32_t seen = condition_seen(&tty->changed);
    mutex_unlock(&tty->lock);
    int error = condition_wait_after(&tty->changed, seen, deadline);
    mutex_lock(&tty->lock);
    return error == -EINTR ? -ERESTART : error;
}

static uint32_t readable(const struct tty *tty)
{
    return tty->ready - tty->read;
}

static int wait_for_line(struct tty *tty, bool nonblock)
{
    int error = 0;
    while (readable(tty) == 0 && !tty->hung_up && error == 0 && tty_has(tty, ICANON)) {
        error = nonblock ? -EAGAIN : wait_for_change(tty, UINT64_MAX);
    }
    return error;
}

// VMIN and VTIME: termios(3), "Canonical and noncanonical mode".
static int wait_raw(struct tty *tty, uint64_t wanted, bool nonblock)
{
    uint64_t time = tty->termios.characters[VTIME] * TENTH_NS;
    uint32_t least = (uint32_t)min_u64(tty->termios.characters[VMIN], wanted);
    uint32_t before = readable(tty);
    uint64_t deadline = time != 0 && (least == 0 || before > 0) ? timer_now() + time : UINT64_MAX;
    if (least == 0 && time == 0) {
        return 0;
    }
    while (readable(tty) < (least > 0 ? least : 1) && !tty->hung_up && !tty_has(tty, ICANON)) {
        int error = nonblock ? (readable(tty) > 0 ? -ETIMEDOUT : -EAGAIN) : wait_for_change(tty, deadline);
        if (error != 0) {
            return error == -ETIMEDOUT || (error == -ERESTART && readable(tty) > 0) ? 0 : error;
        }
        if (time != 0 && least > 0 && readable(tty) != before) { // between bytes
            before = readable(tty);
            deadline = timer_now() + time;
        }
    }
    return 0;
}

int64_t tty_read(struct tty *tty, struct io *io, bool nonblock)
{
    int64_t result = tty_check_background(tty, SIGTTIN);
    if (result != 0 || io->left == 0) {
        return result;
    }
    mutex_lock(&tty->lock);
    result = tty_has(tty, ICANON) ? wait_for_line(tty, nonblock) : wait_raw(tty, io->left, nonblock);
    if (result == 0) {
        result = read_ready(tty, io);
    }
    mutex_unlock(&tty->lock);
    return result;
}

unsigned tty_poll(struct tty *tty, struct condition **changed)
{
    mutex_lock(&tty->lock);
    const uint8_t *characters = tty->termios.characters;
    uint32_t least = !tty_has(tty, ICANON) && characters[VTIME] == 0 && characters[VMIN] > 0 ? characters[VMIN] : 1;
    bool room = !tty->stopped && (tty->ops->room == NULL || tty->ops->room(tty) >= TTY_PUT_MAX);
    unsigned ready = (room ? POLL_OUT : 0) | (readable(tty) >= least ? POLL_IN : 0);
    if (tty->hung_up) {
        ready |= POLL_IN | POLL_OUT | POLL_ERROR | POLL_HANGUP;
    }
    mutex_unlock(&tty->lock);
    *changed = &tty->changed;
    return ready;
}

// -EIO, -EAGAIN, -ERESTART.
static int wait_for_room(struct tty *tty, bool nonblock)
{
    int error = 0;
    while (error == 0 && !tty->hung_up &&
           (tty->stopped || (tty->ops->room != NULL && tty->ops->room(tty) < TTY_PUT_MAX))) {
        error = nonblock ? -EAGAIN : wait_for_change(tty, UINT64_MAX);
    }
    return tty->hung_up ? -EIO : error;
}

int64_t tty_write(struct tty *tty, struct io *io, bool nonblock)
{
    char chunk[128];
    int64_t done = 0;
    int error = tty_has(tty, TOSTOP) ? tty_check_background(tty, SIGTTOU) : 0;
    if (error != 0) {
        return error;
    }
    mutex_lock(&tty->lock);
    // A signal ends it early: as much may be written as there is memory.
    while (io->left > 0 && error == 0 && (done == 0 || !thread_interrupted())) {
        error = wait_for_room(tty, nonblock);
        uint64_t part = min_u64(io->left, sizeof(chunk));
        if (error == 0 && tty->ops->room != NULL) {
            part = min_u64(part, tty->ops->room(tty) / TTY_PUT_MAX); // whatever the characters become
        }
        error = error != 0 ? error : io_take(io, chunk, part);
        for (uint64_t i = 0; i < part && error == 0; i++) {
            tty_put(tty, chunk[i]);
            done++;
        }
    }
    mutex_unlock(&tty->lock);
    return done > 0 ? done : error;
}
