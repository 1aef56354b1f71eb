// Path walks and changes of names over a tree that a model mirrors: links, "..", mounts, other roots, permissions.
#include "harness/fuzz.h"

#include <hal/memory.h>

#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include <stdio.h>
#include <string.h>

#define FRAMES 512u
#define NODES 96
#define NAMES 4
#define NONE (-1)
#define LINKS_MAX 40u

static struct page pages[FRAMES];
static struct thread me;
static struct path_start start; // references
static struct credentials as;
static char walked[PATH_MAX];

static const char *const targets[] = {"a",   "b/c", "../b", "..",    "/",       "/a", "/a/../b",
                                      "./d", "c/",  "a/b/", "../..", "../../d", "d",  "."};

// --- the model -----------------------------------------------------------------------------------------------------

enum kind { FREE, FOLDER, PLAIN, LINK };

static struct node {
    enum kind kind;
    struct vnode *vnode; // no reference of ours: it is in the tree, or it is start's
    int child[NAMES];    // of a folder
    int parent;          // of a folder: itself at a mount's root, NONE: removed
    int mount;           // number of the mount
    int over;            // the root that lies over it, or NONE
    int under;           // of a mount's root: what it covers, or NONE
    unsigned links;
    uint32_t mode;
    const char *target;
} nodes[NODES];
static int root, here, mount_count;

struct found {
    int error, node, folder, name;
    bool slash;
};

static int new_node(enum kind kind, int mount)
{
    for (int i = 0; i < NODES; i++) {
        if (nodes[i].kind == FREE) {
            nodes[i] =
                (struct node){.kind = kind, .mount = mount, .parent = NONE, .over = NONE, .under = NONE, .links = 1};
            memset(nodes[i].child, 0xff, sizeof(nodes[i].child));
            nodes[i].links = kind == FOLDER ? 2 : 1;
            return i;
        }
    }
    return NONE;
}

static int cover(int node)
{
    while (node != NONE && nodes[node].over != NONE) {
        node = nodes[node].over;
    }
    return node;
}

static int climb(int *at, unsigned flags)
{
    if (*at == root) {
        return 0;
    }
    if ((flags & PATH_BENEATH) != 0 && *at == here) {
        return -EXDEV;
    }
    int mount = nodes[*at].mount, bottom = *at;
    while (nodes[bottom].under != NONE) {
        bottom = nodes[bottom].under;
        if (bottom == root) { // it lies over our root
            return (flags & PATH_BENEATH) != 0 ? -EXDEV : 0;
        }
    }
    *at = bottom;
    if ((flags & PATH_NO_MOUNTS) != 0 && nodes[*at].mount != mount) {
        return -EXDEV;
    }
    if (nodes[*at].parent == NONE) {
        return -ENOENT;
    }
    *at = cover(nodes[*at].parent);
    return 0;
}

static bool may_search(int folder)
{
    return as.uid == 0 || (nodes[folder].mode & 01) != 0; // nobody owns anything here but root
}

