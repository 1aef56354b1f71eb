// /dev/pts: a node for each pair of terminals, and another way to make one.
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/fs/device.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/process.h"
#include "kernel/tty/pty_internal.h"

#define INO_ROOT 1u
#define INO_PTMX 2u
#define INO_FIRST 3u

// A node of a pair is of that pair only: its number is soon another's.
struct pts_node {
    struct vnode vnode;
    struct pty *pty; // no reference: NULL when the pair has gone, or for another node. The table's lock
};

static struct mount *shown; // where nodes belong; NULL: nowhere. Changed by mounting and unmounting
static const struct vnode_ops ops;

static struct pts_node *pts_node(struct vnode *node)
{
    return container_of(node, struct pts_node, vnode);
}

static int make(struct mount *mount, uint32_t mode, uint64_t device, uint64_t ino, struct vnode **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct pts_node), &memory);
    if (error == 0) {
        struct pts_node *node = memory;
        node->pty = NULL;
        vnode_init(&node->vnode, &ops, mount, mode);
        node->vnode.device = device;
        node->vnode.ino = ino;
        *out = &node->vnode;
    }
    return error;
}

int devpts_make_node(struct pty *pty, unsigned number, struct vnode **out)
{
    struct mount *mount = READ_ONCE(shown);
    int error = mount != NULL ? make(mount, S_IFCHR | 0620, DEVICE_PTS + number, INO_FIRST + number, out) : -ENODEV;
    if (error == 0) {
        pts_node(*out)->pty = pty;
        (*out)->uid = credentials_current()->uid;
        (*out)->gid = 5; // tty, as Debian mounts it
    }
    return error;
}

struct pty **devpts_pair(struct vnode *node)
{
    return &pts_node(node)->pty;
}

static void release(struct vnode *node)
{
    kfree(pts_node(node));
}

static bool read_number(const char *name, size_t length, unsigned *out)
{
    *out = 0;
    if (length == 0 || length > 3 || (name[0] == '0' && length > 1)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return false;
        }
        *out = *out * 10 + (unsigned)(name[i] - '0');
    }
    return true;
}

static int lookup(struct vnode *directory, const char *name, size_t length, struct vnode **out)
{
    unsigned number;
    if (length == 4 && __builtin_memcmp(name, "ptmx", 4) == 0) {
        return make(directory->mount, S_IFCHR | 0666, DEVICE_PTMX, INO_PTMX, out);
    }
    *out = read_number(name, length, &number) ? pty_node(number) : NULL;
    return *out != NULL ? 0 : -ENOENT;
}

static int parent(struct vnode *node, struct vnode **out)
{
    *out = node->mount->root;
    vnode_get(*out);
    return 0;
}

static int name_of(struct vnode *directory, struct vnode *child, char *out, size_t size)
{
    size_t length =
        child->ino == INO_PTMX ? format(out, size, "ptmx") : format(out, size, "%lu", child->ino - INO_FIRST);
    return length < size ? 0 : -ERANGE;
}

static int entry(struct vnode *directory, uint64_t *cursor, struct directory_entry *out, char name[NAME_MAX])
{
    if (*cursor == 0) {
        *out = (struct directory_entry){name, format(name, NAME_MAX, "ptmx"), INO_PTMX, S_IFCHR};
        *cursor = 1;
        return 0;
    }
    int64_t number = *cursor - 1 < PTYS_MAX ? pty_next((unsigned)*cursor - 1) : -ENOENT;
    if (number >= 0) {
        *out = (struct directory_entry){name, format(name, NAME_MAX, "%lu", (uint64_t)number),
                                        INO_FIRST + (uint64_t)number, S_IFCHR};
        *cursor = (uint64_t)number + 2;
    }
    return number >= 0 ? 0 : -ENOENT;
}

static const struct file_ops directory_ops = {.read = NULL};

static int open(struct vnode *node, struct file *file)
{
    if (vnode_is(node, S_IFDIR)) {
        file->ops = &directory_ops;
        return 0;
    }
    return node->ino == INO_PTMX ? device_open(file, DEVICE_PTMX) : pty_open_slave(file, node);
}

static const struct vnode_ops ops = {
    .lookup = lookup,
    .parent = parent,
    .name_of = name_of,
    .entry = entry,
    .open = open,
    .release = release,
};

// They are known; nodes are what Debian mounts them as, whatever they say.
static int check_options(const char *text)
{
    static const char *const known[] = {"mode", "uid", "gid", "ptmxmode", "newinstance", "max", "rw", "ro", NULL};
    return mount_check_options(text, known);
}

static int change_devpts(struct mount *mount, const char *options)
{
    return check_options(options);
}

static int mount_devpts(struct mount *mount, const char *source, const char *options)
{
    int error = check_options(options);
    error = error != 0 ? error : make(mount, S_IFDIR | 0755, 0, INO_ROOT, &mount->root);
    if (error == 0) {
        mount->root->links = 2;
        if (READ_ONCE(shown) == NULL) {
            WRITE_ONCE(shown, mount);
        }
    }
    return error;
}

static void unmount_devpts(struct mount *mount)
{
    if (READ_ONCE(shown) == mount) {
        WRITE_ONCE(shown, NULL);
    }
    vnode_put(mount->root);
}

static bool busy(struct mount *mount)
{
    return load_acquire(&mount->nodes) > 1 || load_acquire(&mount->root->references) > 2;
}

const struct filesystem devpts = {
    .name = "devpts",
    .magic = 0x1cd1,
    .transient = true,
    .mount = mount_devpts,
    .change = change_devpts,
    .unmount = unmount_devpts,
    .busy = busy,
};
