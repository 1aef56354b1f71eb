// Counters, timers and signals as files. Source: eventfd(2), timerfd_create(2), signalfd(2). Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

[[nodiscard]] int eventfd_create(uint64_t value, bool semaphore, uint32_t flags, struct file **out); // -ENOMEM

#define TIMERFD_ABSOLUTE 1u
#define TIMERFD_CANCEL_ON_SET 2u
struct timerfd_setting {
    uint64_t interval_ns, value_ns; // value 0: not armed
};
[[nodiscard]] int timerfd_create(int clockid, uint32_t flags, struct file **out); // -ENOMEM
bool file_is_timerfd(const struct file *file);
void timerfd_set(struct file *file, unsigned flags, const struct timerfd_setting *setting, struct timerfd_setting *old);
void timerfd_get(struct file *file, struct timerfd_setting *out);

[[nodiscard]] int signalfd_create(uint64_t mask, uint32_t flags, struct file **out); // -ENOMEM
bool file_is_signalfd(const struct file *file);
void signalfd_set_mask(struct file *file, uint64_t mask);
