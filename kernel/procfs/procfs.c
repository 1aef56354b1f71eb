// Nodes of /proc: made when they are looked up, gone with their last reference.
#include "kernel/procfs/procfs.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/access.h"
#include "kernel/procfs/procfs_internal.h"

static const struct vnode_ops proc_ops, proc_jump_ops;
static const struct file_ops proc_text_ops, proc_directory_ops;

// --- making --------------------------------------------------------------------------------------------------------

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x100000001b3ull; // FNV-1a
}

static uint64_t number_of(const struct proc_node *node)
{
    uint64_t hash = mix(mix(mix(0xcbf29ce484222325ull, (uint32_t)node->pid), (uint32_t)node->tid), node->fd);
    for (const char *at = node->entry->name; *at != 0; at++) {
        hash = mix(hash, (unsigned char)*at);
    }
    hash = node->parent != NULL ? mix(hash, node->parent->ino) : hash;
    return hash >> 1 | 1;
}

static int make(struct mount *mount, const struct proc_entry *entry, const struct proc_node *parent,
                struct proc_node **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct proc_node), &memory);
    if (error != 0) {
        return error;
    }
    struct proc_node *node = memory;
    *node = (struct proc_node){.entry = entry};
    vnode_init(&node->vnode, entry->jump != NULL ? &proc_jump_ops : &proc_ops, mount, entry->mode);
    if (parent != NULL) {
        node->pid = parent->pid;
        node->tid = parent->tid;
        node->identity = parent->identity;
        node->parent = (struct vnode *)&parent->vnode;
        vnode_get(node->parent);
    }
    node->vnode.links = vnode_is(&node->vnode, S_IFDIR) ? 2 : 1;
    *out = node;
    return 0;
}

// When pid, tid and fd are set.
static void finish(struct proc_node *node, struct vnode **out)
{
    node->vnode.ino = number_of(node);
    if (node->pid != 0) {
        bool plain = node->vnode.mode == (S_IFDIR | 0555);
        process_node_owner(node->pid, plain, &node->vnode.uid, &node->vnode.gid);
    }
    *out = &node->vnode;
}

bool proc_lives(const struct proc_node *node)
{
    return node->pid == 0 || process_identity(node->pid, node->tid) == node->identity;
}

struct process *proc_process(const struct proc_node *node)
{
    struct process *process = process_find(node->pid);
    if (process != NULL && !proc_lives(node)) {
        process_put(process);
        process = NULL;
    }
    return process;
}

static void proc_release(struct vnode *vnode)
{
    struct proc_node *node = proc_node(vnode);
    file_put(node->file);
    vnode_put(node->parent);
    kfree(node);
}

int proc_make_file_node(const struct proc_node *link, struct file *file, struct vnode **out)
{
    struct proc_node *node;
    struct file *place = NULL;
    int error = file->ops->reopen != NULL ? file_create(NULL, NULL, O_PATH, &place) : 0;
    error = error == 0 && place != NULL ? file->ops->reopen(file, place) : error;
    error = error == 0 ? make(link->vnode.mount, link->entry, link, &node) : error;
    if (error != 0) {
        file_put(place);
        return error;
    }
    if (error == 0) {
        node->file = place;
        node->stands_for_file = true;
        node->vnode.mode = file->ops->kind;
        node->vnode.nowhere = true;
        finish(node, out);
        node->vnode.uid = node->vnode.gid = 0;
        if (file->ops->owner != NULL) {
            file->ops->owner(file, &node->vnode.uid, &node->vnode.gid);
        }
        node->vnode.ino = file->ops->number != NULL ? file->ops->number(file) : node->vnode.ino;
    }
    return error;
}

int proc_may_look(const struct proc_node *node)
{
    int error = process_may_access_id(node->pid, node->tid, ACCESS_BY_FILE_USER);
    error = proc_lives(node) ? error : -ESRCH;
    return error == -ESRCH ? -ENOENT : error == -EPERM ? -EACCES : error;
}

// --- names ---------------------------------------------------------------------------------------------------------

static bool same_name(const char *a, const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && a[i] != 0 && a[i] == name[i]) {
        i++;
    }
    return i == length && a[i] == 0;
}

