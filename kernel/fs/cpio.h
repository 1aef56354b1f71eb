// Archives of files in cpio's "newc" form, as initramfs images are. Source: Linux's
// Documentation/driver-api/early-userspace/buffer-format.rst. The first two functions are pure: any context.
#pragma once

#include "kernel/base/types.h"

struct cpio_entry {
    const char *name; // name_length bytes without the NUL; inside the image
    size_t name_length;
    const void *data;
    size_t size;
    uint32_t ino, mode, uid, gid, links, mtime, device_major, device_minor;
};

// The entry at *offset, which moves behind it. -ENOENT: the archive has ended; -EINVAL: it is broken there.
[[nodiscard]] int cpio_next(const void *image, size_t size, size_t *offset, struct cpio_entry *out);
// Makes the files of an archive in the root filesystem. -EINVAL and what making files says; what was made stays.
// *count: entries that were made.
[[nodiscard]] int cpio_unpack(const void *image, size_t size, uint32_t *count);
