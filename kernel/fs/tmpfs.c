// Names and nodes of files in memory.
#include "kernel/fs/tmpfs.h"

#include "kernel/fs/device.h"
#include "kernel/fs/tmpfs_internal.h"
#include "kernel/mm/kmalloc.h"

struct tmpfs_entry {
    struct tree_node by_name, by_id;
    uint64_t id;             // rises with each entry that is made: what a directory is read by
    struct tmpfs_node *node; // a reference
    uint8_t length;
    char name[];
};

static const struct vnode_ops tmpfs_ops;

static struct tmpfs_entry *named(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct tmpfs_entry, by_name) : NULL;
}

static struct tmpfs_entry *numbered(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct tmpfs_entry, by_id) : NULL;
}

// Any total order will do: by length, then by bytes.
static int compare(const struct tmpfs_entry *entry, const char *name, size_t length)
{
    return entry->length != length ? (entry->length < length ? -1 : 1) : __builtin_memcmp(entry->name, name, length);
}

static struct tmpfs_entry *find(const struct tmpfs_node *directory, const char *name, size_t length)
{
    for (struct tree_node *at = directory->names.root; at != NULL;) {
        int order = compare(named(at), name, length);
        if (order == 0) {
            return named(at);
        }
        at = at->child[order < 0];
    }
    return NULL;
}

static void insert(struct tmpfs_node *directory, struct tmpfs_entry *entry)
{
    struct tree_node *parent = NULL;
    unsigned side = 0;
    for (struct tree_node *at = directory->names.root; at != NULL; at = at->child[side]) {
        parent = at;
        side = compare(named(at), entry->name, entry->length) < 0;
    }
    tree_insert(&directory->names, &entry->by_name, parent, side);
    entry->id = directory->next_id++;
    struct tree_node *last = tree_edge(&directory->ids, 1);
    tree_insert(&directory->ids, &entry->by_id, last, 1);
}

static void take_out(struct tmpfs_node *directory, struct tmpfs_entry *entry)
{
    tree_remove(&directory->names, &entry->by_name);
    tree_remove(&directory->ids, &entry->by_id);
}

static int make_entry(const char *name, size_t length, struct tmpfs_entry **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct tmpfs_entry) + length, &memory);
    if (error == 0) {
        *out = memory;
        **out = (struct tmpfs_entry){.length = (uint8_t)length};
        __builtin_memcpy((*out)->name, name, length);
    }
    return error;
}

static int make_node(struct mount *mount, uint32_t mode, uint64_t device, const char *target,
                     const struct credentials *as, struct tmpfs_node **out)
{
    void *memory, *copy = NULL;
    size_t length = 0;
    if ((mode & S_IFMT) == S_IFLNK && target == NULL) {
        return -EINVAL;
    }
    while (target != NULL && target[length] != 0) {
        length++;
    }
    int error = kmalloc(sizeof(struct tmpfs_node), &memory);
    if (error == 0 && target != NULL) {
        error = kmalloc(length + 1, &copy);
        if (error != 0) {
            kfree(memory);
        }
    }
    if (error != 0) {
        return error;
    }
    struct tmpfs_node *node = memory;
    *node = (struct tmpfs_node){.backing = {&tmpfs_backing_ops}};
    vnode_init(&node->vnode, &tmpfs_ops, mount, mode);
    node->vnode.ino = __atomic_fetch_add(&mount->next_ino, 1, __ATOMIC_RELAXED);
    node->vnode.device = device;
    node->vnode.uid = as->uid;
    node->vnode.gid = as->gid;
    if (vnode_is(&node->vnode, S_IFREG)) {
        page_map_init(&node->pages, &kernel_pages);
    } else if (target != NULL) {
        node->target = copy;
        __builtin_memcpy(node->target, target, length + 1);
        node->vnode.size = length;
    } else if (vnode_is(&node->vnode, S_IFDIR)) {
        node->vnode.links = 2;
        node->next_id = 1;
    }
    *out = node;
    return 0;
}

