// Archives of files in cpio's "newc" form, as initramfs images are. Source: Linux's
// Documentation/driver-api/early-userspace/buffer-format.rst. Task context; may sleep.
#pragma once

#include "kernel/base/types.h"

#define CPIO_HEADER_SIZE 110u

struct cpio_entry {
    uint32_t ino, mode, uid, gid, links, mtime, size, device_major, device_minor, special_major, special_minor;
    uint32_t name_size; // with the NUL
};

// Where the bytes of an archive come from, one after the other.
struct cpio_source {
    // Exactly size bytes, or fewer at the end; an error. to NULL: they are passed over.
    int64_t (*read)(struct cpio_source *source, void *to, uint64_t size);
};

// A header. -EINVAL: it is none. Pure: any context.
[[nodiscard]] int cpio_parse(const char header[CPIO_HEADER_SIZE], struct cpio_entry *out);
// Makes the files of one archive in the root filesystem, up to its trailer. -EINVAL, and what reading and making files
// says; what was made stays. *count goes up with each entry that was made.
[[nodiscard]] int cpio_unpack(struct cpio_source *source, uint32_t *count);
// An image: archives, plain or compressed by gzip, with any number of zeroes between them. As above.
[[nodiscard]] int cpio_unpack_image(const void *image, size_t size, uint32_t *count);
