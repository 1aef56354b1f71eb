// The programs that come inside the image, as files under /programs.
#include "kernel/boot/initrd.h"

#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/proc/program.h"

static int add_program(struct vnode *directory, const char *name, const void *data, size_t size)
{
    struct vnode *node;
    struct file *file;
    size_t length = 0;
    while (name[length] != 0) {
        length++;
    }
    int error = directory->ops->create(directory, name, length, S_IFREG | 0755, 0, NULL, &credentials_kernel, &node);
    if (error != 0) {
        return error;
    }
    error = file_create(NULL, node, O_WRONLY, &file);
    if (error == 0) {
        error = node->ops->open(node, file);
        struct io io = {.kernel = (char *)data, .left = size};
        if (error == 0 && file_write(file, &io) != (int64_t)size) {
            error = -ENOMEM;
        }
        file_put(file);
    }
    vnode_put(node);
    return error;
}

int boot_builtin_programs(void)
{
    struct vnode *root = mount_root_node(), *directory;
    int error = root->ops->create(root, "programs", 8, S_IFDIR | 0755, 0, NULL, &credentials_kernel, &directory);
    vnode_put(root);
    if (error != 0) {
        return error;
    }
    const void *data;
    size_t size;
    for (size_t i = 0; user_program_name(i) != NULL && error == 0; i++) {
        if (user_program_find(user_program_name(i), &data, &size)) {
            error = add_program(directory, user_program_name(i), data, size);
        }
    }
    vnode_put(directory);
    return error;
}