static void tmpfs_release(struct vnode *vnode)
{
    struct tmpfs_node *node = tmpfs_node(vnode);
    if (vnode_is(vnode, S_IFREG)) {
        page_map_truncate(&node->pages, 0);
    } else if (vnode_is(vnode, S_IFLNK)) {
        kfree(node->target);
    }
    kfree(node);
}

// --- directories ---------------------------------------------------------------------------------------------------

static int tmpfs_lookup(struct vnode *directory, const char *name, size_t length, struct vnode **out)
{
    mutex_lock(&directory->lock);
    const struct tmpfs_entry *entry = find(tmpfs_node(directory), name, length);
    if (entry != NULL) {
        *out = &entry->node->vnode;
        vnode_get(*out);
    }
    mutex_unlock(&directory->lock);
    return entry != NULL ? 0 : -ENOENT;
}

// With the directory's lock. The entry gets a reference to node.
static int add(struct tmpfs_node *directory, struct tmpfs_entry *entry, struct tmpfs_node *node)
{
    if (directory->parent == NULL) {
        return -ENOENT; // removed
    }
    if (find(directory, entry->name, entry->length) != NULL) {
        return -EEXIST;
    }
    entry->node = node;
    vnode_get(&node->vnode);
    insert(directory, entry);
    if (vnode_is(&node->vnode, S_IFDIR)) {
        node->parent = directory;
        directory->vnode.links++;
    }
    return 0;
}

static int tmpfs_create(struct vnode *directory, const char *name, size_t length, uint32_t mode, uint64_t device,
                        const char *target, const struct credentials *as, struct vnode **out)
{
    struct tmpfs_entry *entry;
    struct tmpfs_node *node;
    int error = make_entry(name, length, &entry);
    if (error != 0) {
        return error;
    }
    error = make_node(directory->mount, mode, device, target, as, &node);
    if (error != 0) {
        kfree(entry);
        return error;
    }
    mutex_lock(&directory->lock);
    error = add(tmpfs_node(directory), entry, node);
    mutex_unlock(&directory->lock);
    if (error != 0) {
        vnode_put(&node->vnode);
        kfree(entry);
        return error;
    }
    *out = &node->vnode;
    return 0;
}

static int tmpfs_link(struct vnode *directory, const char *name, size_t length, struct vnode *node)
{
    struct tmpfs_entry *entry;
    int error = make_entry(name, length, &entry);
    if (error != 0) {
        return error;
    }
    mutex_lock(&directory->lock);
    error = add(tmpfs_node(directory), entry, tmpfs_node(node));
    mutex_unlock(&directory->lock);
    if (error != 0) {
        kfree(entry);
        return error;
    }
    (void)__atomic_fetch_add(&node->links, 1, __ATOMIC_RELAXED);
    return 0;
}

static bool is_empty(const struct tmpfs_node *directory)
{
    return directory->names.root == NULL;
}

// With the lock of the directory: node loses a name there.
static void drop_name(struct tmpfs_node *directory, struct tmpfs_node *node)
{
    if (vnode_is(&node->vnode, S_IFDIR)) {
        node->parent = NULL;
        node->vnode.links = 0;
        directory->vnode.links--;
    } else {
        (void)__atomic_fetch_sub(&node->vnode.links, 1, __ATOMIC_RELAXED);
    }
}

static int may_unlink(struct tmpfs_node *node, bool directory_wanted)
{
    bool directory = vnode_is(&node->vnode, S_IFDIR);
    if (directory != directory_wanted) {
        return directory ? -EISDIR : -ENOTDIR;
    }
    if (node->vnode.covered != NULL) {
        return -EBUSY;
    }
    return directory && !is_empty(node) ? -ENOTEMPTY : 0;
}

static int tmpfs_unlink(struct vnode *directory, const char *name, size_t length, bool directory_wanted)
{
    mutex_lock(&directory->lock);
    struct tmpfs_entry *entry = find(tmpfs_node(directory), name, length);
    struct tmpfs_node *node = entry != NULL ? entry->node : NULL;
    int error = entry == NULL ? -ENOENT : may_unlink(node, directory_wanted);
    if (error == 0) {
        take_out(tmpfs_node(directory), entry);
        drop_name(tmpfs_node(directory), node);
    }
    mutex_unlock(&directory->lock);
    if (error == 0) {
        vnode_put(&node->vnode);
        kfree(entry);
    }
    return error;
}

