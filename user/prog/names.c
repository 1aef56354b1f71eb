// names.def as tables.
#include "user/prog/text.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SET(set) SET_##set,
enum set {
#include "user/prog/names.def"
    SET_COUNT
};

#define SET(set) #set,
static const char *const set_names[] = {
#include "user/prog/names.def"
};

#define BIT(set_, name_, value_) {#name_, (uint64_t)(value_), SET_##set_, true},
#define ONE(set_, name_, value_) {#name_, (uint64_t)(value_), SET_##set_, false},
const struct prog_name prog_names[] = {
#include "user/prog/names.def"
};
const unsigned prog_name_count = COUNT(prog_names), prog_set_count = SET_COUNT;

#define USES(call, argument_, set_) {CALL_##call, (argument_), SET_##set_},
static const struct {
    uint16_t call;
    uint8_t argument, set;
} uses[] = {
#include "user/prog/names.def"
};

int prog_set_of(uint64_t number, unsigned argument)
{
    for (unsigned i = 0; i < COUNT(uses); i++) {
        if (uses[i].call == number && uses[i].argument == argument) {
            return uses[i].set;
        }
    }
    const struct prog_description *call = prog_describe(number);
    if (call != NULL && argument < call->argument_count && call->arguments[argument].kind == PROG_ARG_FD &&
        call->arguments[argument].param != 0) {
        return SET_AT;
    }
    return -1;
}

int prog_set_named(const char *name)
{
    for (unsigned i = 0; i < SET_COUNT; i++) {
        if (strcmp(set_names[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

#define ERROR_NAME(number, name) [number] = #name,
static const char *const errors[] = {
    ERROR_NAME(1, EPERM) ERROR_NAME(2, ENOENT) ERROR_NAME(3, ESRCH) ERROR_NAME(4, EINTR) ERROR_NAME(5, EIO)
        ERROR_NAME(6, ENXIO) ERROR_NAME(7, E2BIG) ERROR_NAME(8, ENOEXEC) ERROR_NAME(9, EBADF) ERROR_NAME(10, ECHILD)
            ERROR_NAME(11, EAGAIN) ERROR_NAME(12, ENOMEM) ERROR_NAME(13, EACCES) ERROR_NAME(14, EFAULT)
                ERROR_NAME(15, ENOTBLK) ERROR_NAME(16, EBUSY) ERROR_NAME(17, EEXIST) ERROR_NAME(18, EXDEV)
                    ERROR_NAME(19, ENODEV) ERROR_NAME(20, ENOTDIR) ERROR_NAME(21, EISDIR) ERROR_NAME(22, EINVAL)
                        ERROR_NAME(23, ENFILE) ERROR_NAME(24, EMFILE) ERROR_NAME(25, ENOTTY) ERROR_NAME(26, ETXTBSY)
                            ERROR_NAME(27, EFBIG) ERROR_NAME(28, ENOSPC) ERROR_NAME(29, ESPIPE) ERROR_NAME(30, EROFS)
                                ERROR_NAME(31, EMLINK) ERROR_NAME(32, EPIPE) ERROR_NAME(33, EDOM) ERROR_NAME(34, ERANGE)
                                    ERROR_NAME(35, EDEADLK) ERROR_NAME(36, ENAMETOOLONG) ERROR_NAME(37, ENOLCK)
                                        ERROR_NAME(38, ENOSYS) ERROR_NAME(39, ENOTEMPTY) ERROR_NAME(40, ELOOP)
                                            ERROR_NAME(61, ENODATA) ERROR_NAME(75, EOVERFLOW) ERROR_NAME(95, EOPNOTSUPP)
                                                ERROR_NAME(110, ETIMEDOUT) ERROR_NAME(125, ECANCELED)};

const char *prog_error_name(int64_t result)
{
    return result < 0 && -result < (int64_t)COUNT(errors) ? errors[-result] : NULL;
}
