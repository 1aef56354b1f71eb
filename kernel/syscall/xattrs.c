// Extended attributes, which no filesystem here has: the answers of one that was built without them. Source: xattr(7).
#include "kernel/fs/path.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/names.h"

#define AT_FDCWD ((uint64_t)-100)
#define XATTR_NAME_MAX 255u

static int64_t answer_name(uint64_t name, int64_t found)
{
    char text[XATTR_NAME_MAX + 1];
    size_t length;
    if (found != 0) {
        return found;
    }
    int error = copy_string_from_user(text, uaddr(name), sizeof(text), &length);
    return error == -ENAMETOOLONG || (error == 0 && length == 0) ? -ERANGE : error != 0 ? error : -EOPNOTSUPP;
}

static int64_t find(uint64_t path, unsigned flags)
{
    struct path_end end;
    int error = user_path_walk(AT_FDCWD, path, flags, &end);
    if (error == 0) {
        path_end_put(&end);
    }
    return error;
}

static int64_t find_open(uint64_t fd)
{
    struct file *file;
    int error = fd_file(process_current()->files, (uint32_t)fd, &file);
    if (error == 0) {
        file_put(file);
    }
    return error;
}

#define BY_PATH(name_, flags_)                                                                                         \
    int64_t sys_##name_(const uint64_t arguments[6])                                                                   \
    {                                                                                                                  \
        return answer_name(arguments[1], find(arguments[0], flags_));                                                  \
    }
#define BY_FD(name_)                                                                                                   \
    int64_t sys_##name_(const uint64_t arguments[6])                                                                   \
    {                                                                                                                  \
        return answer_name(arguments[1], find_open(arguments[0]));                                                     \
    }

BY_PATH(setxattr, PATH_FOLLOW)
BY_PATH(lsetxattr, 0)
BY_FD(fsetxattr)
BY_PATH(getxattr, PATH_FOLLOW)
BY_PATH(lgetxattr, 0)
BY_FD(fgetxattr)
BY_PATH(removexattr, PATH_FOLLOW)
BY_PATH(lremovexattr, 0)
BY_FD(fremovexattr)

int64_t sys_listxattr(const uint64_t arguments[6])
{
    return find(arguments[0], PATH_FOLLOW); // found: none
}

int64_t sys_llistxattr(const uint64_t arguments[6])
{
    return find(arguments[0], 0);
}

int64_t sys_flistxattr(const uint64_t arguments[6])
{
    return find_open(arguments[0]);
}
