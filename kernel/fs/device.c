#include "kernel/fs/device.h"

#include <hal/entropy.h>

#include "kernel/base/assert.h"
#include "kernel/base/format.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/sched/thread.h"

static int64_t read_nothing(struct file *file, struct io *io, uint64_t offset)
{
    return 0;
}

static int64_t read_zeroes(struct file *file, struct io *io, uint64_t offset)
{
    int64_t done = 0;
    while (io->left > 0 && (done == 0 || !thread_interrupted())) {
        uint64_t part = min_u64(io_run(io), PAGE_SIZE);
        int error = io_give_zeroes(io, part);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        done += (int64_t)part;
    }
    return done;
}

static int64_t read_random(struct file *file, struct io *io, uint64_t offset)
{
    uint8_t chunk[64];
    int64_t done = 0;
    while (io->left > 0 && (done == 0 || !thread_interrupted())) {
        uint64_t part = min_u64(io_run(io), sizeof(chunk));
        entropy_fill(chunk, part);
        int error = io_give(io, chunk, part);
        if (error != 0) {
            return done > 0 ? done : error;
        }
        done += (int64_t)part;
    }
    return done;
}

static int64_t write_away(struct file *file, struct io *io, uint64_t offset)
{
    int64_t size = (int64_t)io->left;
    io->left = 0;
    return size;
}

static int64_t write_full(struct file *file, struct io *io, uint64_t offset)
{
    return -ENOSPC;
}

static const struct file_ops null_ops = {
    .read = read_nothing, .write = write_away, .no_offset = true, .no_splice_from = true};
static const struct file_ops zero_ops = {.read = read_zeroes,
                                         .write = write_away,
                                         .zeroes = true,
                                         .no_offset = true,
                                         .no_splice_to = true,
                                         .no_splice_from = true};
static const struct file_ops full_ops = {
    .read = read_zeroes, .write = write_full, .no_offset = true, .no_splice_to = true, .no_splice_from = true};
static const struct file_ops random_ops = {.read = read_random, .write = write_away, .no_offset = true};

static struct device {
    uint64_t number;
    const char *name;
    uint32_t mode;
    const struct file_ops *ops;
} devices[DEVICES_MAX] = {
    {DEVICE(1, 3), "null", 0666, &null_ops},      {DEVICE(1, 5), "zero", 0666, &zero_ops},
    {DEVICE(1, 7), "full", 0666, &full_ops},      {DEVICE(1, 8), "random", 0666, &random_ops},
    {DEVICE(1, 9), "urandom", 0666, &random_ops},
};
static unsigned device_count = 5;

void device_register(uint64_t number, const char *name, uint32_t mode, const struct file_ops *ops)
{
    ASSERT(device_count < DEVICES_MAX);
    devices[device_count++] = (struct device){number, name, mode, ops};
}

int device_open(struct file *file, uint64_t number)
{
    for (unsigned i = 0; i < device_count; i++) {
        if (devices[i].number == number) {
            file->ops = devices[i].ops;
            int error = file->ops->opened != NULL ? file->ops->opened(file) : 0;
            file->ops = error == 0 ? file->ops : NULL;
            return error;
        }
    }
    return -ENXIO;
}

static int directory_named(struct vnode *root, const char *name, size_t length, struct vnode **out)
{
    int error = root->ops->lookup(root, name, length, out);
    return error == -ENOENT ? root->ops->create(root, name, length, S_IFDIR | 0755, 0, NULL, &credentials_kernel, out)
                            : error;
}

static int make_nodes(struct vnode *directory)
{
    int error = 0;
    for (unsigned i = 0; i < device_count && error == 0; i++) {
        struct vnode *node = NULL;
        error = directory->ops->create(directory, devices[i].name, text_length(devices[i].name),
                                       S_IFCHR | devices[i].mode, devices[i].number, NULL, &credentials_kernel, &node);
        error = error == -EEXIST ? 0 : error; // the first files may bring their own
        vnode_put(node);
    }
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}};
    for (unsigned i = 0; i < ARRAY_SIZE(links) && error == 0; i++) {
        struct vnode *node = NULL;
        error = directory->ops->create(directory, links[i].name, text_length(links[i].name), S_IFLNK | 0777, 0,
                                       links[i].target, &credentials_kernel, &node);
        error = error == -EEXIST ? 0 : error;
        vnode_put(node);
    }
    return error;
}

int device_make_nodes(void)
{
    struct vnode *root = mount_root_node(), *directory;
    int error = directory_named(root, "dev", 3, &directory);
    vnode_put(root);
    if (error == 0) {
        error = make_nodes(directory);
        vnode_put(directory);
    }
    return error;
}

// A tree of its own each time, with all devices in it.
static int devtmpfs_mount(struct mount *mount, const char *source, const char *options)
{
    int error = tmpfs.mount(mount, source, options);
    if (error == 0) {
        mount->root->mode = S_IFDIR | 0755; // whatever the options say
        error = make_nodes(mount->root);
        if (error != 0) {
            tmpfs.unmount(mount);
        }
    }
    return error;
}

static void devtmpfs_unmount(struct mount *mount)
{
    tmpfs.unmount(mount);
}

static int devtmpfs_change(struct mount *mount, const char *options)
{
    return tmpfs.change(mount, options);
}

static bool devtmpfs_busy(struct mount *mount)
{
    return tmpfs.busy(mount);
}

static bool devtmpfs_is_written(struct mount *mount)
{
    return tmpfs.is_written(mount);
}

static void devtmpfs_figures(struct mount *mount, struct mount_figures *out)
{
    tmpfs.figures(mount, out);
}

const struct filesystem devtmpfs = {
    .name = "devtmpfs",
    .magic = 0x01021994,
    .mount = devtmpfs_mount,
    .change = devtmpfs_change,
    .unmount = devtmpfs_unmount,
    .busy = devtmpfs_busy,
    .is_written = devtmpfs_is_written,
    .figures = devtmpfs_figures,
};
