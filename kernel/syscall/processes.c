// Processes: make, replace, wait, end.
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"

#define STRINGS_MAX 8192u // of argument and environment together

int64_t sys_clone(const uint64_t arguments[6])
{
    return process_fork(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
}

// Adds the strings that a user vector points to; their number.
static int add_vector(struct exec_strings *strings, uint64_t vector, uint32_t *count)
{
    for (*count = 0; vector != 0; vector += sizeof(uint64_t), (*count)++) {
        uint64_t text;
        size_t length;
        int error = copy_from_user(&text, uaddr(vector), sizeof(text));
        if (error != 0 || text == 0) {
            return error;
        }
        if (*count == STRINGS_MAX || strings->size == ARGUMENTS_MAX) {
            return -E2BIG;
        }
        error =
            copy_string_from_user(strings->bytes + strings->size, uaddr(text), ARGUMENTS_MAX - strings->size, &length);
        if (error != 0) {
            return error == -ENAMETOOLONG ? -E2BIG : error;
        }
        strings->size += length + 1;
    }
    return 0;
}

int64_t sys_execve(const uint64_t arguments[6])
{
    struct exec_strings strings;
    void *path;
    size_t length;
    int error = kmalloc(PATH_MAX, &path);
    if (error != 0) {
        return error;
    }
    error = exec_strings_init(&strings);
    error = error != 0 ? error : copy_string_from_user(path, uaddr(arguments[0]), PATH_MAX, &length);
    error = error != 0 ? error : add_vector(&strings, arguments[1], &strings.argc);
    error = error != 0 ? error : add_vector(&strings, arguments[2], &strings.envc);
    error = error != 0 ? error : process_exec(path, &strings);
    exec_strings_free(&strings);
    kfree(path);
    return error;
}

int64_t sys_wait4(const uint64_t arguments[6])
{
    static const char nothing[144];
    int status = 0;
    int pid = process_wait_child((int32_t)arguments[0], (unsigned)arguments[2], &status);
    int error = 0;
    if (pid > 0 && arguments[1] != 0) {
        error = copy_to_user(uaddr(arguments[1]), &status, sizeof(status));
    }
    if (pid > 0 && arguments[3] != 0 && error == 0) {
        error = copy_to_user(uaddr(arguments[3]), nothing, sizeof(nothing));
    }
    return error != 0 ? error : pid;
}

int64_t sys_exit(const uint64_t arguments[6])
{
    process_exit(exit_status((int)arguments[0]));
}

int64_t sys_exit_group(const uint64_t arguments[6])
{
    process_exit(exit_status((int)arguments[0]));
}

int64_t sys_getpid(const uint64_t arguments[6])
{
    return process_current()->pid;
}

int64_t sys_gettid(const uint64_t arguments[6])
{
    return process_current()->pid; // one thread each, for now
}

int64_t sys_set_tid_address(const uint64_t arguments[6])
{
    return process_current()->pid;
}

int64_t sys_getppid(const uint64_t arguments[6])
{
    return process_parent_id();
}

int64_t sys_getuid(const uint64_t arguments[6])
{
    return process_current()->as.uid;
}

int64_t sys_geteuid(const uint64_t arguments[6])
{
    return process_current()->as.uid;
}

int64_t sys_getgid(const uint64_t arguments[6])
{
    return process_current()->as.gid;
}

int64_t sys_getegid(const uint64_t arguments[6])
{
    return process_current()->as.gid;
}

int64_t sys_setpgid(const uint64_t arguments[6])
{
    return process_set_group((int32_t)arguments[0], (int32_t)arguments[1]);
}

int64_t sys_getpgid(const uint64_t arguments[6])
{
    return process_group_of((int32_t)arguments[0], false);
}

int64_t sys_getsid(const uint64_t arguments[6])
{
    return process_group_of((int32_t)arguments[0], true);
}

int64_t sys_setsid(const uint64_t arguments[6])
{
    return process_new_session();
}