// One step; true: the walk is over. text: what is left of the path, changed by links.
static bool step(int *at, char *text, unsigned *flags, unsigned *links, struct found *out)
{
    char rest[PATH_MAX], name[16] = "";
    text += strspn(text, "/");
    size_t length = strcspn(text, "/");
    bool last = text[length + strspn(text + length, "/")] == 0, slash = last && text[length] == '/';
    snprintf(rest, sizeof(rest), "%s", text + length + strspn(text + length, "/"));
    strncat(name, text, length < sizeof(name) ? length : sizeof(name) - 1);
    if (length == 0) {
        out->node = *at;
        return true;
    }
    if (nodes[*at].kind != FOLDER || !may_search(*at)) {
        out->error = nodes[*at].kind != FOLDER ? -ENOTDIR : -EACCES;
        return true;
    }
    memmove(text, rest, strlen(rest) + 1);
    if (name[0] == '.') {
        out->error = name[1] == '.' ? climb(at, *flags) : 0;
        return out->error != 0;
    }
    int child = cover(nodes[*at].child[name[0] - 'a']);
    if (child == NONE) {
        out->error = last && (*flags & PATH_MAY_MISS) != 0 ? 0 : -ENOENT;
    } else if ((*flags & PATH_NO_MOUNTS) != 0 && nodes[child].mount != nodes[*at].mount) {
        out->error = -EXDEV;
    } else if (nodes[child].kind == LINK && (!last || slash || (*flags & PATH_FOLLOW) != 0)) {
        const char *target = nodes[child].target;
        *flags |= slash ? PATH_DIRECTORY : 0;
        out->error = ++*links > LINKS_MAX || (*flags & PATH_NO_LINKS) != 0 ? -ELOOP
                     : target[0] == '/' && (*flags & PATH_BENEATH) != 0    ? -EXDEV
                                                                           : 0;
        *at = target[0] == '/' ? root : *at;
        sprintf(text, "%s%s%s", target, rest[0] != 0 ? "/" : "", rest);
        return out->error != 0;
    } else if (last && (slash || (*flags & PATH_DIRECTORY) != 0) && nodes[child].kind != FOLDER) {
        out->error = -ENOTDIR;
    }
    if (out->error == 0 && !last) {
        *at = child;
        return false;
    }
    *out = (struct found){out->error, child, *at, name[0] - 'a', slash};
    return true;
}

static struct found model_walk(const char *path, unsigned flags)
{
    static char text[2 * PATH_MAX];
    struct found out = {0, NONE, NONE, NONE, false};
    unsigned links = 0;
    int at = path[0] == '/' ? root : here;
    snprintf(text, sizeof(text), "%s", path);
    if (path[0] == 0 || (path[0] == '/' && (flags & PATH_BENEATH) != 0)) {
        out.error = path[0] == 0 ? -ENOENT : -EXDEV;
        return out;
    }
    char *rest = text;
    for (;;) {
        rest += strspn(rest, "/");
        memmove(text, rest, strlen(rest) + 1);
        rest = text;
        if (step(&at, text, &flags, &links, &out)) {
            return out;
        }
    }
}

static bool is_inside(int node, int ancestor)
{
    while (node != NONE && node != ancestor) {
        node = nodes[node].parent == node ? NONE : nodes[node].parent;
    }
    return node == ancestor;
}

static bool is_empty(int folder)
{
    bool any = false;
    for (int i = 0; i < NAMES; i++) {
        any |= nodes[folder].child[i] != NONE;
    }
    return !any;
}

static int may_go(int node, bool folder_wanted)
{
    bool folder = nodes[node].kind == FOLDER;
    return folder != folder_wanted     ? (folder ? -EISDIR : -ENOTDIR)
           : nodes[node].over != NONE  ? -EBUSY
           : folder && !is_empty(node) ? -ENOTEMPTY
                                       : 0;
}

static void lose_name(int folder, int name)
{
    int node = nodes[folder].child[name];
    nodes[folder].child[name] = NONE;
    if (nodes[node].kind == FOLDER) {
        nodes[folder].links--;
        nodes[node].links = 0;
        nodes[node].parent = NONE;
        if (node != root && node != here) {
            nodes[node].kind = FREE;
        }
    } else if (--nodes[node].links == 0) {
        nodes[node].kind = FREE;
    }
}

// --- operations ----------------------------------------------------------------------------------------------------

static bool excused(int error)
{
    return error == -ENOMEM && harness_faulted();
}

// A path of up to five parts.
static void read_path(struct input *input, char *path)
{
    static const char *const parts[] = {"a", "b", "c", "d", ".", "..", "a", ""};
    uint8_t shape = input_u8(input);
    char *at = path;
    *at = 0;
    if ((shape & 1) != 0) {
        at += sprintf(at, "/");
    }
    uint16_t which = input_u16(input);
    for (unsigned i = 0; i < (shape >> 1) % 6; i++, which >>= 3) {
        at += sprintf(at, i > 0 ? "/%s" : "%s", parts[which & 7]);
    }
    if ((shape & 0x40) != 0) {
        sprintf(at, "/");
    }
}

