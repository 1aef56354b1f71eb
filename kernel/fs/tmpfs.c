// Names and nodes of files in memory.
#include "kernel/fs/tmpfs.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/device.h"
#include "kernel/fs/path.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/tmpfs_internal.h"
#include "kernel/mm/kmalloc.h"

struct tmpfs_entry {
    struct tree_node by_name, by_id;
    uint64_t id;             // rises with each entry that is made: what a directory is read by
    struct tmpfs_node *node; // a reference
    struct tmpfs_node *directory;
    uint8_t length;
    char name[];
};

#define ENTRY_SIZE 20u // what a name adds to its directory's st_size, as on Linux, where it begins with two
#define FOLDER_SIZE (2 * ENTRY_SIZE)

static const struct vnode_ops tmpfs_ops;

// Where a node has a name: the root in itself; NULL: nowhere any more. With the mount's names.
static struct tmpfs_node *parent_of(const struct tmpfs_node *node)
{
    struct vnode *root = node->vnode.mount->root;
    return &node->vnode == root ? tmpfs_node(root) : node->entry != NULL ? node->entry->directory : NULL;
}

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
    entry->directory = directory;
    directory->vnode.size += ENTRY_SIZE;
    directory->vnode.modified_ns = directory->vnode.changed_ns = vnode_now();
}

static void take_out(struct tmpfs_node *directory, struct tmpfs_entry *entry)
{
    tree_remove(&directory->names, &entry->by_name);
    tree_remove(&directory->ids, &entry->by_id);
    directory->vnode.size -= ENTRY_SIZE;
    directory->vnode.modified_ns = directory->vnode.changed_ns = vnode_now();
}

#define TARGET_SHORT 128u // a longer target counts as a page of contents, as on Linux

static uint64_t pages_of_target(uint64_t length)
{
    return length >= TARGET_SHORT ? 1 : 0;
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
    int error = tmpfs_take_inode(mount);
    if (error != 0) {
        return error;
    }
    error = tmpfs_take_pages(mount, pages_of_target(length));
    if (error != 0) {
        tmpfs_give_inode(mount);
        return error;
    }
    error = kmalloc(sizeof(struct tmpfs_node), &memory);
    if (error == 0 && target != NULL) {
        error = kmalloc(length + 1, &copy);
        if (error != 0) {
            kfree(memory);
        }
    }
    if (error != 0) {
        tmpfs_give_pages(mount, pages_of_target(length));
        tmpfs_give_inode(mount);
        return error;
    }
    struct tmpfs_node *node = memory;
    *node = (struct tmpfs_node){.backing = {.ops = &tmpfs_backing_ops}};
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
        node->vnode.size = FOLDER_SIZE;
        node->next_id = 1;
    }
    *out = node;
    return 0;
}