// Two directories at once: the lower address first, so that two renames never wait for each other.
static void lock_both(struct vnode *one, struct vnode *other) NO_LOCK_ANALYSIS
{
    mutex_lock(one < other ? &one->lock : &other->lock);
    if (one != other) {
        mutex_lock(one < other ? &other->lock : &one->lock);
    }
}

static void unlock_both(struct vnode *one, struct vnode *other) NO_LOCK_ANALYSIS
{
    mutex_unlock(&one->lock);
    if (one != other) {
        mutex_unlock(&other->lock);
    }
}

static bool is_inside(const struct tmpfs_node *node, const struct tmpfs_node *ancestor)
{
    for (; node != NULL; node = node->parent) {
        if (node == ancestor) {
            return true;
        }
        if (node->parent == node) {
            return false;
        }
    }
    return false;
}

// What is to be moved, and what is in its way.
struct moving {
    struct tmpfs_node *from, *to;
    struct tmpfs_entry *old, *victim;
};

static int may_rename(const struct moving *moving, bool no_replace)
{
    struct tmpfs_node *node = moving->old->node;
    bool directory = vnode_is(&node->vnode, S_IFDIR);
    if (moving->to->parent == NULL) {
        return -ENOENT;
    }
    if (directory && is_inside(moving->to, node)) {
        return -EINVAL;
    }
    if (node->vnode.covered != NULL) {
        return -EBUSY;
    }
    if (moving->victim == NULL) {
        return 0;
    }
    return no_replace ? -EEXIST : may_unlink(moving->victim->node, directory);
}

// fresh: an entry with the new name, which becomes the old one's node's. The locks of both directories.
static void move(const struct moving *moving, struct tmpfs_entry *fresh)
{
    struct tmpfs_node *node = moving->old->node;
    if (moving->victim != NULL) {
        take_out(moving->to, moving->victim);
        drop_name(moving->to, moving->victim->node);
    }
    take_out(moving->from, moving->old);
    fresh->node = node;
    insert(moving->to, fresh);
    if (vnode_is(&node->vnode, S_IFDIR)) {
        node->parent = moving->to;
        moving->from->vnode.links--;
        moving->to->vnode.links++;
    }
}

static int tmpfs_rename(struct vnode *from, const char *name, size_t length, struct vnode *to, const char *new_name,
                        size_t new_length, bool no_replace)
{
    struct moving moving = {tmpfs_node(from), tmpfs_node(to), NULL, NULL};
    struct tmpfs_entry *fresh;
    int error = make_entry(new_name, new_length, &fresh);
    if (error != 0) {
        return error;
    }
    lock_both(from, to);
    moving.old = find(moving.from, name, length);
    moving.victim = find(moving.to, new_name, new_length);
    error = moving.old == NULL ? -ENOENT : may_rename(&moving, no_replace);
    bool same = error == 0 && moving.victim != NULL && moving.victim->node == moving.old->node; // nothing to do
    if (error == 0 && !same) {
        move(&moving, fresh);
    }
    unlock_both(from, to);
    if (error != 0 || same) {
        kfree(fresh);
        return error;
    }
    if (moving.victim != NULL) {
        vnode_put(&moving.victim->node->vnode);
        kfree(moving.victim);
    }
    kfree(moving.old);
    return 0;
}

static int tmpfs_parent(struct vnode *directory, struct vnode **out)
{
    struct tmpfs_node *parent = tmpfs_node(directory)->parent;
    if (parent == NULL) {
        return -ENOENT;
    }
    *out = &parent->vnode;
    vnode_get(*out);
    return 0;
}

