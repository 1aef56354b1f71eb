#include "kernel/mm/usercopy.h"

#include <fault/fault.h>
#include <hal/irq.h>
#include <hal/user.h>

#include "kernel/base/assert.h"
#include "kernel/sync/context.h"

int copy_from_user(void *to, uaddr_t from, size_t size)
{
    context_may_sleep();
    bool allowed = user_range_ok(from, size) && !fault_here(FAULT_USER_COPY);
    size_t done = allowed ? user_copy_in(to, from, size) : 0;
    if (allowed && done == size) {
        return 0;
    }
    __builtin_memset((char *)to + done, 0, size - done);
    return -EFAULT;
}

int copy_to_user(uaddr_t to, const void *from, size_t size)
{
    context_may_sleep();
    if (!user_range_ok(to, size) || fault_here(FAULT_USER_COPY)) {
        return -EFAULT;
    }
    return user_copy_out(to, from, size) == size ? 0 : -EFAULT;
}

static int fail_string(char *to, int error)
{
    to[0] = 0;
    return error;
}

int copy_string_from_user(char *to, uaddr_t from, size_t limit, size_t *length)
{
    context_may_sleep();
    if (limit == 0) {
        return -EINVAL;
    }
    if (!user_range_ok(from, 1) || fault_here(FAULT_USER_COPY)) {
        return fail_string(to, -EFAULT);
    }
    // A string may end just below the limit of user space: do not ask for more than lies there.
    uint64_t room = min_u64(limit, USER_LIMIT - from.raw);
    int64_t copied = user_copy_string(to, from, room);
    if (copied < 0) {
        return fail_string(to, -EFAULT);
    }
    if ((uint64_t)copied == room) {
        return fail_string(to, room == limit ? -ENAMETOOLONG : -EFAULT);
    }
    *length = (size_t)copied;
    return 0;
}

int user_word_read(uaddr_t word, uint32_t *out)
{
    DEBUG_ASSERT(!irq_enabled());
    return user_range_ok(word, sizeof(*out)) && user_copy_in(out, word, sizeof(*out)) == sizeof(*out) ? 0 : -EFAULT;
}

int user_word_exchange(uaddr_t word, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    DEBUG_ASSERT(!irq_enabled());
    return user_range_ok(word, sizeof(*seen)) ? user_compare_exchange(word, expected, desired, seen) : -EFAULT;
}
