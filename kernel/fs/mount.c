#include "kernel/fs/mount.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"

static struct {
    struct mutex lock; // covers the rest, and vnode.covered
    struct list all;
    uint64_t next_device;
} mounts;

static const struct filesystem *filesystems[FILESYSTEMS_MAX];

void filesystem_register(const struct filesystem *type)
{
    unsigned i = 0;
    while (i < FILESYSTEMS_MAX && filesystems[i] != NULL && filesystems[i] != type) {
        i++;
    }
    ASSERT(i < FILESYSTEMS_MAX);
    filesystems[i] = type;
}

const struct filesystem *filesystem_find(const char *name)
{
    for (unsigned i = 0; filesystem_at(i) != NULL; i++) {
        if (text_equal(filesystems[i]->name, name)) {
            return filesystems[i];
        }
    }
    return NULL;
}

const struct filesystem *filesystem_at(unsigned index)
{
    return index < FILESYSTEMS_MAX ? filesystems[index] : NULL;
}

static int make(const struct filesystem *type, const char *source, const char *options, unsigned flags,
                struct mount **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct mount), &memory);
    if (error != 0) {
        return error;
    }
    struct mount *mount = memory;
    *mount = (struct mount){.type = type, .next_ino = 1, .flags = flags};
    mutex_init(&mount->names, "names");
    format(mount->source, sizeof(mount->source), "%s", source);
    error = type->mount(mount, source, options);
    if (error != 0) {
        kfree(mount);
        return error;
    }
    *out = mount;
    return 0;
}

static void add(struct mount *mount, struct vnode *where)
{
    mount->covers = where;
    mount->device = mounts.next_device++;
    list_push_back(&mounts.all, &mount->link);
}

int mount_root(const struct filesystem *type)
{
    mutex_init(&mounts.lock, "mounts");
    list_init(&mounts.all);
    mounts.next_device = 1;
    struct mount *mount;
    int error = make(type, "rootfs", "mode=0755,nr_blocks=0", 0, &mount); // as much as memory allows
    if (error == 0) {
        add(mount, NULL);
    }
    return error;
}

struct vnode *mount_root_node(void)
{
    struct vnode *root = list_first(&mounts.all, struct mount, link)->root;
    vnode_get(root);
    return mount_cross_down(root);
}

int mount_add(const struct filesystem *type, const char *source, const char *options, unsigned flags,
              struct vnode *where)
{
    if (!vnode_is(where, S_IFDIR)) {
        return -ENOTDIR;
    }
    if (where->mount->type->transient && where != where->mount->root) {
        return -EINVAL;
    }
    struct mount *mount;
    int error = make(type, source, options, flags, &mount);
    if (error != 0) {
        return error;
    }
    mutex_lock(&mounts.lock);
    error = where->covered != NULL ? -EBUSY : 0;
    if (error == 0) {
        add(mount, where);
        vnode_get(where);
        where->covered = mount;
        path_note_move();
    }
    mutex_unlock(&mounts.lock);
    if (error != 0) {
        type->unmount(mount);
        kfree(mount);
    }
    return error;
}

int mount_remove(struct vnode *root)
{
    struct mount *mount = root->mount;
    if (root != mount->root || mount->covers == NULL) {
        return -EINVAL;
    }
    mutex_lock(&mounts.lock); // nobody comes in from above meanwhile
    int error = root->covered != NULL || mount->type->busy(mount) ? -EBUSY : 0;
    if (error == 0) {
        mount->covers->covered = NULL;
        path_note_move();
        list_remove(&mount->link);
    }
    mutex_unlock(&mounts.lock);
    if (error == 0) {
        vnode_put(mount->covers);
        mount->covers = NULL;
        vnode_put(root);
        mount->type->unmount(mount);
        kfree(mount);
    }
    return error;
}

int mount_check_options(const char *text, const char *const *known)
{
    for (; *text != 0; text += *text == ',') {
        bool found = *text == ',';
        for (unsigned i = 0; known[i] != NULL && !found; i++) {
            size_t length = text_length(known[i]);
            found =
                text_starts_with(text, known[i]) && (text[length] == 0 || text[length] == ',' || text[length] == '=');
        }
        if (!found) {
            return -EINVAL;
        }
        while (*text != 0 && *text != ',') {
            text++;
        }
    }
    return 0;
}

// Who opens counts first and looks then; who forbids it says so first, and counts then.
int mount_begin_writing(struct mount *mount)
{
    (void)__atomic_fetch_add(&mount->writers, 1, __ATOMIC_SEQ_CST);
    if ((__atomic_load_n(&mount->flags, __ATOMIC_SEQ_CST) & MOUNT_READ_ONLY) == 0) {
        return 0;
    }
    mount_end_writing(mount);
    return -EROFS;
}

void mount_end_writing(struct mount *mount)
{
    (void)__atomic_fetch_sub(&mount->writers, 1, __ATOMIC_SEQ_CST);
}

static int change(struct mount *mount, const char *options, unsigned flags)
{
    unsigned before = mount->flags;
    int error = 0;
    if ((flags & MOUNT_READ_ONLY) != 0 && (before & MOUNT_READ_ONLY) == 0) {
        __atomic_store_n(&mount->flags, before | MOUNT_READ_ONLY, __ATOMIC_SEQ_CST);
        bool written = __atomic_load_n(&mount->writers, __ATOMIC_SEQ_CST) != 0 ||
                       (mount->type->is_written != NULL && mount->type->is_written(mount));
        error = written ? -EBUSY : 0;
    }
    if (error == 0 && mount->type->change != NULL) {
        error = mount->type->change(mount, options);
    }
    WRITE_ONCE(mount->flags, error == 0 ? flags : before);
    return error;
}

int mount_change(struct vnode *root, const char *options, unsigned flags)
{
    mutex_lock(&mounts.lock);
    int error = root == root->mount->root ? change(root->mount, options, flags) : -EINVAL;
    mutex_unlock(&mounts.lock);
    return error;
}

bool mount_describe(unsigned index, struct mount_description *out)
{
    bool found = false;
    mutex_lock(&mounts.lock);
    list_for_each(at, &mounts.all)
    {
        if (index-- == 0) {
            const struct mount *mount = container_of(at, struct mount, link);
            found = true;
            *out = (struct mount_description){mount->covers == NULL ? "rootfs" : mount->type->name, "", mount->flags,
                                              mount->root};
            __builtin_memcpy(out->source, mount->source, sizeof(out->source));
            vnode_get(mount->root);
            break;
        }
    }
    mutex_unlock(&mounts.lock);
    return found;
}

static struct vnode *exchange(struct vnode *node, struct vnode *other)
{
    vnode_get(other);
    vnode_put(node);
    return other;
}

struct vnode *mount_cross_down(struct vnode *node)
{
    if (node->covered == NULL) {
        return node;
    }
    mutex_lock(&mounts.lock);
    while (node->covered != NULL) {
        node = exchange(node, node->covered->root);
    }
    mutex_unlock(&mounts.lock);
    return node;
}

bool mount_is_covering(const struct vnode *node)
{
    return node == node->mount->root && node->mount->covers != NULL;
}

struct vnode *mount_cross_up(struct vnode *node, const struct vnode *root)
{
    mutex_lock(&mounts.lock);
    struct vnode *at = node;
    while (mount_is_covering(at) && at != root) {
        at = at->mount->covers;
    }
    if (at != root) {
        node = exchange(node, at);
    }
    mutex_unlock(&mounts.lock);
    return node;
}