// Both walks; true when the kernel's found what the model's did.
static bool walk(const char *path, unsigned flags, struct path_end *end, struct found *found)
{
    snprintf(walked, sizeof(walked), "%s", path);
    *found = model_walk(path, flags);
    int error = path_walk(&start, walked, flags, end);
    OP("walk \"%s\" flags 0x%x as %u = %d", path, flags, as.uid, error);
    EXPECT_MODEL(error == found->error || excused(error), "walking \"%s\" gave %d, not %d", path, error, found->error);
    if (error != 0) {
        return false;
    }
    struct vnode *node = found->node != NONE ? nodes[found->node].vnode : NULL;
    struct vnode *folder = found->folder != NONE ? nodes[found->folder].vnode : NULL;
    EXPECT_MODEL(end->node == node && end->directory == folder, "\"%s\" leads elsewhere", path);
    EXPECT_MODEL(folder == NULL ||
                     (end->name_length == 1 && end->name[0] == 'a' + found->name && end->slash == found->slash),
                 "\"%s\" ends in another name", path);
    EXPECT_MODEL(node == NULL || node->links == nodes[found->node].links, "\"%s\" has %u links, not %u", path,
                 node->links, nodes[found->node].links);
    return true;
}

static void make(struct input *input, enum kind kind)
{
    char path[64];
    struct path_end end;
    struct found found;
    const char *target = targets[input_u8(input) % ARRAY_SIZE(targets)];
    uint32_t mode = input_bool(input) ? 0755 : 0744;
    read_path(input, path);
    if (!walk(path, PATH_MAY_MISS, &end, &found)) {
        return;
    }
    int made = found.folder != NONE && found.node == NONE ? new_node(kind, nodes[found.folder].mount) : NONE;
    if (made != NONE) {
        static const uint32_t types[] = {[FOLDER] = S_IFDIR, [PLAIN] = S_IFREG, [LINK] = S_IFLNK};
        static const struct credentials owner = {0};
        int expected = nodes[found.folder].parent == NONE ? -ENOENT : 0;
        int error = end.directory->ops->create(end.directory, end.name, end.name_length, types[kind] | mode, 0,
                                               kind == LINK ? target : NULL, &owner, &end.node);
        OP("make %u %s = %d", kind, kind == LINK ? target : "", error);
        EXPECT_MODEL(error == expected || excused(error), "making \"%s\" gave %d, not %d", path, error, expected);
        nodes[made].vnode = end.node;
        nodes[made].mode = mode;
        nodes[made].target = target;
        if (error == 0) {
            nodes[found.folder].child[found.name] = made;
            nodes[found.folder].links += kind == FOLDER;
            nodes[made].parent = kind == FOLDER ? found.folder : NONE;
        } else {
            nodes[made].kind = FREE;
        }
    }
    path_end_put(&end);
}

static void remove_name(struct input *input)
{
    char path[64];
    struct path_end end;
    struct found found;
    bool folder = input_bool(input);
    read_path(input, path);
    if (!walk(path, 0, &end, &found)) {
        return;
    }
    int own = found.folder != NONE ? nodes[found.folder].child[found.name] : NONE; // not what lies over it
    if (own != NONE) {
        int expected = may_go(own, folder);
        vnode_put(end.node);
        end.node = NULL;
        int error = end.directory->ops->unlink(end.directory, end.name, end.name_length, folder);
        OP("remove = %d", error);
        EXPECT_MODEL(error == expected, "removing \"%s\" gave %d, not %d", path, error, expected);
        if (error == 0) {
            lose_name(found.folder, found.name);
        }
    }
    path_end_put(&end);
}

