#include "kernel/syscall/names.h"

#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/syscall/structs.h"

#define AT_FDCWD (-100)

int path_start_at(struct path_start *start, uint64_t dirfd)
{
    struct file *file;
    int error = fd_file_or_place(process_current()->files, (uint32_t)dirfd, &file);
    if (error != 0) {
        return error;
    }
    error = file->node != NULL && vnode_is(file->node, S_IFDIR) ? 0 : -ENOTDIR;
    if (error == 0) {
        vnode_put(start->directory);
        start->directory = file->node;
        vnode_get(start->directory);
    }
    file_put(file);
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
    process_places_get(process_current(), &out->start);
    // An empty path is dirfd itself, whatever that is.
    if (error == 0 && (int32_t)dirfd != AT_FDCWD && out->text[0] != '/' && out->text[0] != 0) {
        error = path_start_at(&out->start, dirfd);
    }
    if (error != 0) {
        user_path_put(out);
    }
    return error;
}

void user_path_put(struct user_path *path)
{
    process_places_put(&path->start);
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

static int open_node(uint64_t dirfd, struct path_end *out)
{
    struct process *process = process_current();
    *out = (struct path_end){.node = NULL};
    if ((int32_t)dirfd == AT_FDCWD) {
        struct path_start places;
        process_places_get(process, &places);
        out->node = places.directory;
        vnode_put(places.root);
        return 0;
    }
    struct file *file;
    int error = fd_file_or_place(process->files, (uint32_t)dirfd, &file);
    if (error == 0) {
        out->node = file->node;
        vnode_get(out->node);
        error = file->node != NULL ? 0 : -EINVAL;
        file_put(file);
    }
    return error;
}

int user_path_node(uint64_t dirfd, uint64_t path, unsigned flags, bool empty_allowed, struct path_end *out)
{
    return user_path_node_as(credentials_current(), dirfd, path, flags, empty_allowed, out);
}

int user_path_node_as(const struct credentials *as, uint64_t dirfd, uint64_t path, unsigned flags, bool empty_allowed,
                      struct path_end *out)
{
    struct user_path from;
    int error = user_path_get(dirfd, path, empty_allowed, &from);
    if (error == 0) {
        from.start.as = as;
        error = from.text[0] == 0 ? open_node(dirfd, out) : path_walk(&from.start, from.text, flags, out);
        user_path_put(&from);
    }
    return error;
}

int copy_struct_from_user(void *to, uint64_t size, uint64_t from, uint64_t user_size, uint64_t least)
{
    uint8_t rest[64];
    if (user_size < least) {
        return -EINVAL;
    }
    if (user_size > PAGE_SIZE) {
        return -E2BIG;
    }
    __builtin_memset(to, 0, size);
    for (uint64_t at = size; at < user_size; at += sizeof(rest)) {
        uint64_t part = min_u64(sizeof(rest), user_size - at);
        int error = copy_from_user(rest, uaddr(from + at), part);
        for (uint64_t i = 0; i < part && error == 0; i++) {
            error = rest[i] != 0 ? -E2BIG : 0;
        }
        if (error != 0) {
            return error;
        }
    }
    return copy_from_user(to, uaddr(from), min_u64(size, user_size));
}
