#include "kernel/fs/gzip.h"

#include "kernel/mm/kmalloc.h"

#define Z_SOLO // no library of ours allocates for it
#include <zlib.h>

#define WINDOW_GZIP (15 + 16) // the largest, and with gzip's header and trailer

struct gzip {
    z_stream stream;
    bool ended;
};

static void *allocate(void *opaque, unsigned count, unsigned size)
{
    uint64_t bytes;
    void *memory;
    return mul_fits(count, size, &bytes) && kmalloc(bytes, &memory) == 0 ? memory : NULL;
}

static void release(void *opaque, void *memory)
{
    kfree(memory);
}

static int error_of(int result)
{
    return result == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
}

int gzip_open(const void *image, size_t size, struct gzip **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct gzip), &memory);
    if (error != 0) {
        return error;
    }
    struct gzip *gzip = memory;
    *gzip = (struct gzip){.stream = {.zalloc = allocate,
                                     .zfree = release,
                                     .next_in = (unsigned char *)image,
                                     .avail_in = (unsigned)min_u64(size, UINT32_MAX)}};
    int result = inflateInit2(&gzip->stream, WINDOW_GZIP);
    if (result != Z_OK) {
        kfree(gzip);
        return error_of(result);
    }
    *out = gzip;
    return 0;
}

int64_t gzip_read(struct gzip *gzip, void *to, size_t size)
{
    z_stream *stream = &gzip->stream;
    stream->next_out = to;
    stream->avail_out = (unsigned)min_u64(size, INT32_MAX);
    uint64_t wanted = stream->avail_out;
    while (stream->avail_out > 0 && !gzip->ended) {
        int result = inflate(stream, Z_NO_FLUSH);
        gzip->ended = result == Z_STREAM_END;
        if (result != Z_OK && result != Z_STREAM_END) { // also Z_BUF_ERROR: the image ends too early
            return error_of(result);
        }
    }
    return (int64_t)(wanted - stream->avail_out);
}

size_t gzip_close(struct gzip *gzip)
{
    size_t used = gzip->stream.total_in;
    (void)inflateEnd(&gzip->stream);
    kfree(gzip);
    return used;
}