static int expect_rename(const struct found *from, const struct found *to, unsigned flags)
{
    int old = nodes[from->folder].child[from->name], victim = nodes[to->folder].child[to->name];
    bool folder = nodes[old].kind == FOLDER;
    if (nodes[to->folder].parent == NONE) {
        return -ENOENT;
    }
    if (folder && is_inside(to->folder, old)) {
        return -EINVAL;
    }
    if (nodes[old].over != NONE) {
        return -EBUSY;
    }
    bool around = victim != NONE && nodes[victim].kind == FOLDER && is_inside(from->folder, victim);
    if (flags == RENAME_EXCHANGE) {
        return victim == NONE ? -ENOENT : nodes[victim].over != NONE ? -EBUSY : around ? -EINVAL : 0;
    }
    return victim == NONE ? 0 : around ? -ENOTEMPTY : flags == RENAME_NOREPLACE ? -EEXIST : may_go(victim, folder);
}

static void note_rename(const struct found *from, const struct found *to, unsigned flags)
{
    int old = nodes[from->folder].child[from->name], victim = nodes[to->folder].child[to->name];
    if (old == victim) {
        return;
    }
    if (flags != RENAME_EXCHANGE) {
        if (victim != NONE) {
            lose_name(to->folder, to->name);
        }
        victim = NONE;
    }
    int moved[2] = {old, victim}, folders[2] = {to->folder, from->folder}, names[2] = {to->name, from->name};
    for (int i = 0; i < 2; i++) {
        nodes[folders[i]].child[names[i]] = moved[i];
        if (moved[i] != NONE && nodes[moved[i]].kind == FOLDER) {
            nodes[moved[i]].parent = folders[i];
            nodes[folders[1 - i]].links--;
            nodes[folders[i]].links++;
        }
    }
}

static void rename_or_link(struct input *input, bool link)
{
    char path[64], other[64];
    struct path_end from, to;
    struct found found, place;
    unsigned flags = input_u8(input) % 3;
    read_path(input, path);
    read_path(input, other);
    if (!walk(path, 0, &from, &found)) {
        return;
    }
    if (!walk(other, PATH_MAY_MISS, &to, &place)) {
        path_end_put(&from);
        return;
    }
    bool both = found.folder != NONE && place.folder != NONE && nodes[found.folder].mount == nodes[place.folder].mount;
    bool own = both && nodes[found.folder].child[found.name] == found.node;
    if (own && link && nodes[found.node].kind != FOLDER) {
        int expected = nodes[place.folder].parent == NONE              ? -ENOENT
                       : nodes[place.folder].child[place.name] != NONE ? -EEXIST
                                                                       : 0;
        int error = to.directory->ops->link(to.directory, to.name, to.name_length, from.node);
        OP("link = %d", error);
        EXPECT_MODEL(error == expected || excused(error), "linking \"%s\" to \"%s\" gave %d, not %d", path, other,
                     error, expected);
        if (error == 0) {
            nodes[place.folder].child[place.name] = found.node;
            nodes[found.node].links++;
        }
    } else if (both && !link) {
        int expected = expect_rename(&found, &place, flags);
        vnode_put(from.node);
        vnode_put(to.node);
        from.node = to.node = NULL;
        int error = from.directory->ops->rename(from.directory, from.name, from.name_length, to.directory, to.name,
                                                to.name_length, flags);
        OP("rename flags %u = %d", flags, error);
        EXPECT_MODEL(error == expected || excused(error), "renaming \"%s\" to \"%s\" gave %d, not %d", path, other,
                     error, expected);
        if (error == 0) {
            note_rename(&found, &place, flags);
        }
    }
    path_end_put(&from);
    path_end_put(&to);
}

static void mount_here(struct input *input)
{
    char path[64];
    struct path_end end;
    struct found found;
    read_path(input, path);
    if (mount_count == 8 || !walk(path, PATH_FOLLOW, &end, &found)) {
        return;
    }
    int made = found.node != NONE ? new_node(FOLDER, mount_count + 1) : NONE;
    if (made != NONE) {
        // A walk ends at what lies on top, but for the places where it begins.
        int expected = nodes[found.node].kind != FOLDER ? -ENOTDIR : nodes[found.node].over != NONE ? -EBUSY : 0;
        int error = mount_add(&tmpfs, "test", 0, end.node);
        OP("mount = %d", error);
        EXPECT_MODEL(error == expected || excused(error), "mounting at \"%s\" gave %d, not %d", path, error, expected);
        nodes[made].kind = error == 0 ? FOLDER : FREE;
        if (error == 0) {
            nodes[made].vnode = end.node->covered->root;
            nodes[made].mode = 0755;
            nodes[made].parent = made;
            nodes[made].under = found.node;
            nodes[found.node].over = made;
            mount_count++;
        }
    }
    path_end_put(&end);
}

