// What gzip(1) has compressed, through zlib's inflate. Source: RFC 1952. Task context; may sleep. Fault sites:
// slab_alloc, page_alloc.
#pragma once

#include "kernel/base/types.h"

struct gzip; // a stream

[[nodiscard]] int gzip_open(const void *image, size_t size, struct gzip **out); // -ENOMEM
// Up to size bytes of what was compressed; fewer at the end. -EINVAL: broken; -ENOMEM.
int64_t gzip_read(struct gzip *gzip, void *to, size_t size);
size_t gzip_close(struct gzip *gzip); // how many bytes of the image have been read