static void tmpfs_release(struct vnode *vnode)
{
    struct tmpfs_node *node = tmpfs_node(vnode);
    const struct mount *mount = vnode->mount;
    if (vnode_is(vnode, S_IFREG)) {
        tmpfs_give_pages(mount, node->pages.count);
        page_map_truncate(&node->pages, 0);
    } else if (vnode_is(vnode, S_IFLNK)) {
        tmpfs_give_pages(mount, pages_of_target(vnode->size));
        kfree(node->target);
    }
    if (node->removed) {
        (void)__atomic_fetch_sub(&tmpfs_use(mount)->removed, 1, __ATOMIC_RELAXED);
    }
    tmpfs_give_inode(mount);
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

// Whether it has no name any more, or not yet.
static void set_removed(struct tmpfs_node *node, bool removed)
{
    uint64_t *count = &tmpfs_use(node->vnode.mount)->removed;
    node->removed = removed;
    (void)__atomic_fetch_add(count, removed ? 1 : UINT64_MAX, __ATOMIC_RELAXED);
}

// With names and the directory's lock. The entry gets a reference to node.
static int add(struct tmpfs_node *directory, struct tmpfs_entry *entry, struct tmpfs_node *node,
               const struct credentials *as)
{
    if (parent_of(directory) == NULL) {
        return -ENOENT; // removed
    }
    if (find(directory, entry->name, entry->length) != NULL) {
        return -EEXIST;
    }
    int error = vnode_access(&directory->vnode, as, ACCESS_WRITE | ACCESS_EXEC);
    if (error != 0) {
        return error;
    }
    entry->node = node;
    node->entry = entry;
    vnode_get(&node->vnode);
    insert(directory, entry);
    if (vnode_is(&node->vnode, S_IFDIR)) {
        directory->vnode.links++;
    }
    return 0;
}

static int add_locked(struct vnode *directory, struct tmpfs_entry *entry, struct tmpfs_node *node,
                      const struct credentials *as, bool link)
{
    mutex_lock(&directory->mount->names);
    mutex_lock(&directory->lock);
    if (!link) { // nobody else knows it yet
        node->vnode.mode = vnode_inherit(directory, node->vnode.mode, as, &node->vnode.gid);
    }
    // A file whose last name is gone comes back only if it never had one (O_TMPFILE).
    int error =
        link && node->vnode.links == 0 && !node->nameless ? -ENOENT : add(tmpfs_node(directory), entry, node, as);
    mutex_unlock(&directory->lock);
    if (error == 0 && link) {
        if (__atomic_fetch_add(&node->vnode.links, 1, __ATOMIC_RELAXED) == 0) {
            tmpfs_give_inode(directory->mount); // it has been counted without a name
            set_removed(node, false);
        }
        node->nameless = false;
        node->vnode.changed_ns = vnode_now();
    }
    mutex_unlock(&directory->mount->names);
    return error;
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
    error = add_locked(directory, entry, node, as, false);
    if (error != 0) {
        vnode_put(&node->vnode);
        kfree(entry);
        return error;
    }
    *out = &node->vnode;
    return 0;
}

static int tmpfs_link(struct vnode *directory, const char *name, size_t length, struct vnode *node,
                      const struct credentials *as)
{
    struct tmpfs_entry *entry;
    int error = tmpfs_take_inode(directory->mount); // a name takes memory that is there until it goes
    if (error != 0) {
        return error;
    }
    error = make_entry(name, length, &entry);
    if (error == 0) {
        error = add_locked(directory, entry, tmpfs_node(node), as, true);
        if (error != 0) {
            kfree(entry);
        }
    }
    if (error != 0) {
        tmpfs_give_inode(directory->mount);
    }
    return error;
}

static int tmpfs_nameless(struct vnode *directory, uint32_t mode, bool linkable, const struct credentials *as,
                          struct vnode **out)
{
    struct tmpfs_node *node;
    int error = make_node(directory->mount, S_IFREG | mode, 0, NULL, as, &node);
    if (error != 0) {
        return error;
    }
    mutex_lock(&directory->lock);
    error = vnode_access(directory, as, ACCESS_WRITE | ACCESS_EXEC);
    node->vnode.mode = vnode_inherit(directory, node->vnode.mode, as, &node->vnode.gid);
    mutex_unlock(&directory->lock);
    node->vnode.links = 0;
    node->nameless = linkable;
    set_removed(node, true);
    if (error == 0) {
        *out = &node->vnode;
    } else {
        vnode_put(&node->vnode);
    }
    return error;
}

static bool is_empty(const struct tmpfs_node *directory)
{
    return directory->names.root == NULL;
}

// With names and the lock of its directory, which it is taken out of: node loses that name.
static void drop_name(struct tmpfs_entry *entry)
{
    struct tmpfs_node *node = entry->node;
    if (node->entry == entry) {
        node->entry = NULL;
    }
    if (vnode_is(&node->vnode, S_IFDIR)) {
        node->vnode.links = 0;
        entry->directory->vnode.links--;
        set_removed(node, true);
    } else if (__atomic_fetch_sub(&node->vnode.links, 1, __ATOMIC_RELAXED) > 1) {
        tmpfs_give_inode(node->vnode.mount);
    } else {
        set_removed(node, true);
    }
    node->vnode.changed_ns = vnode_now();
}

// Whether as may take that name away. With the lock of its directory, which nobody changes then.
static int may_take(const struct tmpfs_entry *entry, bool directory_wanted, const struct credentials *as)
{
    bool directory = vnode_is(&entry->node->vnode, S_IFDIR);
    int error = vnode_may_remove(&entry->directory->vnode, &entry->node->vnode, as);
    return error != 0 ? error : directory == directory_wanted ? 0 : directory ? -EISDIR : -ENOTDIR;
}

static int may_vanish(const struct tmpfs_node *node)
{
    if (node->vnode.covered != NULL) {
        return -EBUSY;
    }
    return vnode_is(&node->vnode, S_IFDIR) && !is_empty(node) ? -ENOTEMPTY : 0;
}

static int tmpfs_unlink(struct vnode *directory, const char *name, size_t length, bool directory_wanted,
                        const struct credentials *as)
{
    mutex_lock(&directory->mount->names); // nothing is made in what is being removed
    mutex_lock(&directory->lock);
    struct tmpfs_entry *entry = find(tmpfs_node(directory), name, length);
    int error = entry == NULL ? -ENOENT : may_take(entry, directory_wanted, as);
    error = error == 0 ? may_vanish(entry->node) : error;
    if (error == 0) {
        take_out(tmpfs_node(directory), entry);
        drop_name(entry);
    }
    mutex_unlock(&directory->lock);
    mutex_unlock(&directory->mount->names);
    if (error == 0) {
        vnode_put(&entry->node->vnode);
        kfree(entry);
    }
    return error;
}

// Two directories at once; only a rename does so, and with names held there is but one.
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
    for (;;) {
        if (node == ancestor) {
            return true;
        }
        const struct tmpfs_node *parent = parent_of(node);
        if (parent == NULL || parent == node) {
            return false;
        }
        node = parent;
    }
}