static bool is_busy(int top)
{
    bool busy = nodes[top].over != NONE;
    for (int i = 0; i < NODES; i++) {
        if (nodes[i].kind != FREE && nodes[i].mount == nodes[top].mount) {
            busy |= i == root || i == here || nodes[i].over != NONE;
        }
    }
    return busy;
}

static void unmount(int top)
{
    nodes[nodes[top].under].over = NONE;
    for (int i = 0, gone = nodes[top].mount; i < NODES; i++) {
        nodes[i].kind = nodes[i].mount == gone ? FREE : nodes[i].kind;
    }
}

static void unmount_here(struct input *input)
{
    char path[64];
    struct path_end end;
    struct found found;
    read_path(input, path);
    if (!walk(path, PATH_FOLLOW, &end, &found)) {
        return;
    }
    int top = found.node;
    bool base = nodes[top].under == NONE;
    int expected = base                                                                                      ? -EINVAL
                   : is_busy(top) || (found.folder != NONE && nodes[found.folder].mount == nodes[top].mount) ? -EBUSY
                                                                                                             : 0;
    vnode_put(end.directory);
    end.directory = NULL;
    expected = expected == -EBUSY && !is_busy(top) ? 0 : expected; // the folder was only ours
    int error = mount_remove(end.node);
    OP("unmount = %d", error);
    EXPECT_MODEL(error == expected, "unmounting \"%s\" gave %d, not %d", path, error, expected);
    if (error == 0) {
        unmount(top);
        end.node = NULL;
    }
    path_end_put(&end);
}

static void settle(int *place, struct vnode **held, int node)
{
    int before = *place;
    vnode_get(nodes[node].vnode);
    vnode_put(*held);
    *held = nodes[node].vnode;
    *place = node;
    if (nodes[before].parent == NONE && before != root && before != here) {
        nodes[before].kind = FREE; // nobody is there any more
    }
}

static void go(struct input *input, bool new_root)
{
    char path[64];
    struct path_end end;
    struct found found;
    read_path(input, path);
    if (walk(path, PATH_FOLLOW | PATH_DIRECTORY, &end, &found)) {
        if (found.node != NONE && nodes[found.node].kind == FOLDER) {
            OP(new_root ? "is the root" : "is here");
            settle(new_root ? &root : &here, new_root ? &start.root : &start.directory, found.node);
        }
        path_end_put(&end);
    }
}

static void change_mode(struct input *input)
{
    char path[64];
    struct path_end end;
    struct found found;
    uint32_t mode = input_bool(input) ? 0755 : 0744;
    read_path(input, path);
    if (walk(path, PATH_FOLLOW, &end, &found)) {
        end.node->mode = (end.node->mode & S_IFMT) | mode;
        nodes[found.node].mode = mode;
        path_end_put(&end);
    }
}

