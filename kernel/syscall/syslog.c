// The kernel's log by syslog(2); line by line it is /dev/kmsg. It is not cleared, and all of it is always unread.
#include "kernel/debug/log.h"

#include "kernel/base/format.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/access.h"
#include "kernel/syscall/bodies.h"

enum syslog_action {
    SYSLOG_CLOSE = 0,
    SYSLOG_OPEN = 1,
    SYSLOG_READ_ALL = 3,
    SYSLOG_CONSOLE_LEVEL = 8,
    SYSLOG_SIZE_BUFFER = 10,
};
#define LINE_MAX (LOG_WIDTH + 8)
#define CONSOLE_LEVELS 8u

static size_t give_line(char *out, const char *line)
{
    return format(out, LINE_MAX, "<6>%s\n", line);
}

// The newest lines that fit.
static int64_t read_all(uint64_t to, uint64_t room)
{
    char line[LOG_WIDTH], out[LINE_MAX];
    uint64_t total = 0, done = 0;
    uint32_t end = log_end(), at = 0;
    for (at = 0; at < end && log_read(&at, line); at++) {
        total += give_line(out, line);
    }
    for (at = 0; at < end && log_read(&at, line); at++) {
        size_t length = give_line(out, line);
        if (total <= room - done && length <= room - done) {
            int error = copy_to_user(uaddr(to + done), out, length);
            if (error != 0) {
                return error;
            }
            done += length;
        }
        total -= length;
    }
    return (int64_t)done;
}

int64_t sys_syslog(const uint64_t arguments[6])
{
    int32_t size = (int32_t)arguments[2];
    bool harmless = arguments[0] == SYSLOG_READ_ALL || arguments[0] == SYSLOG_SIZE_BUFFER;
    if (!may_use_log(harmless)) {
        return -EPERM;
    }
    switch ((int)arguments[0]) {
    case SYSLOG_OPEN:
    case SYSLOG_CLOSE:
        return 0;
    case SYSLOG_READ_ALL:
        return size < 0 || arguments[1] == 0 ? -EINVAL : read_all(arguments[1], (uint64_t)size);
    case SYSLOG_CONSOLE_LEVEL:
        if (size < 1 || size > (int32_t)CONSOLE_LEVELS) {
            return -EINVAL;
        }
        log_set_console_level(size <= 4 ? LOG_ERROR : size == 5 ? LOG_WARNING : size <= 7 ? LOG_INFO : LOG_DEBUG);
        return 0;
    case SYSLOG_SIZE_BUFFER:
        return (int64_t)LOG_LINES * LINE_MAX;
    default:
        return -EINVAL;
    }
}