// What is to be moved, and what is in its way.
struct moving {
    struct tmpfs_node *from, *to;
    struct tmpfs_entry *old, *victim;
};

// What the tree does not allow, whoever asks.
static int may_move(const struct moving *moving, unsigned flags)
{
    const struct tmpfs_node *node = moving->old->node;
    bool exchange = (flags & RENAME_EXCHANGE) != 0;
    if (parent_of(moving->to) == NULL) {
        return -ENOENT;
    }
    if (moving->victim != NULL ? (flags & RENAME_NOREPLACE) != 0 : exchange) {
        return exchange ? -ENOENT : -EEXIST;
    }
    if (vnode_is(&node->vnode, S_IFDIR) && is_inside(moving->to, node)) {
        return -EINVAL;
    }
    if (moving->victim != NULL && vnode_is(&moving->victim->node->vnode, S_IFDIR) &&
        is_inside(moving->from, moving->victim->node)) {
        return exchange ? -EINVAL : -ENOTEMPTY;
    }
    return 0;
}

// And what as may not do. A directory that moves to another has its ".." changed.
static int may_rename(const struct moving *moving, unsigned flags, const struct credentials *as)
{
    struct tmpfs_node *node = moving->old->node, *victim = moving->victim != NULL ? moving->victim->node : NULL;
    bool directory = vnode_is(&node->vnode, S_IFDIR), exchange = (flags & RENAME_EXCHANGE) != 0;
    bool other_directory = victim != NULL && vnode_is(&victim->vnode, S_IFDIR);
    int error = may_take(moving->old, directory, as);
    if (error == 0) {
        error = victim != NULL ? may_take(moving->victim, exchange ? other_directory : directory, as)
                               : vnode_access(&moving->to->vnode, as, ACCESS_WRITE | ACCESS_EXEC);
    }
    if (error == 0 && moving->from != moving->to) {
        error = directory ? vnode_access(&node->vnode, as, ACCESS_WRITE) : 0;
        error = error == 0 && exchange && other_directory ? vnode_access(&victim->vnode, as, ACCESS_WRITE) : error;
    }
    if (error != 0) {
        return error;
    }
    if (node->vnode.covered != NULL || (victim != NULL && victim->vnode.covered != NULL)) {
        return -EBUSY;
    }
    return victim != NULL && !exchange ? may_vanish(victim) : 0;
}

// fresh: an entry with the new name, which becomes the old one's node's. The locks of both directories.
static void move(const struct moving *moving, struct tmpfs_entry *fresh)
{
    struct tmpfs_node *node = moving->old->node;
    if (moving->victim != NULL) {
        take_out(moving->to, moving->victim);
        drop_name(moving->victim);
    }
    take_out(moving->from, moving->old);
    fresh->node = node;
    node->entry = fresh;
    insert(moving->to, fresh);
    node->vnode.changed_ns = vnode_now();
    if (vnode_is(&node->vnode, S_IFDIR)) {
        moving->from->vnode.links--;
        moving->to->vnode.links++;
    }
}

static void exchange(const struct moving *moving)
{
    struct tmpfs_node *one = moving->old->node, *other = moving->victim->node;
    bool one_directory = vnode_is(&one->vnode, S_IFDIR), other_directory = vnode_is(&other->vnode, S_IFDIR);
    moving->old->node = other;
    moving->victim->node = one;
    other->entry = moving->old;
    one->entry = moving->victim;
    moving->from->vnode.links += other_directory - one_directory;
    moving->to->vnode.links += one_directory - other_directory;
    one->vnode.changed_ns = other->vnode.changed_ns = vnode_now();
}

