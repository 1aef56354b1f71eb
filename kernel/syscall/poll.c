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
    struct file *file; // a reference, or NULL
    struct condition *changed;
    struct listener listener;
};

static unsigned ask(struct polled *polled)
{
    struct file *file = polled->file;
    polled->changed = NULL;
    if (file == NULL) {
        return polled->user.fd < 0 ? 0 : POLL_INVALID;
    }
    bool able = file->ops != NULL && file->ops->poll != NULL;
    unsigned ready = able ? file->ops->poll(file, &polled->changed) : POLL_IN | POLL_OUT;
    return ready & (polled->user.wanted | POLL_ERROR | POLL_HANGUP);
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
    if (count > process_current()->files->limit) {
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

int64_t sys_ppoll(const uint64_t arguments[6])
{
    uint64_t deadline = UINT64_MAX, mask;
    if (arguments[2] != 0) {
        int error = time_from_user(arguments[2], &deadline);
        if (error != 0) {
            return error;
        }
        deadline = deadline == 0 ? 0 : time_deadline_of_call(deadline);
    }
    if (arguments[3] != 0) {
        int error = arguments[4] != SET_SIZE ? -EINVAL : copy_from_user(&mask, uaddr(arguments[3]), sizeof(mask));
        if (error != 0) {
            return error;
        }
        signals_mask_for_now(mask);
    }
    int64_t result = poll(arguments[0], arguments[1], deadline);
    if (arguments[3] != 0 && result != -ERESTART_NOHAND) {
        signals_mask_back();
    }
    return result;
}