static int tmpfs_name_of(struct vnode *directory, struct vnode *child, char *out, size_t size)
{
    int error = -ENOENT;
    mutex_lock(&directory->lock);
    for (struct tree_node *at = tree_edge(&tmpfs_node(directory)->ids, 0); at != NULL; at = tree_step(at, 1)) {
        const struct tmpfs_entry *entry = numbered(at);
        if (&entry->node->vnode == child) {
            error = entry->length < size ? 0 : -ERANGE;
            if (error == 0) {
                __builtin_memcpy(out, entry->name, entry->length);
                out[entry->length] = 0;
            }
            break;
        }
    }
    mutex_unlock(&directory->lock);
    return error;
}

static int tmpfs_entry_at(struct vnode *directory, uint64_t *cursor, struct directory_entry *out, char name[NAME_MAX])
{
    const struct tmpfs_entry *found = NULL;
    mutex_lock(&directory->lock);
    for (struct tree_node *at = tmpfs_node(directory)->ids.root; at != NULL;) {
        bool here = numbered(at)->id >= *cursor;
        found = here ? numbered(at) : found;
        at = at->child[!here];
    }
    if (found != NULL) {
        __builtin_memcpy(name, found->name, found->length);
        *out = (struct directory_entry){name, found->length, found->node->vnode.ino, found->node->vnode.mode & S_IFMT};
        *cursor = found->id + 1;
    }
    mutex_unlock(&directory->lock);
    return found != NULL ? 0 : -ENOENT;
}

static int64_t tmpfs_readlink(struct vnode *vnode, char *out, size_t size)
{
    uint64_t length = min_u64(vnode->size, size);
    __builtin_memcpy(out, tmpfs_node(vnode)->target, length);
    return (int64_t)length;
}

static int tmpfs_open(struct vnode *vnode, struct file *file)
{
    switch (vnode->mode & S_IFMT) {
    case S_IFCHR:
        return device_open(file, vnode->device);
    case S_IFDIR:
        file->ops = &tmpfs_directory_ops;
        return 0;
    case S_IFREG:
        file->ops = &tmpfs_file_ops;
        return 0;
    default:
        return -ENXIO;
    }
}

static const struct vnode_ops tmpfs_ops = {
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .link = tmpfs_link,
    .unlink = tmpfs_unlink,
    .rename = tmpfs_rename,
    .parent = tmpfs_parent,
    .name_of = tmpfs_name_of,
    .entry = tmpfs_entry_at,
    .readlink = tmpfs_readlink,
    .truncate = tmpfs_truncate,
    .open = tmpfs_open,
    .release = tmpfs_release,
};

// --- the whole -----------------------------------------------------------------------------------------------------

static int tmpfs_mount(struct mount *mount, const char *source)
{
    static const struct credentials root = {0};
    struct tmpfs_node *node;
    int error = make_node(mount, S_IFDIR | 0755, 0, NULL, &root, &node);
    if (error == 0) {
        node->parent = node;
        mount->root = &node->vnode;
    }
    return error;
}

static void empty(struct tmpfs_node *directory)
{
    struct tree_node *at;
    while ((at = tree_edge(&directory->names, 0)) != NULL) {
        struct tmpfs_entry *entry = named(at);
        struct tmpfs_node *node = entry->node;
        if (vnode_is(&node->vnode, S_IFDIR)) {
            empty(node);
        }
        take_out(directory, entry);
        drop_name(directory, node);
        vnode_put(&node->vnode);
        kfree(entry);
    }
}

static void tmpfs_unmount(struct mount *mount)
{
    empty(tmpfs_node(mount->root));
    vnode_put(mount->root);
}

const struct filesystem tmpfs = {"tmpfs", tmpfs_mount, tmpfs_unmount};

int tmpfs_anonymous(uint64_t size, struct vnode **node, struct backing **pages)
{
    static const struct credentials root = {0};
    struct vnode *place = mount_root_node();
    struct tmpfs_node *made;
    int error = make_node(place->mount, S_IFREG | 0600, 0, NULL, &root, &made);
    vnode_put(place);
    if (error == 0) {
        made->vnode.size = size;
        made->vnode.links = 0;
        *node = &made->vnode;
        *pages = &made->backing;
    }
    return error;
}
