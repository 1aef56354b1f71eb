#include "kernel/fs/path.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/fs/mount.h"

#define PATH_SCOPED ((unsigned)PATH_BENEATH | PATH_IN_ROOT)

static uint64_t moves;

struct walk {
    const struct path_start *start;
    struct vnode *at;
    char *buffer, *rest; // rest: what is still to be walked, in buffer, NUL-terminated
    unsigned flags, links;
    uint64_t moves; // when it began
    struct path_end *out;
};

void path_note_move(void)
{
    (void)atomic_add(&moves, 1);
}

static const char *skip_slashes(const char *at)
{
    while (*at == '/') {
        at++;
    }
    return at;
}

static void go_to(struct walk *walk, struct vnode *node) // takes over the reference
{
    vnode_put(walk->at);
    walk->at = node;
}

static int go_up(struct walk *walk)
{
    if ((walk->flags & PATH_BENEATH) != 0 && walk->at == walk->start->directory) {
        return -EXDEV;
    }
    if (walk->at == walk->start->root) {
        return 0;
    }
    const struct mount *before = walk->at->mount;
    walk->at = mount_cross_up(walk->at, walk->start->root);
    if (mount_is_covering(walk->at)) {
        return (walk->flags & PATH_BENEATH) != 0 ? -EXDEV : 0; // it lies over our root
    }
    if ((walk->flags & PATH_NO_MOUNTS) != 0 && walk->at->mount != before) {
        return -EXDEV;
    }
    struct vnode *parent;
    int error = walk->at->ops->parent(walk->at, &parent);
    if (error == 0) {
        go_to(walk, mount_cross_down(parent));
    }
    // The start is known by itself, so whoever is moved away from below it would pass by.
    bool moved = (walk->flags & PATH_SCOPED) != 0 && load_acquire(&moves) != walk->moves;
    return error == 0 && moved ? -EAGAIN : error;
}

// The link's text takes the place of its name: in front of what is left.
static int follow(struct walk *walk, struct vnode *link)
{
    if (++walk->links > PATH_LINKS_MAX) {
        return -ELOOP;
    }
    if ((walk->flags & PATH_NO_LINKS) != 0 || (link->ops->jump != NULL && (walk->flags & PATH_NO_JUMPS) != 0)) {
        return -ELOOP;
    }
    int allowed = *skip_slashes(walk->rest) == 0 ? vnode_may_follow(walk->at, link, walk->start->as) : 0;
    if (allowed != 0) {
        return allowed;
    }
    if (link->ops->jump != NULL) {
        struct vnode *node;
        int error = (walk->flags & PATH_SCOPED) != 0 ? -EXDEV : link->ops->jump(link, &node);
        if (error == 0 && (walk->flags & PATH_NO_MOUNTS) != 0 && node->mount != walk->at->mount) {
            vnode_put(node);
            error = -EXDEV;
        }
        if (error == 0) {
            go_to(walk, node);
        }
        return error;
    }
    size_t left = text_length(walk->rest) + 1;
    char *tail = walk->buffer + PATH_MAX - left;
    __builtin_memmove(tail, walk->rest, left);
    int64_t length = link->ops->readlink(link, walk->buffer, PATH_MAX);
    if (length < 0) {
        return (int)length;
    }
    if (length == 0) {
        return -ENOENT;
    }
    if ((size_t)length + 1 + left > PATH_MAX) {
        return -ENAMETOOLONG;
    }
    // tail may have been overwritten by a long target: that did not fit, and was refused above.
    size_t at = (size_t)length;
    if (left > 1) {
        walk->buffer[at++] = '/';
    }
    __builtin_memmove(walk->buffer + at, tail, left);
    walk->rest = walk->buffer;
    if (walk->buffer[0] == '/') {
        bool other = walk->start->root->mount != walk->at->mount;
        if ((walk->flags & PATH_BENEATH) != 0 || ((walk->flags & PATH_NO_MOUNTS) != 0 && other)) {
            return -EXDEV;
        }
        vnode_get(walk->start->root);
        go_to(walk, walk->start->root);
    }
    return 0;
}

