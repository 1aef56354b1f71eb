// Waiting for several files at once. Source: poll(2).
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/sync/condition.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

#define SET_SIZE 8u

struct user_pollfd {
    int32_t fd;
    uint16_t wanted, ready;
};

struct polled {
    struct user_pollfd user;
    struct file *file; // a reference; NULL: the descriptor is none, or only a place (O_PATH)
    struct condition *changed;
    struct listener listener;
};

static unsigned ask(struct polled *polled)
{
    polled->changed = NULL;
    if (polled->file == NULL) {
        return polled->user.fd < 0 ? 0 : POLL_INVALID;
    }
    return file_poll(polled->file, &polled->changed) & (polled->user.wanted | POLL_ERROR | POLL_HANGUP);
}

static int64_t ask_all(struct polled *all, uint64_t count)
{
    int64_t ready = 0;
    for (uint64_t i = 0; i < count; i++) {
        all[i].user.ready = (uint16_t)ask(&all[i]);
        ready += all[i].user.ready != 0;
    }
    return ready;
}

// Listening begins before the look that counts, so that nothing is missed in between.
static int64_t wait(struct polled *all, uint64_t count, uint64_t deadline)
{
    struct semaphore wake;
    semaphore_init(&wake, 0);
    int64_t ready = ask_all(all, count);
    if (ready > 0 || deadline == 0) {
        return ready;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (all[i].changed != NULL) {
            condition_listen(all[i].changed, &all[i].listener, &wake);
        }
    }
    int error = 0;
    while (error == 0 && (ready = ask_all(all, count)) == 0) {
        error = semaphore_down_interruptible_until(&wake, deadline);
    }
    for (uint64_t i = 0; i < count; i++) {
        if (all[i].changed != NULL) {
            condition_stop_listening(all[i].changed, &all[i].listener);
        }
    }
    return error == -EINTR ? -ERESTART_NOHAND : ready;
}

static int take(uint64_t from, struct polled *all, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        all[i] = (struct polled){.file = NULL};
        int error = copy_from_user(&all[i].user, uaddr(from + i * sizeof(all[i].user)), sizeof(all[i].user));
        if (error != 0) {
            return error;
        }
    }
    for (uint64_t i = 0; i < count; i++) {
        if (all[i].user.fd >= 0 && fd_file(process_current()->files, (uint32_t)all[i].user.fd, &all[i].file) != 0) {
            all[i].file = NULL;
        }
    }
    return 0;
}

static int64_t poll(uint64_t fds, uint64_t count, uint64_t deadline)
{
    void *memory;
    if (count > fd_limit()) {
        return -EINVAL;
    }
    int64_t result = kmalloc((count + 1) * sizeof(struct polled), &memory);
    if (result != 0) {
        return result;
    }
    struct polled *all = memory;
    result = take(fds, all, count);
    if (result == 0) {
        result = wait(all, count, deadline);
        for (uint64_t i = 0; i < count && result >= 0; i++) {
            uint64_t to = fds + i * sizeof(all[i].user) + offsetof(struct user_pollfd, ready);
            int error = copy_to_user(uaddr(to), &all[i].user.ready, sizeof(all[i].user.ready));
            result = error != 0 ? error : result;
        }
        for (uint64_t i = 0; i < count; i++) {
            file_put(all[i].file);
        }
    }
    kfree(memory);
    return result;
}

// What is left goes back to where the timeout was, as far as that can be written: select_tut(2).
static void give_rest(uint64_t to, uint64_t deadline)
{
    uint64_t now = timer_now();
    int error = to != 0 ? time_to_user(to, deadline > now ? deadline - now : 0) : 0;
    (void)error; // as on Linux: what was found counts
}

struct waiting {
    uint64_t deadline, timeout; // timeout: in user space, or 0
    bool masked;
};

static int begin(struct waiting *waiting, uint64_t timeout, uint64_t set, uint64_t set_size)
{
    uint64_t mask;
    *waiting = (struct waiting){.deadline = UINT64_MAX, .timeout = timeout, .masked = set != 0};
    if (timeout != 0) {
        int error = time_from_user(timeout, &waiting->deadline);
        if (error != 0) {
            return error;
        }
        waiting->deadline = waiting->deadline == 0 ? 0 : time_deadline_of_call(waiting->deadline);
    }
    if (set != 0) {
        int error = set_size != SET_SIZE ? -EINVAL : copy_from_user(&mask, uaddr(set), sizeof(mask));
        if (error != 0) {
            return error;
        }
        signals_mask_for_now(mask);
    }
    return 0;
}

static void end(const struct waiting *waiting, int64_t result)
{
    if (waiting->masked && result != -ERESTART_NOHAND) {
        signals_mask_back();
    }
    give_rest(waiting->timeout, waiting->deadline);
}

int64_t sys_ppoll(const uint64_t arguments[6])
{
    struct waiting waiting;
    int64_t result = begin(&waiting, arguments[2], arguments[3], arguments[4]);
    if (result == 0) {
        result = poll(arguments[0], (uint32_t)arguments[1], waiting.deadline);
        end(&waiting, result);
    }
    return result;
}

