// Randomness.
#include <hal/entropy.h>

#include "kernel/mm/usercopy.h"
#include "kernel/sched/thread.h"
#include "kernel/syscall/bodies.h"

#define TRANSFER_MAX 0x7ffff000u // as for read(2)
#define GRND_RANDOM 2u
#define GRND_INSECURE 4u

int64_t sys_getrandom(const uint64_t arguments[6])
{
    uint8_t chunk[64];
    if ((arguments[2] & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE)) {
        return -EINVAL;
    }
    uint64_t done = 0, size = min_u64(arguments[1], TRANSFER_MAX);
    while (done < size && (done == 0 || !thread_interrupted())) {
        uint64_t part = min_u64(size - done, sizeof(chunk));
        entropy_fill(chunk, part);
        int error = copy_to_user(uaddr(arguments[0] + done), chunk, part);
        if (error != 0) {
            return done > 0 ? (int64_t)done : error;
        }
        done += part;
    }
    return (int64_t)done;
}