// As it is written without a zero in front; false: it is none.
static bool read_number(const char *name, size_t length, uint32_t *out)
{
    uint64_t number = 0;
    if (length == 0 || length > 10 || (name[0] == '0' && length > 1)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    *out = (uint32_t)number;
    return number <= INT32_MAX;
}

struct open_for {
    bool reads, writes;
};

static bool descriptor_is_open(const struct proc_node *node, uint32_t fd, struct open_for *how)
{
    struct process *process = proc_process(node);
    struct fd_table *files = process != NULL ? process_files_get(process) : NULL;
    struct file *file;
    bool open = files != NULL && fd_file_or_place(files, fd, &file) == 0;
    if (open) {
        how->reads = (file->flags & O_ACCMODE) != O_WRONLY;
        how->writes = (file->flags & O_ACCMODE) != O_RDONLY;
        file_put(file);
    }
    if (files != NULL) {
        fd_table_put(files);
    }
    process_put(process);
    return open;
}

static int make_numbered(const struct proc_node *directory, uint32_t number, struct vnode **out)
{
    static const struct proc_entry *const kinds[] = {
        [PROC_PIDS] = &proc_process_entry,
        [PROC_TIDS] = &proc_task_entry,
        [PROC_FDS] = &proc_fd_entry,
        [PROC_FD_INFOS] = &proc_fd_info_entry,
    };
    enum proc_numbers numbers = directory->entry->numbers;
    struct open_for open = {false, false};
    uint64_t identity = numbers == PROC_PIDS                  ? process_identity((int32_t)number, 0)
                        : numbers == PROC_TIDS && number != 0 ? process_identity(directory->pid, (int32_t)number)
                                                              : directory->identity;
    bool there = numbers < PROC_FDS ? identity != 0 && number != 0 : descriptor_is_open(directory, number, &open);
    if (!there || !proc_lives(directory)) {
        return -ENOENT;
    }
    struct proc_node *node;
    int error = make(directory->vnode.mount, kinds[numbers], directory, &node);
    if (error == 0) {
        node->pid = numbers == PROC_PIDS ? (int32_t)number : node->pid;
        node->tid = numbers == PROC_TIDS ? (int32_t)number : node->tid;
        node->fd = numbers >= PROC_FDS ? number : 0;
        node->identity = identity;
        if (numbers == PROC_FDS) { // what it is open for, as on Linux
            node->vnode.mode = S_IFLNK | 0100 | (open.reads ? 0400 : 0) | (open.writes ? 0200 : 0);
        }
        finish(node, out);
    }
    return error;
}

static int proc_lookup(struct vnode *vnode, const char *name, size_t length, struct vnode **out)
{
    const struct proc_node *directory = proc_node(vnode);
    uint32_t number;
    if (!proc_lives(directory)) { // as on Linux, where these two are asked for permission first
        bool asked = directory->entry == &proc_process_entry || directory->entry->numbers == PROC_TIDS;
        return asked ? -ESRCH : -ENOENT;
    }
    for (const struct proc_entry *entry = directory->entry->entries; entry != NULL && entry->name != NULL; entry++) {
        if (same_name(entry->name, name, length)) {
            struct proc_node *node;
            int error = make(vnode->mount, entry, directory, &node);
            if (error == 0) {
                finish(node, out);
            }
            return error;
        }
    }
    bool numbered = directory->entry->numbers != PROC_NONE && read_number(name, length, &number);
    return numbered ? make_numbered(directory, number, out) : -ENOENT;
}

static bool proc_gone(const struct vnode *vnode)
{
    return !proc_lives(container_of(vnode, const struct proc_node, vnode));
}

static int proc_parent(struct vnode *vnode, struct vnode **out)
{
    struct proc_node *node = proc_node(vnode);
    *out = node->parent != NULL ? node->parent : vnode;
    vnode_get(*out);
    return 0;
}

static int proc_name_of(struct vnode *directory, struct vnode *child, char *out, size_t size)
{
    const struct proc_node *node = proc_node(child);
    enum proc_numbers numbers = proc_node(directory)->entry->numbers;
    bool numbered = node->entry == &proc_process_entry || node->entry == &proc_task_entry || numbers >= PROC_FDS;
    uint32_t number = numbers == PROC_PIDS   ? (uint32_t)node->pid
                      : numbers == PROC_TIDS ? (uint32_t)node->tid
                                             : node->fd;
    size_t length = numbered ? format(out, size, "%u", number) : format(out, size, "%s", node->entry->name);
    return length < size ? 0 : -ERANGE;
}

// The lowest number that is at least from, or -ENOENT.
static int64_t next_number(const struct proc_node *directory, uint32_t from)
{
    int32_t id = 0;
    struct process *process;
    struct fd_table *files;
    int64_t found = -ENOENT;
    switch (directory->entry->numbers) {
    case PROC_PIDS:
    case PROC_TIDS:
        id = process_next_id(directory->entry->numbers == PROC_PIDS ? 0 : directory->pid, (int32_t)from);
        return id != 0 && proc_lives(directory) ? id : -ENOENT;
    case PROC_FDS:
    case PROC_FD_INFOS:
        process = proc_process(directory);
        files = process != NULL ? process_files_get(process) : NULL;
        if (files != NULL) {
            found = fd_next(files, from);
            fd_table_put(files);
        }
        process_put(process);
        return found;
    default:
        return -ENOENT;
    }
}

// Cursors below the number of fixed entries are theirs; then come the numbers, by themselves.
static int proc_entry_at(struct vnode *vnode, uint64_t *cursor, struct directory_entry *out, char name[NAME_MAX])
{
    const struct proc_node *directory = proc_node(vnode);
    uint64_t fixed = 0;
    while (directory->entry->entries != NULL && directory->entry->entries[fixed].name != NULL) {
        fixed++;
    }
    if (*cursor < fixed) {
        const struct proc_entry *entry = &directory->entry->entries[*cursor];
        const struct proc_node child = {
            .entry = entry, .parent = vnode, .pid = directory->pid, .tid = directory->tid, .fd = directory->fd};
        *out = (struct directory_entry){name, format(name, NAME_MAX, "%s", entry->name), number_of(&child),
                                        entry->mode & S_IFMT};
        (*cursor)++;
        return 0;
    }
    int64_t number = *cursor - fixed <= INT32_MAX ? next_number(directory, (uint32_t)(*cursor - fixed)) : -ENOENT;
    if (number < 0) {
        return (int)number;
    }
    uint32_t type = directory->entry->numbers == PROC_FDS        ? S_IFLNK
                    : directory->entry->numbers == PROC_FD_INFOS ? S_IFREG
                                                                 : S_IFDIR;
    *out = (struct directory_entry){name, format(name, NAME_MAX, "%lu", (uint64_t)number),
                                    mix(vnode->ino, (uint64_t)number) >> 1 | 1, type};
    *cursor = fixed + (uint64_t)number + 1;
    return 0;
}

// --- links ---------------------------------------------------------------------------------------------------------

static int64_t proc_readlink(struct vnode *vnode, char *out, size_t size)
{
    const struct proc_node *node = proc_node(vnode);
    struct text text = {.bytes = NULL};
    int64_t result = node->entry->target != NULL ? node->entry->target(node, &text) : -EINVAL;
    result = result == 0 ? text.error : result;
    if (result == 0) {
        result = (int64_t)min_u64(size, text.length);
        if (result > 0) {
            __builtin_memcpy(out, text.bytes, (size_t)result);
        }
    }
    kfree(text.bytes);
    return result;
}

// Links whose text is the truth have no jump of their own.
static int proc_jump(struct vnode *vnode, struct vnode **out)
{
    const struct proc_node *node = proc_node(vnode);
    return node->entry->jump(node, out);
}

void proc_add_path(struct text *out, struct vnode *node)
{
    void *path;
    if (out->error != 0) {
        return;
    }
    out->error = kmalloc(PATH_MAX, &path);
    if (out->error != 0) {
        return;
    }
    struct path_start places = {.root = NULL};
    if (process_current() != NULL) {
        process_places_get(process_current(), &places);
    } else {
        places.root = mount_root_node();
    }
    int error = path_of(node, places.root, path, PATH_MAX);
    text_add(out, "%s", error == 0 ? (const char *)path : " (deleted)");
    if (places.directory != NULL) {
        process_places_put(&places);
    } else {
        vnode_put(places.root);
    }
    kfree(path);
}

// --- contents ------------------------------------------------------------------------------------------------------

struct shown { // by an open file
    struct mutex lock;
    struct text text;
};

// What an open file shows is made when it is read from its beginning, and stays the same until then.
static int64_t read_locked(const struct proc_node *node, struct text *text, struct io *io, uint64_t offset)
{
    if (offset == 0 || text->bytes == NULL) {
        text->length = 0;
        text->error = 0;
        int error = node->entry->show(node, text);
        error = error == 0 ? text->error : error;
        error = error == 0 && !proc_lives(node) ? -ESRCH : error;
        if (error != 0) {
            text->length = 0;
            return error;
        }
    }
    uint64_t part = offset < text->length ? min_u64(io->left, text->length - offset) : 0;
    int error = part > 0 ? io_give(io, text->bytes + offset, part) : 0;
    return error != 0 ? error : (int64_t)part;
}

static int64_t text_read(struct file *file, struct io *io, uint64_t offset)
{
    const struct proc_node *node = proc_node(file->node);
    struct shown *shown = file->data;
    if (node->entry->show == NULL) {
        return -EINVAL;
    }
    mutex_lock(&shown->lock);
    int64_t result = read_locked(node, &shown->text, io, offset);
    mutex_unlock(&shown->lock);
    return result;
}

#define STORE_MAX 127u

static int64_t text_write(struct file *file, struct io *io, uint64_t offset)
{
    const struct proc_node *node = proc_node(file->node);
    char text[STORE_MAX + 1];
    uint64_t size = io->left;
    if (node->entry->store == NULL || size > STORE_MAX) {
        return node->entry->store == NULL ? -EIO : -EINVAL;
    }
    int error = io_take(io, text, size);
    if (error != 0) {
        return error;
    }
    text[size] = 0;
    if (size > 0 && text[size - 1] == '\n') {
        text[size - 1] = 0;
    }
    error = proc_lives(node) ? node->entry->store(node, text) : -ESRCH;
    return error != 0 ? error : (int64_t)size;
}

static void text_release(struct file *file)
{
    struct shown *shown = file->data;
    kfree(shown->text.bytes);
    kfree(shown);
}

static int proc_open(struct vnode *vnode, struct file *file)
{
    struct proc_node *node = proc_node(vnode);
    void *memory;
    int may = node->entry->secret ? proc_may_look(node) : 0;
    if (may != 0) {
        return may;
    }
    if (node->stands_for_file) {
        return node->file != NULL ? node->file->ops->reopen(node->file, file) : -ENXIO;
    }
    if (vnode_is(vnode, S_IFDIR) || node->entry->ops != NULL) {
        file->ops = node->entry->ops != NULL ? node->entry->ops : &proc_directory_ops;
        return 0;
    }
    int error = vnode_is(vnode, S_IFREG) ? kmalloc(sizeof(struct shown), &memory) : -ENXIO;
    if (error == 0) {
        struct shown *shown = file->data = memory;
        *shown = (struct shown){.text = {.bytes = NULL}};
        mutex_init(&shown->lock, "shown text");
        file->ops = &proc_text_ops;
    }
    return error;
}

static int proc_truncate(struct vnode *vnode, uint64_t size)
{
    return 0; // as echo > does before it writes
}

// A process finds its own descriptors, also when its nodes are root's because it is not dumpable.
static bool proc_is_own(const struct vnode *vnode)
{
    const struct proc_node *node = container_of(vnode, struct proc_node, vnode);
    const struct process *me = process_current();
    return node->entry->numbers >= PROC_FDS && me != NULL && me->identity == node->identity;
}

static const struct file_ops proc_text_ops = {.read = text_read, .write = text_write, .release = text_release};
static const struct file_ops proc_directory_ops = {.read = NULL};

#define COMMON                                                                                                         \
    .lookup = proc_lookup, .parent = proc_parent, .name_of = proc_name_of, .gone = proc_gone, .entry = proc_entry_at,  \
    .readlink = proc_readlink, .truncate = proc_truncate, .is_own = proc_is_own, .open = proc_open,                    \
    .release = proc_release
static const struct vnode_ops proc_ops = {COMMON};
static const struct vnode_ops proc_jump_ops = {COMMON, .jump = proc_jump};

// --- the whole -----------------------------------------------------------------------------------------------------

// They are known, and change nothing: everybody sees every process.
static int proc_change(struct mount *mount, const char *options)
{
    static const char *const known[] = {"hidepid", "gid", "subset", "rw", "ro", NULL};
    return mount_check_options(options, known);
}

static int proc_mount(struct mount *mount, const char *source, const char *options)
{
    struct proc_node *root;
    int error = proc_change(mount, options);
    error = error != 0 ? error : make(mount, &proc_root_entry, NULL, &root);
    if (error == 0) {
        root->vnode.ino = 1;
        mount->root = &root->vnode;
    }
    return error;
}

static void proc_unmount(struct mount *mount)
{
    vnode_put(mount->root);
}

static bool proc_busy(struct mount *mount)
{
    return load_acquire(&mount->nodes) > 1 || load_acquire(&mount->root->references) > 2;
}

const struct filesystem procfs = {
    .name = "proc",
    .magic = 0x9fa0,
    .transient = true,
    .mount = proc_mount,
    .change = proc_change,
    .unmount = proc_unmount,
    .busy = proc_busy,
};

int procfs_start(const char *command_line)
{
    proc_set_command_line(command_line);
    filesystem_register(&procfs);
    struct vnode *root = mount_root_node(), *place;
    int error = root->ops->lookup(root, "proc", 4, &place);
    if (error == -ENOENT) {
        error = root->ops->create(root, "proc", 4, S_IFDIR | 0555, 0, NULL, &credentials_kernel, &place);
    }
    if (error == 0) {
        error = mount_add(&procfs, "proc", "", MOUNT_NO_SUID | MOUNT_NO_DEVICES | MOUNT_NO_EXEC, place);
        vnode_put(place);
    }
    vnode_put(root);
    return error;
}
