#include "kernel/syscall/names.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"

#define AT_FDCWD (-100)

static int find_directory(struct user_path *path, uint64_t dirfd)
{
    struct process *process = process_current();
    path->start = (struct path_start){process->root, process->directory, &process->as};
    if ((int32_t)dirfd == AT_FDCWD || path->text[0] == '/' || path->text[0] == 0) {
        return 0; // an empty path is dirfd itself, whatever that is
    }
    struct file *file;
    int error = fd_file(process->files, (uint32_t)dirfd, &file);
    if (error == 0) {
        bool good = file->node != NULL && vnode_is(file->node, S_IFDIR);
        error = good ? 0 : -ENOTDIR;
        if (good) {
            path->directory = path->start.directory = file->node;
            vnode_get(path->directory);
        }
        file_put(file);
    }
    return error;
}

int user_path_get(uint64_t dirfd, uint64_t path, bool empty_allowed, struct user_path *out)
{
    void *text;
    size_t length;
    *out = (struct user_path){.text = NULL};
    int error = kmalloc(PATH_MAX, &text);
    if (error != 0) {
        return error;
    }
    out->text = text;
    error = copy_string_from_user(text, uaddr(path), PATH_MAX, &length);
    if (error == 0 && length == 0 && !empty_allowed) {
        error = -ENOENT;
    }
    if (error == 0) {
        error = find_directory(out, dirfd);
    }
    if (error != 0) {
        kfree(text);
    }
    return error;
}

void user_path_put(struct user_path *path)
{
    vnode_put(path->directory);
    kfree(path->text);
}

int user_path_walk(uint64_t dirfd, uint64_t path, unsigned flags, struct path_end *out)
{
    struct user_path from;
    int error = user_path_get(dirfd, path, false, &from);
    if (error == 0) {
        error = path_walk(&from.start, from.text, flags, out);
        user_path_put(&from);
    }
    return error;
}