// Where we are, seen from the root: walked again it is the same place.
static void tell_place(void)
{
    char text[512];
    struct path_start from = start;
    struct path_end end;
    int error = path_of(start.directory, start.root, text, sizeof(text));
    OP("place = %d %s", error, error == 0 ? text : "");
    int at = here;
    bool removed = false, outside = true;
    bool covered = nodes[root].over != NONE || nodes[here].over != NONE; // its path leads to what lies over it
    for (unsigned i = 0; i < NODES && at != NONE; i++) {
        outside &= at != root;
        while (at != root && nodes[at].under != NONE) {
            at = nodes[at].under;
        }
        outside &= at != root;
        removed |= at != root && nodes[at].parent == NONE;
        int above = at == root || nodes[at].parent == at ? NONE : nodes[at].parent;
        covered |= above != NONE && nodes[above].over != NONE;
        at = cover(above);
    }
    EXPECT_MODEL(outside || error == (removed ? -ENOENT : 0) || excused(error), "asking for the place gave %d", error);
    if (error == 0 && !outside && !covered && as.uid == 0) {
        from.directory = start.root;
        error = path_walk(&from, text, 0, &end);
        EXPECT_MODEL(excused(error) || (error == 0 && end.node == start.directory), "the place is not at its path");
        if (error == 0) {
            path_end_put(&end);
        }
    }
}

static void one(struct input *input)
{
    static const unsigned extra[] = {0, PATH_NO_MOUNTS, PATH_NO_LINKS, PATH_BENEATH};
    char path[64];
    struct path_end end;
    struct found found;
    uint8_t op = input_u8(input);
    as.uid = as.gid = (op & 0x80) != 0 ? 1000 : 0;
    switch (op % 13) {
    case 0:
    case 1:
        make(input, FOLDER);
        break;
    case 2:
        make(input, PLAIN);
        break;
    case 3:
        make(input, LINK);
        break;
    case 4:
        remove_name(input);
        break;
    case 5:
    case 6:
        rename_or_link(input, op % 13 == 5);
        break;
    case 7:
        mount_here(input);
        break;
    case 8:
        unmount_here(input);
        break;
    case 9:
        go(input, (op & 0x40) != 0);
        break;
    case 10:
        change_mode(input);
        break;
    case 11:
        tell_place();
        break;
    default:
        op = input_u8(input);
        read_path(input, path);
        if (walk(path, (op & 7) | extra[op >> 4 & 3], &end, &found)) {
            path_end_put(&end);
        }
        break;
    }
}

static bool mounted;

static void run(struct input *input)
{
    memset(nodes, 0, sizeof(nodes));
    mount_count = 0;
    as = (struct credentials){0};
    mounted = mount_root(&tmpfs) == 0;
    if (!mounted) {
        return;
    }
    start = (struct path_start){mount_root_node(), mount_root_node(), &as};
    root = here = new_node(FOLDER, 0);
    nodes[root].vnode = start.root;
    nodes[root].parent = root;
    nodes[root].mode = 0755;
    while (input_more(input)) {
        one(input);
    }
}

static void setup(void)
{
    harness_pool(&kernel_pages, pages, FRAMES);
    if (heap_init(&kernel_heap, &kernel_pages) != 0) {
        machine_finding("model", "set-up failed");
    }
    this_cpu()->queue.current = &me; // mutexes ask who takes them
}

static void finish(void)
{
    if (mounted) {
        vnode_put(start.root);
        vnode_put(start.directory);
        root = here = NONE;
        for (int number = 8; number > 0; number--) { // those that came later lie on those that came before
            for (int i = 0; i < NODES; i++) {
                if (nodes[i].kind != FREE && nodes[i].mount == number && nodes[i].under != NONE) {
                    vnode_get(nodes[i].vnode);
                    int error = mount_remove(nodes[i].vnode);
                    EXPECT_MODEL(error == 0, "the last unmounting gave %d", error);
                    unmount(i);
                }
            }
        }
        struct vnode *base = mount_root_node();
        struct mount *mount = base->mount;
        EXPECT_MODEL(!tmpfs.busy(mount), "somebody still uses a file");
        vnode_put(base);
        tmpfs.unmount(mount);
        kfree(mount);
    }
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == 0, "%llu objects are left",
                   (unsigned long long)heap_used_objects(&kernel_heap));
    heap_trim(&kernel_heap);
    page_pool_drain(&kernel_pages);
    EXPECT_NO_LEAK(kernel_pages.buddy.free_frames == FRAMES, "%u of %u pages came back", kernel_pages.buddy.free_frames,
                   FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_path", .setup = setup, .run = run, .finish = finish};