static int rename_locked(struct moving *moving, unsigned flags, const struct credentials *as,
                         struct tmpfs_entry **fresh)
{
    int error = moving->old == NULL ? -ENOENT : may_move(moving, flags);
    if (error != 0 || (moving->victim != NULL && moving->victim->node == moving->old->node)) {
        return error; // two names of one file: nothing to do
    }
    error = may_rename(moving, flags, as);
    if (error != 0) {
        return error;
    }
    if (vnode_is(&moving->old->node->vnode, S_IFDIR) ||
        (moving->victim != NULL && vnode_is(&moving->victim->node->vnode, S_IFDIR))) {
        path_note_move();
    }
    if ((flags & RENAME_EXCHANGE) != 0) {
        exchange(moving);
    } else {
        move(moving, *fresh);
        *fresh = NULL;
    }
    return 0;
}

static int tmpfs_rename(struct vnode *from, const char *name, size_t length, struct vnode *to, const char *new_name,
                        size_t new_length, unsigned flags, const struct credentials *as)
{
    struct moving moving = {tmpfs_node(from), tmpfs_node(to), NULL, NULL};
    struct tmpfs_entry *fresh;
    int error = make_entry(new_name, new_length, &fresh);
    if (error != 0) {
        return error;
    }
    mutex_lock(&from->mount->names);
    lock_both(from, to);
    moving.old = find(moving.from, name, length);
    moving.victim = find(moving.to, new_name, new_length);
    error = rename_locked(&moving, flags, as, &fresh);
    unlock_both(from, to);
    mutex_unlock(&from->mount->names);
    if (fresh != NULL) { // nothing has moved
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

static int tmpfs_parent(struct vnode *vnode, struct vnode **out)
{
    mutex_lock(&vnode->mount->names);
    struct tmpfs_node *parent = parent_of(tmpfs_node(vnode));
    if (parent != NULL) {
        *out = &parent->vnode;
        vnode_get(*out);
    }
    mutex_unlock(&vnode->mount->names);
    return parent != NULL ? 0 : -ENOENT;
}

static int tmpfs_name_of(struct vnode *directory, struct vnode *child, char *out, size_t size)
{
    mutex_lock(&directory->mount->names);
    const struct tmpfs_entry *entry = tmpfs_node(child)->entry;
    int error = entry == NULL || entry->directory != tmpfs_node(directory) ? -ENOENT
                : entry->length < size                                     ? 0
                                                                           : -ERANGE;
    if (error == 0) {
        __builtin_memcpy(out, entry->name, entry->length);
        out[entry->length] = 0;
    }
    mutex_unlock(&directory->mount->names);
    return error;
}

static bool tmpfs_gone(const struct vnode *directory)
{
    return READ_ONCE(directory->links) == 0;
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
        return (file->flags & O_ACCMODE) != O_RDONLY ? tmpfs_may_write(vnode) : 0;
    case S_IFIFO:
        return pipe_open(vnode, file);
    default:
        return -ENXIO;
    }
}

static uint64_t tmpfs_blocks(struct vnode *vnode)
{
    return vnode_is(vnode, S_IFREG) ? READ_ONCE(tmpfs_node(vnode)->pages.count) * (PAGE_SIZE / 512) : 0;
}

static const struct vnode_ops tmpfs_ops = {
    .blocks = tmpfs_blocks,
    .lookup = tmpfs_lookup,
    .create = tmpfs_create,
    .link = tmpfs_link,
    .nameless = tmpfs_nameless,
    .allocate = tmpfs_allocate,
    .unlink = tmpfs_unlink,
    .rename = tmpfs_rename,
    .parent = tmpfs_parent,
    .name_of = tmpfs_name_of,
    .gone = tmpfs_gone,
    .entry = tmpfs_entry_at,
    .readlink = tmpfs_readlink,
    .truncate = tmpfs_truncate,
    .open = tmpfs_open,
    .release = tmpfs_release,
};

// --- the whole -----------------------------------------------------------------------------------------------------

static int tmpfs_mount(struct mount *mount, const char *source, const char *text)
{
    uint64_t half = page_pool_total(&kernel_pages) / 2;
    const struct credentials *as = credentials_current();
    struct tmpfs_options options = {.limits = {half, half}, .mode = 01777, .uid = as->uid, .gid = as->gid};
    struct tmpfs_node *node;
    void *memory;
    int error = tmpfs_parse_options(text, &options);
    error = error != 0 ? error : kmalloc(sizeof(struct tmpfs_use), &memory);
    if (error != 0) {
        return error;
    }
    struct tmpfs_use *use = mount->data = memory;
    *use = (struct tmpfs_use){.limits = options.limits};
    error = make_node(mount, S_IFDIR | options.mode, 0, NULL, &credentials_kernel, &node);
    if (error != 0) {
        kfree(use);
        return error;
    }
    node->vnode.uid = options.uid;
    node->vnode.gid = options.gid;
    mount->root = &node->vnode;
    return 0;
}

// From the leaves up, without recursion: a tree may be deeper than a stack.
static void empty(struct tmpfs_node *root)
{
    for (struct tmpfs_node *at = root;;) {
        struct tmpfs_entry *entry = named(tree_edge(&at->names, 0));
        if (entry == NULL && at == root) {
            return;
        }
        if (entry == NULL) {
            entry = at->entry;
            at = entry->directory;
        } else if (vnode_is(&entry->node->vnode, S_IFDIR)) {
            at = entry->node; // and up again when it is empty
            if (at->names.root != NULL) {
                continue;
            }
            at = entry->directory;
        }
        take_out(at, entry);
        drop_name(entry);
        vnode_put(&entry->node->vnode);
        kfree(entry);
    }
}

static void tmpfs_unmount(struct mount *mount)
{
    struct tmpfs_use *use = tmpfs_use(mount);
    empty(tmpfs_node(mount->root));
    vnode_put(mount->root);
    kfree(use);
}

static bool tmpfs_is_written(struct mount *mount)
{
    return READ_ONCE(tmpfs_use(mount)->removed) != 0; // what goes when it is closed is a change
}

static void tmpfs_figures(struct mount *mount, struct mount_figures *out)
{
    const struct tmpfs_use *use = tmpfs_use(mount);
    uint64_t pages = READ_ONCE(use->limits.pages_max), inodes = READ_ONCE(use->limits.inodes_max);
    *out = (struct mount_figures){.pages = pages, .inodes = inodes};
    out->pages_free = pages - min_u64(pages, READ_ONCE(use->pages));
    out->inodes_free = inodes - min_u64(inodes, READ_ONCE(use->inodes));
}

// The entry after this one in a walk over the whole tree; NULL: that was all.
static struct tmpfs_entry *next_in_tree(const struct tmpfs_node *root, struct tmpfs_entry *entry)
{
    if (vnode_is(&entry->node->vnode, S_IFDIR) && entry->node->ids.root != NULL) {
        return numbered(tree_edge(&entry->node->ids, 0));
    }
    struct tree_node *next;
    while ((next = tree_step(&entry->by_id, 1)) == NULL) {
        if (entry->directory == root) {
            return NULL;
        }
        entry = entry->directory->entry;
    }
    return numbered(next);
}

static bool tmpfs_busy(struct mount *mount)
{
    struct tmpfs_node *root = tmpfs_node(mount->root);
    uint64_t seen = 1;
    mutex_lock(&mount->names);
    bool busy = load_acquire(&mount->root->references) > 2; // the mount's own, and the one who asks
    struct tmpfs_entry *entry = numbered(tree_edge(&root->ids, 0));
    for (; entry != NULL && !busy; entry = next_in_tree(root, entry)) {
        struct tmpfs_node *node = entry->node;
        node->entry = node->entry == NULL ? entry : node->entry; // so that each file is counted at one of its names
        uint32_t names = vnode_is(&node->vnode, S_IFDIR) ? 1 : node->vnode.links;
        busy = load_acquire(&node->vnode.references) > names;
        seen += node->entry == entry;
    }
    busy |= load_acquire(&mount->nodes) > seen; // open, and without a name
    mutex_unlock(&mount->names);
    return busy;
}

const struct filesystem tmpfs = {
    .name = "tmpfs",
    .magic = 0x01021994,
    .mount = tmpfs_mount,
    .change = tmpfs_change,
    .unmount = tmpfs_unmount,
    .busy = tmpfs_busy,
    .is_written = tmpfs_is_written,
    .figures = tmpfs_figures,
};

// Where files without a name are: nobody can get there, unmount it or make it read-only.
static struct tmpfs_use nameless_use; // no limit but what is left to processes
static struct mount nameless = {
    .type = &tmpfs, .device = 0xfffff, .data = &nameless_use, .names = MUTEX_INIT(nameless.names, "nameless files")};

int tmpfs_anonymous(const struct credentials *as, uint64_t size, struct vnode **node, struct backing **pages)
{
    struct tmpfs_node *made;
    int error = make_node(&nameless, S_IFREG | 0600, 0, NULL, as, &made);
    if (error == 0) {
        made->vnode.size = size;
        made->vnode.links = 0;
        made->nameless = false;
        *node = &made->vnode;
        *pages = &made->backing;
    }
    return error;
}