static bool is_dots(const char *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

// The end of the path: what it names stays at walk->at, or is missing.
static int finish(struct walk *walk, struct vnode *child, const char *name, size_t length, bool slash)
{
    struct path_end *out = walk->out;
    bool directory = (slash && (walk->flags & PATH_PARENT) == 0) || (walk->flags & PATH_DIRECTORY) != 0;
    if (child != NULL && directory && !vnode_is(child, S_IFDIR)) {
        vnode_put(child);
        return -ENOTDIR;
    }
    if (child == NULL && (walk->flags & PATH_MAY_MISS) == 0) {
        return -ENOENT;
    }
    out->node = child;
    out->directory = walk->at; // takes over the reference
    walk->at = NULL;
    out->name_length = length;
    out->slash = slash;
    __builtin_memcpy(out->name, name, length);
    out->name[length] = 0;
    return 0;
}

// One name. 1: the walk is over.
static int step(struct walk *walk, const char *name, size_t length, const char *after)
{
    const char *next = skip_slashes(after);
    bool last = *next == 0, slash = last && *after == '/';
    if (!vnode_is(walk->at, S_IFDIR)) {
        return -ENOTDIR;
    }
    int error = vnode_access(walk->at, walk->start->as, ACCESS_EXEC);
    if (error != 0) {
        return error;
    }
    if (is_dots(name, length)) {
        walk->rest += next - walk->rest;
        walk->out->up = length == 2 && last;
        return length == 2 ? go_up(walk) : 0;
    }
    if (length > NAME_MAX) {
        return -ENAMETOOLONG;
    }
    if (slash && (walk->flags & PATH_MAKES) != 0) {
        return -EISDIR;
    }
    struct vnode *child;
    error = walk->at->ops->lookup(walk->at, name, length, &child);
    if (error == -ENOENT && last) {
        error = finish(walk, NULL, name, length, slash);
        return error != 0 ? error : 1;
    }
    if (error != 0) {
        return error;
    }
    child = mount_cross_down(child);
    if ((walk->flags & PATH_NO_MOUNTS) != 0 && child->mount != walk->at->mount) {
        vnode_put(child);
        return -EXDEV;
    }
    bool slash_follows = slash && (walk->flags & PATH_PARENT) == 0;
    if (vnode_is(child, S_IFLNK) && (!last || slash_follows || (walk->flags & PATH_FOLLOW) != 0)) {
        walk->rest += next - walk->rest;
        if (slash) {
            walk->flags |= PATH_DIRECTORY;
        }
        error = follow(walk, child);
        vnode_put(child);
        return error;
    }
    if (last) {
        error = finish(walk, child, name, length, slash);
        return error != 0 ? error : 1;
    }
    walk->rest += next - walk->rest;
    go_to(walk, child);
    return 0;
}

static int run(struct walk *walk)
{
    for (;;) {
        walk->rest += skip_slashes(walk->rest) - walk->rest;
        size_t length = 0;
        while (walk->rest[length] != 0 && walk->rest[length] != '/') {
            length++;
        }
        if (length == 0) { // ended in "/", "." or ".."
            if (!vnode_is(walk->at, S_IFDIR) && (walk->flags & PATH_DIRECTORY) != 0) {
                return -ENOTDIR;
            }
            walk->out->node = walk->at;
            walk->at = NULL;
            return 0;
        }
        int done = step(walk, walk->rest, length, walk->rest + length);
        if (done != 0) {
            return done > 0 ? 0 : done;
        }
    }
}

// Whether that is still reached from above. With a name of its own a file is where its directory is.
static bool is_below(const struct path_end *end, const struct vnode *above)
{
    struct vnode *node = end->directory != NULL ? end->directory : end->node, *parent;
    vnode_get(node);
    bool found = node == above;
    while (!found) {
        node = mount_cross_up(node, above);
        found = node == above || mount_is_covering(node); // it stays where it is when the way leads over above
        if (found || node->ops->parent(node, &parent) != 0) {
            break;
        }
        bool top = parent == node;
        vnode_put(node);
        node = parent;
        found = node == above;
        if (top) {
            break;
        }
    }
    vnode_put(node);
    return found;
}

int path_walk(const struct path_start *start, char *path, unsigned flags, struct path_end *out)
{
    *out = (struct path_end){.node = NULL};
    if (path[0] == 0) {
        return -ENOENT;
    }
    if (path[0] == '/' && (flags & PATH_BENEATH) != 0) {
        return -EXDEV;
    }
    struct walk walk = {.start = start, .buffer = path, .rest = path, .flags = flags, .out = out};
    walk.moves = (flags & PATH_SCOPED) != 0 ? load_acquire(&moves) : 0;
    walk.at = path[0] == '/' ? start->root : start->directory;
    vnode_get(walk.at);
    int error = run(&walk);
    vnode_put(walk.at);
    if (error == 0 && (flags & PATH_SCOPED) != 0 &&
        !is_below(out, (flags & PATH_BENEATH) != 0 ? start->directory : start->root)) {
        path_end_put(out);
        error = -EXDEV;
    }
    return error;
}

void path_end_put(struct path_end *end)
{
    vnode_put(end->node);
    vnode_put(end->directory);
    end->node = end->directory = NULL;
}

int path_of(struct vnode *of, struct vnode *root, char *out, size_t size)
{
    char name[NAME_MAX + 1];
    size_t at = size;
    int error = 0;
    struct vnode *node = of;
    vnode_get(node);
    if (size < 2) {
        error = -ERANGE;
    } else {
        out[--at] = 0;
    }
    while (error == 0 && node != root) {
        node = mount_cross_up(node, root);
        if (mount_is_covering(node)) {
            break; // it lies over the root
        }
        struct vnode *parent;
        error = node->ops->parent(node, &parent);
        if (error != 0) {
            break;
        }
        if (parent == node) { // the root of all, and root is not above: seen from nowhere
            vnode_put(parent);
            break;
        }
        error = parent->ops->name_of(parent, node, name, sizeof(name));
        size_t length = error == 0 ? text_length(name) : 0;
        if (error == 0 && length + 1 > at) {
            error = -ERANGE;
        }
        if (error == 0) {
            at -= length;
            __builtin_memcpy(out + at, name, length);
            out[--at] = '/';
        }
        vnode_put(node);
        node = mount_cross_down(parent);
    }
    vnode_put(node);
    if (error == 0 && out[at] == 0) {
        out[--at] = '/';
    }
    if (error == 0) {
        __builtin_memmove(out, out + at, size - at);
    }
    return error;
}
