// Sets of files that are watched together. Source: epoll(7). Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

#define EPOLL_EXCLUSIVE (1u << 28)
#define EPOLL_WAKEUP (1u << 29)
#define EPOLL_ONE_SHOT (1u << 30)
#define EPOLL_EDGE (1u << 31)
#define EPOLL_DEPTH_MAX 5u // of sets inside sets

struct epoll_event { // as on arm64
    uint32_t events, padding;
    uint64_t data;
};

extern uint64_t epoll_user_watches_max; // of one user: fs.epoll.max_user_watches. 0: not known yet
uint64_t epoll_watches_max(void);       // and known then
[[nodiscard]] int epoll_create(uint32_t flags, struct file **out); // -ENOMEM
bool file_is_epoll(const struct file *file);
// fd is part of what names the watch. -EEXIST, -ENOENT, -EPERM: cannot be watched; -ELOOP: sets too deep, or in a
// circle; -EINVAL: too many ways from a file through sets of sets; -ENOSPC: more watches than a user may have; -ENOMEM.
// Nothing changed then.
[[nodiscard]] int epoll_add(struct file *set, struct file *file, int32_t fd, const struct epoll_event *event);
[[nodiscard]] int epoll_change(struct file *set, struct file *file, int32_t fd, const struct epoll_event *event);
[[nodiscard]] int epoll_remove(struct file *set, struct file *file, int32_t fd);
// Up to max events to user space, as soon as there is one; at most until deadline_ns (0: does not sleep). Their number,
// -EINTR, -EFAULT.
int64_t epoll_wait(struct file *set, uint64_t to, unsigned max, uint64_t deadline_ns);
[[nodiscard]] const char *epoll_check(struct file *set); // quiescent
