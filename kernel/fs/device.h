// Character devices by number, as /dev has them. Source: null(4), random(4), tty(4); Linux's admin-guide/devices.txt.
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"

#define DEVICE(major, minor) ((uint64_t)(major) << 8 | (minor))
#define DEVICE_TTY DEVICE(5, 0)
#define DEVICE_CONSOLE DEVICE(5, 1)
#define DEVICE_PTMX DEVICE(5, 2)
#define DEVICE_PTS DEVICE(136, 0) // and upwards

extern const struct filesystem devtmpfs; // mounted anywhere, has a node for each device

// Another device: drivers call this before anything opens it. At most DEVICES_MAX.
#define DEVICES_MAX 16u
void device_register(uint64_t number, const char *name, uint32_t mode, const struct file_ops *ops);
[[nodiscard]] int device_open(struct file *file, uint64_t number); // sets file->ops. -ENXIO
[[nodiscard]] int device_make_nodes(void);                         // all of them, in /dev. What making files says
