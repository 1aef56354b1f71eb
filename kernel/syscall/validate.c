// Argument validators: pure functions of the description and the six words.
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/syscall.h"

#define AT_FDCWD (-100)
#define IOV_MAX 1024u
#define IOV_SIZE 16u

static int check_range(uint64_t address, uint64_t size)
{
    return user_range_ok(uaddr(address), size) ? 0 : -EFAULT;
}

// Where a path begins matters only to one that is not absolute.
static int check_fd(uint64_t value, bool begins_path)
{
    return (int32_t)value >= 0 || begins_path ? 0 : -EBADF;
}

static int check_vector(uint64_t address, uint64_t count)
{
    if (count > IOV_MAX) {
        return -EINVAL;
    }
    return check_range(address, count * IOV_SIZE);
}

static int check_argument(const struct syscall_argument *argument, uint64_t value, const uint64_t arguments[6])
{
    switch (argument->kind) {
    case ARG_END:
    case ARG_INT:
    case ARG_UINT:
    case ARG_PID:
    case ARG_ADDRESS:
    case ARG_STRUCT_OUT_OPT:
        return 0;
    case ARG_FD:
        return check_fd(value, argument->param != 0);
    case ARG_SIZE:
        return value <= INT64_MAX ? 0 : -EINVAL;
    case ARG_FLAGS:
        return ((uint32_t)value & ~argument->param) == 0 ? 0 : -EINVAL;
    case ARG_ENUM:
        return (uint32_t)value <= argument->param ? 0 : -EINVAL;
    case ARG_SIGNAL:
        return (uint32_t)value >= 1 && (uint32_t)value <= 64 ? 0 : -EINVAL;
    case ARG_PATH:
        return check_range(value, 1);
    case ARG_BUF_IN:
    case ARG_BUF_OUT:
        return check_range(value, arguments[argument->param]);
    case ARG_STRUCT_IN_OPT:
        return value == 0 ? 0 : check_range(value, argument->param);
    case ARG_STRUCT_IN:
    case ARG_STRUCT_OUT:
        return check_range(value, argument->param);
    case ARG_VEC_IN:
        return check_vector(value, arguments[argument->param]);
    }
    return -EINVAL;
}

int syscall_validate(const struct syscall_description *description, const uint64_t arguments[6])
{
    for (unsigned i = 0; i < 6 && description->arguments[i].kind != ARG_END; i++) {
        int error = check_argument(&description->arguments[i], arguments[i], arguments);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}
