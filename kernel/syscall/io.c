// Reading and writing. Until there are files, descriptors 1 and 2 are the console and 0 is always at its end.
#include "kernel/debug/console.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/bodies.h"

#define CHUNK 256u
#define IOV_SIZE 16u

static bool is_output(uint64_t fd)
{
    return (int32_t)fd == 1 || (int32_t)fd == 2;
}

int64_t sys_read(const uint64_t arguments[6])
{
    return (int32_t)arguments[0] == 0 ? 0 : -EBADF;
}

// Bytes written; the error of the first chunk if there was none, else what came before it (write(2)).
static int64_t write_console(uaddr_t from, uint64_t size)
{
    char chunk[CHUNK];
    uint64_t done = 0;
    while (done < size) {
        uint64_t part = min_u64(size - done, CHUNK);
        int error = copy_from_user(chunk, uaddr(from.raw + done), part);
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        console_write(chunk, part);
        done += part;
    }
    return (int64_t)done;
}

int64_t sys_write(const uint64_t arguments[6])
{
    if (!is_output(arguments[0])) {
        return -EBADF;
    }
    return write_console(uaddr(arguments[1]), arguments[2]);
}

int64_t sys_writev(const uint64_t arguments[6])
{
    if (!is_output(arguments[0])) {
        return -EBADF;
    }
    int64_t total = 0;
    for (uint64_t i = 0; i < arguments[2]; i++) {
        struct {
            uint64_t base, length;
        } part;
        int error = copy_from_user(&part, uaddr(arguments[1] + i * IOV_SIZE), sizeof(part));
        if (error == 0 && (part.length > INT64_MAX || !user_range_ok(uaddr(part.base), part.length))) {
            error = part.length > INT64_MAX ? -EINVAL : -EFAULT;
        }
        int64_t wrote = error != 0 ? error : write_console(uaddr(part.base), part.length);
        if (wrote < 0) {
            return total > 0 ? total : wrote;
        }
        total += wrote;
        if ((uint64_t)wrote < part.length) {
            break;
        }
    }
    return total;
}
