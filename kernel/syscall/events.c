// Events as files, and sets of files. Source: epoll(7), eventfd(2), timerfd_create(2), signalfd(2).
#include "kernel/events/eventfd.h"

#include "kernel/events/epoll.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

#define EFD_SEMAPHORE 1u
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLL_EVENTS_MAX (INT32_MAX / 16)
#define SET_SIZE 8u
#define NS_PER_MS 1000000ull

static struct fd_table *my_files(void)
{
    return process_current()->files;
}

static int64_t install(int error, struct file *file, uint32_t flags)
{
    return error != 0 ? error : fd_install(my_files(), file, 0, (flags & O_CLOEXEC) != 0);
}

int64_t sys_eventfd2(const uint64_t arguments[6])
{
    uint32_t flags = (uint32_t)arguments[1];
    struct file *file = NULL;
    int error = eventfd_create((uint32_t)arguments[0], (flags & EFD_SEMAPHORE) != 0, flags, &file);
    return install(error, file, flags);
}

// --- epoll ---------------------------------------------------------------------------------------------------------

int64_t sys_epoll_create1(const uint64_t arguments[6])
{
    struct file *file = NULL;
    int error = epoll_create(O_RDWR, &file);
    return install(error, file, (uint32_t)arguments[0]);
}

static int control(struct file *set, struct file *file, int32_t op, int32_t fd, const struct epoll_event *event)
{
    if (file->ops == NULL || file->ops->poll == NULL) {
        return -EPERM;
    }
    if (!file_is_epoll(set) || file == set) {
        return -EINVAL;
    }
    switch (op) {
    case EPOLL_CTL_ADD:
        return epoll_add(set, file, fd, event);
    case EPOLL_CTL_DEL:
        return epoll_remove(set, file, fd);
    case EPOLL_CTL_MOD:
        return epoll_change(set, file, fd, event);
    default:
        return -EINVAL;
    }
}

int64_t sys_epoll_ctl(const uint64_t arguments[6])
{
    int32_t op = (int32_t)arguments[1];
    struct epoll_event event = {0};
    struct file *set, *file;
    int error = op != EPOLL_CTL_DEL ? copy_from_user(&event, uaddr(arguments[3]), sizeof(event)) : 0;
    error = error != 0 ? error : fd_file(my_files(), (uint32_t)arguments[0], &set);
    if (error != 0) {
        return error;
    }
    error = fd_file(my_files(), (uint32_t)arguments[2], &file);
    if (error == 0) {
        error = control(set, file, op, (int32_t)arguments[2], &event);
        file_put(file);
    }
    file_put(set);
    return error;
}

static int64_t wait_for_events(const uint64_t arguments[6], uint64_t deadline)
{
    int32_t max = (int32_t)arguments[2];
    struct file *set;
    uint64_t mask;
    if (max <= 0 || max > EPOLL_EVENTS_MAX) {
        return -EINVAL;
    }
    if (!user_range_ok(uaddr(arguments[1]), (uint64_t)max * sizeof(struct epoll_event))) {
        return -EFAULT;
    }
    int64_t result = 0;
    if (arguments[4] != 0) {
        result = arguments[5] != SET_SIZE ? -EINVAL : copy_from_user(&mask, uaddr(arguments[4]), sizeof(mask));
    }
    result = result != 0 ? result : fd_file(my_files(), (uint32_t)arguments[0], &set);
    if (result != 0) {
        return result;
    }
    if (arguments[4] != 0) {
        signals_mask_for_now(mask);
    }
    result = file_is_epoll(set) ? epoll_wait(set, arguments[1], (unsigned)max, deadline) : -EINVAL;
    if (arguments[4] != 0 && result != -EINTR) {
        signals_mask_back();
    }
    file_put(set);
    return result;
}

int64_t sys_epoll_pwait(const uint64_t arguments[6])
{
    int32_t ms = (int32_t)arguments[3];
    return wait_for_events(arguments, ms < 0 ? UINT64_MAX : ms == 0 ? 0 : time_deadline((uint64_t)ms * NS_PER_MS));
}

int64_t sys_epoll_pwait2(const uint64_t arguments[6])
{
    uint64_t deadline = UINT64_MAX;
    if (arguments[3] != 0) {
        int error = time_from_user(arguments[3], &deadline);
        if (error != 0) {
            return error;
        }
        deadline = deadline == 0 ? 0 : time_deadline(deadline);
    }
    return wait_for_events(arguments, deadline);
}

// --- timerfd -------------------------------------------------------------------------------------------------------

struct user_itimerspec {
    struct user_timespec interval, value;
};

static int give_setting(uint64_t to, const struct timerfd_setting *setting)
{
    struct user_itimerspec user = {timespec_of(setting->interval_ns), timespec_of(setting->value_ns)};
    return copy_to_user(uaddr(to), &user, sizeof(user));
}

int64_t sys_timerfd_create(const uint64_t arguments[6])
{
    int32_t clockid = (int32_t)arguments[0];
    struct file *file = NULL;
    if (clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC && clockid != CLOCK_BOOTTIME) {
        return -EINVAL;
    }
    int error = timerfd_create(clockid, (uint32_t)arguments[1], &file);
    return install(error, file, (uint32_t)arguments[1]);
}

static int timer_file(uint64_t fd, struct file **out)
{
    int error = fd_file(my_files(), (uint32_t)fd, out);
    if (error == 0 && !file_is_timerfd(*out)) {
        file_put(*out);
        error = -EINVAL;
    }
    return error;
}

int64_t sys_timerfd_settime(const uint64_t arguments[6])
{
    struct user_itimerspec user;
    struct timerfd_setting setting, old;
    struct file *file;
    int error = copy_from_user(&user, uaddr(arguments[2]), sizeof(user));
    error = error != 0 ? error : timespec_ns(&user.interval, &setting.interval_ns);
    error = error != 0 ? error : timespec_ns(&user.value, &setting.value_ns);
    error = error != 0 ? error : timer_file(arguments[0], &file);
    if (error != 0) {
        return error;
    }
    timerfd_set(file, (unsigned)arguments[1], &setting, &old);
    file_put(file);
    return arguments[3] != 0 ? give_setting(arguments[3], &old) : 0;
}

int64_t sys_timerfd_gettime(const uint64_t arguments[6])
{
    struct timerfd_setting setting;
    struct file *file;
    int error = timer_file(arguments[0], &file);
    if (error != 0) {
        return error;
    }
    timerfd_get(file, &setting);
    file_put(file);
    return give_setting(arguments[1], &setting);
}

// --- signalfd ------------------------------------------------------------------------------------------------------

int64_t sys_signalfd4(const uint64_t arguments[6])
{
    struct file *file = NULL;
    uint64_t mask;
    int error = arguments[2] != SET_SIZE ? -EINVAL : copy_from_user(&mask, uaddr(arguments[1]), sizeof(mask));
    if (error != 0) {
        return error;
    }
    if ((int32_t)arguments[0] == -1) {
        error = signalfd_create(mask, (uint32_t)arguments[3], &file);
        return install(error, file, (uint32_t)arguments[3]);
    }
    error = fd_file(my_files(), (uint32_t)arguments[0], &file);
    if (error != 0) {
        return error;
    }
    if (file_is_signalfd(file)) {
        signalfd_set_mask(file, mask);
    } else {
        error = -EINVAL;
    }
    file_put(file);
    return error != 0 ? error : (int32_t)arguments[0];
}