// --- select --------------------------------------------------------------------------------------------------------

#define SELECT_WORDS 16u // of each set: 1024 descriptors; with more, the rest is not looked at
#define SELECT_IN (POLL_IN | POLL_READ_NORMAL | POLL_HANGUP | POLL_ERROR | POLL_INVALID)
#define SELECT_OUT (POLL_OUT | POLL_WRITE_NORMAL | POLL_ERROR | POLL_INVALID)
#define SELECT_EXCEPT (POLL_PRIORITY | POLL_INVALID)

struct selection {
    uint64_t sets[3][SELECT_WORDS]; // readable, writable, exceptional
    uint64_t words;
};

static unsigned wanted_of(const struct selection *selection, unsigned fd)
{
    static const unsigned kinds[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};
    unsigned wanted = 0;
    for (unsigned i = 0; i < 3; i++) {
        wanted |= (selection->sets[i][fd / 64] >> fd % 64 & 1) != 0 ? kinds[i] : 0;
    }
    return wanted;
}

// The files of all descriptors that some set has. -EBADF: not open.
static int take_selected(const struct selection *selection, struct polled *all, uint64_t *count)
{
    *count = 0;
    for (unsigned fd = 0; fd < selection->words * 64; fd++) {
        unsigned wanted = wanted_of(selection, fd);
        if (wanted == 0) {
            continue;
        }
        struct polled *polled = &all[*count];
        *polled = (struct polled){.user = {.fd = (int32_t)fd, .wanted = (uint16_t)wanted}};
        int error = fd_file_or_place(process_current()->files, fd, &polled->file);
        if (error != 0) {
            return error;
        }
        (*count)++;
        if ((READ_ONCE(polled->file->flags) & O_PATH) != 0) {
            file_put(polled->file);
            polled->file = NULL;
        }
    }
    return 0;
}

static int64_t note_ready(struct selection *selection, const struct polled *all, uint64_t count)
{
    struct selection found = {.words = selection->words};
    static const unsigned kinds[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};
    int64_t bits = 0;
    for (uint64_t k = 0; k < count; k++) {
        unsigned fd = (unsigned)all[k].user.fd;
        for (unsigned i = 0; i < 3; i++) {
            bool set = (selection->sets[i][fd / 64] >> fd % 64 & 1) != 0 && (all[k].user.ready & kinds[i]) != 0;
            found.sets[i][fd / 64] |= (uint64_t)set << fd % 64;
            bits += set;
        }
    }
    *selection = found;
    return bits;
}

static int64_t select_files(struct selection *selection, uint64_t deadline)
{
    uint64_t count = 0;
    void *memory;
    int64_t result = kmalloc((selection->words * 64 + 1) * sizeof(struct polled), &memory);
    if (result != 0) {
        return result;
    }
    struct polled *all = memory;
    result = take_selected(selection, all, &count);
    if (result == 0) {
        result = wait(all, count, deadline);
        result = result >= 0 ? note_ready(selection, all, count) : result;
    }
    for (uint64_t i = 0; i < count; i++) {
        file_put(all[i].file);
    }
    kfree(memory);
    return result;
}

static int move_sets(struct selection *selection, const uint64_t arguments[6], unsigned descriptors, bool give)
{
    uint64_t size = selection->words * sizeof(uint64_t);
    int error = 0;
    for (unsigned i = 0; i < 3 && error == 0; i++) {
        uint64_t *set = selection->sets[i], at = arguments[1 + i];
        if (at == 0 || size == 0) {
            continue;
        }
        error = give ? copy_to_user(uaddr(at), set, size) : copy_from_user(set, uaddr(at), size);
        if (!give && descriptors % 64 != 0) { // those above do not count
            set[selection->words - 1] &= (1ull << descriptors % 64) - 1;
        }
    }
    return error;
}

int64_t sys_pselect6(const uint64_t arguments[6])
{
    struct waiting waiting;
    struct selection selection = {.words = 0};
    uint64_t mask[2] = {0, 0}; // its address and its size
    int32_t descriptors = (int32_t)arguments[0];
    int64_t result = arguments[5] != 0 ? copy_from_user(mask, uaddr(arguments[5]), sizeof(mask)) : 0;
    if (result == 0 && descriptors < 0) {
        result = -EINVAL;
    }
    if (result != 0) {
        return result;
    }
    unsigned looked_at =
        (unsigned)min_u64((uint64_t)descriptors, max_u64(process_current()->files->capacity, 64)); // a whole word
    looked_at = looked_at > SELECT_WORDS * 64 ? SELECT_WORDS * 64 : looked_at;
    selection.words = (looked_at + 63) / 64;
    result = begin(&waiting, arguments[4], mask[0], mask[1]);
    if (result != 0) {
        return result;
    }
    result = move_sets(&selection, arguments, looked_at, false);
    result = result != 0 ? result : select_files(&selection, waiting.deadline);
    if (result >= 0) {
        int error = move_sets(&selection, arguments, looked_at, true);
        result = error != 0 ? error : result;
    }
    end(&waiting, result);
    return result;
}
