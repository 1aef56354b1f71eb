// Path walks and changes of names over a tree that a model mirrors: links, "..", mounts, other roots, permissions.
#include "harness/fuzz.h"

#include <hal/memory.h>

#include "harness/pathmodel.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include <stdio.h>
#include <string.h>

#define FRAMES 512u

static struct page pages[FRAMES];
static struct thread me;
static struct path_start start; // references
static char walked[PATH_MAX];

static const char *const targets[] = {"a",   "b/c", "../b", "..",    "/",       "/a", "/a/../b",
                                      "./d", "c/",  "a/b/", "../..", "../../d", "d",  "."};

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
static bool walk(const char *path, unsigned flags, struct path_end *end, struct path_found *found)
{
    snprintf(walked, sizeof(walked), "%s", path);
    *found = path_model_walk(path, flags);
    int error = path_walk(&start, walked, flags, end);
    OP("walk \"%s\" flags 0x%x as %u = %d", path, flags, path_as.uid, error);
    EXPECT_MODEL(error == found->error || excused(error), "walking \"%s\" gave %d, not %d", path, error, found->error);
    if (error != 0) {
        return false;
    }
    struct vnode *node = found->node != NONE ? path_nodes[found->node].vnode : NULL;
    struct vnode *folder = found->folder != NONE ? path_nodes[found->folder].vnode : NULL;
    EXPECT_MODEL(end->node == node && end->directory == folder, "\"%s\" leads elsewhere", path);
    EXPECT_MODEL(folder == NULL ||
                     (end->name_length == 1 && end->name[0] == 'a' + found->name && end->slash == found->slash),
                 "\"%s\" ends in another name", path);
    EXPECT_MODEL(node == NULL || node->links == path_nodes[found->node].links, "\"%s\" has %u links, not %u", path,
                 node->links, path_nodes[found->node].links);
    return true;
}

static void make(struct input *input, enum kind kind)
{
    char path[64];
    struct path_end end;
    struct path_found found;
    const char *target = targets[input_u8(input) % ARRAY_SIZE(targets)];
    uint32_t mode = input_bool(input) ? 0755 : 0744;
    read_path(input, path);
    if (!walk(path, PATH_MAY_MISS, &end, &found)) {
        return;
    }
    int made = found.folder != NONE && found.node == NONE ? path_new(kind, path_nodes[found.folder].mount) : NONE;
    if (made != NONE) {
        static const uint32_t types[] = {[FOLDER] = S_IFDIR, [PLAIN] = S_IFREG, [LINK] = S_IFLNK};
        int expected = path_nodes[found.folder].parent == NONE ? -ENOENT : 0;
        int error = end.directory->ops->create(end.directory, end.name, end.name_length, types[kind] | mode, 0,
                                               kind == LINK ? target : NULL, &credentials_kernel, &end.node);
        OP("make %u %s = %d", kind, kind == LINK ? target : "", error);
        EXPECT_MODEL(error == expected || excused(error), "making \"%s\" gave %d, not %d", path, error, expected);
        path_nodes[made].vnode = end.node;
        path_nodes[made].mode = mode;
        path_nodes[made].target = target;
        if (error == 0) {
            path_nodes[found.folder].child[found.name] = made;
            path_nodes[found.folder].links += kind == FOLDER;
            path_nodes[made].parent = kind == FOLDER ? found.folder : NONE;
        } else {
            path_nodes[made].kind = FREE;
        }
    }
    path_end_put(&end);
}

static void remove_name(struct input *input)
{
    char path[64];
    struct path_end end;
    struct path_found found;
    bool folder = input_bool(input);
    read_path(input, path);
    if (!walk(path, 0, &end, &found)) {
        return;
    }
    int own = found.folder != NONE ? path_nodes[found.folder].child[found.name] : NONE; // not what lies over it
    if (own != NONE) {
        int expected = path_may_go(own, folder);
        vnode_put(end.node);
        end.node = NULL;
        int error = end.directory->ops->unlink(end.directory, end.name, end.name_length, folder, &credentials_kernel);
        OP("remove = %d", error);
        EXPECT_MODEL(error == expected, "removing \"%s\" gave %d, not %d", path, error, expected);
        if (error == 0) {
            path_lose_name(found.folder, found.name);
        }
    }
    path_end_put(&end);
}

static int expect_rename(const struct path_found *from, const struct path_found *to, unsigned flags)
{
    int old = path_nodes[from->folder].child[from->name], victim = path_nodes[to->folder].child[to->name];
    bool folder = path_nodes[old].kind == FOLDER;
    if (path_nodes[to->folder].parent == NONE) {
        return -ENOENT;
    }
    if (victim != NONE ? flags == RENAME_NOREPLACE : flags == RENAME_EXCHANGE) {
        return victim != NONE ? -EEXIST : -ENOENT;
    }
    if (folder && path_is_inside(to->folder, old)) {
        return -EINVAL;
    }
    if (victim != NONE && path_nodes[victim].kind == FOLDER && path_is_inside(from->folder, victim)) {
        return flags == RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    }
    if (victim == old) {
        return 0;
    }
    int error = victim != NONE && flags != RENAME_EXCHANGE ? path_may_go(victim, folder) : 0;
    bool covered = path_nodes[old].over != NONE || (victim != NONE && path_nodes[victim].over != NONE);
    return covered && (error == 0 || error == -ENOTEMPTY) ? -EBUSY : error;
}

static void note_rename(const struct path_found *from, const struct path_found *to, unsigned flags)
{
    int old = path_nodes[from->folder].child[from->name], victim = path_nodes[to->folder].child[to->name];
    if (old == victim) {
        return;
    }
    if (flags != RENAME_EXCHANGE) {
        if (victim != NONE) {
            path_lose_name(to->folder, to->name);
        }
        victim = NONE;
    }
    int moved[2] = {old, victim}, folders[2] = {to->folder, from->folder}, names[2] = {to->name, from->name};
    for (int i = 0; i < 2; i++) {
        path_nodes[folders[i]].child[names[i]] = moved[i];
        if (moved[i] != NONE && path_nodes[moved[i]].kind == FOLDER) {
            path_nodes[moved[i]].parent = folders[i];
            path_nodes[folders[1 - i]].links--;
            path_nodes[folders[i]].links++;
        }
    }
}

static void rename_or_link(struct input *input, bool link)
{
    char path[64], other[64];
    struct path_end from, to;
    struct path_found found, place;
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
    bool both = found.folder != NONE && place.folder != NONE &&
                path_nodes[found.folder].mount == path_nodes[place.folder].mount;
    bool own = both && path_nodes[found.folder].child[found.name] == found.node;
    if (own && link && path_nodes[found.node].kind != FOLDER) {
        int expected = path_nodes[place.folder].parent == NONE              ? -ENOENT
                       : path_nodes[place.folder].child[place.name] != NONE ? -EEXIST
                                                                            : 0;
        int error = to.directory->ops->link(to.directory, to.name, to.name_length, from.node, &credentials_kernel);
        OP("link = %d", error);
        EXPECT_MODEL(error == expected || excused(error), "linking \"%s\" to \"%s\" gave %d, not %d", path, other,
                     error, expected);
        if (error == 0) {
            path_nodes[place.folder].child[place.name] = found.node;
            path_nodes[found.node].links++;
        }
    } else if (both && !link) {
        int expected = expect_rename(&found, &place, flags);
        vnode_put(from.node);
        vnode_put(to.node);
        from.node = to.node = NULL;
        int error = from.directory->ops->rename(from.directory, from.name, from.name_length, to.directory, to.name,
                                                to.name_length, flags, &credentials_kernel);
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
    struct path_found found;
    read_path(input, path);
    if (path_mounts == 8 || !walk(path, PATH_FOLLOW, &end, &found)) {
        return;
    }
    int made = found.node != NONE ? path_new(FOLDER, path_mounts + 1) : NONE;
    if (made != NONE) {
        // A walk ends at what lies on top, but for the places where it begins.
        int expected = path_nodes[found.node].kind != FOLDER ? -ENOTDIR
                       : path_nodes[found.node].over != NONE ? -EBUSY
                                                             : 0;
        int error = mount_add(&tmpfs, "test", "", 0, end.node);
        OP("mount = %d", error);
        EXPECT_MODEL(error == expected || excused(error), "mounting at \"%s\" gave %d, not %d", path, error, expected);
        path_nodes[made].kind = error == 0 ? FOLDER : FREE;
        if (error == 0) {
            path_nodes[made].vnode = end.node->covered->root;
            path_nodes[made].mode = 0755;
            path_nodes[made].parent = made;
            path_nodes[made].under = found.node;
            path_nodes[found.node].over = made;
            path_mounts++;
        }
    }
    path_end_put(&end);
}

static bool is_busy(int top)
{
    bool busy = path_nodes[top].over != NONE;
    for (int i = 0; i < NODES; i++) {
        if (path_nodes[i].kind != FREE && path_nodes[i].mount == path_nodes[top].mount) {
            busy |= i == path_root || i == path_here || path_nodes[i].over != NONE;
        }
    }
    return busy;
}

static void unmount(int top)
{
    path_nodes[path_nodes[top].under].over = NONE;
    for (int i = 0, gone = path_nodes[top].mount; i < NODES; i++) {
        path_nodes[i].kind = path_nodes[i].mount == gone ? FREE : path_nodes[i].kind;
    }
}

static void unmount_here(struct input *input)
{
    char path[64];
    struct path_end end;
    struct path_found found;
    read_path(input, path);
    if (!walk(path, PATH_FOLLOW, &end, &found)) {
        return;
    }
    int top = found.node;
    bool base = path_nodes[top].under == NONE;
    int expected = base ? -EINVAL
                   : is_busy(top) || (found.folder != NONE && path_nodes[found.folder].mount == path_nodes[top].mount)
                       ? -EBUSY
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
    vnode_get(path_nodes[node].vnode);
    vnode_put(*held);
    *held = path_nodes[node].vnode;
    *place = node;
    if (path_nodes[before].parent == NONE && before != path_root && before != path_here) {
        path_nodes[before].kind = FREE; // nobody is there any more
    }
}

static void go(struct input *input, bool new_root)
{
    char path[64];
    struct path_end end;
    struct path_found found;
    read_path(input, path);
    if (walk(path, PATH_FOLLOW | PATH_DIRECTORY, &end, &found)) {
        if (found.node != NONE && path_nodes[found.node].kind == FOLDER) {
            OP(new_root ? "is the root" : "is here");
            settle(new_root ? &path_root : &path_here, new_root ? &start.root : &start.directory, found.node);
        }
        path_end_put(&end);
    }
}

static void change_mode(struct input *input)
{
    char path[64];
    struct path_end end;
    struct path_found found;
    uint32_t mode = input_bool(input) ? 0755 : 0744;
    read_path(input, path);
    if (walk(path, PATH_FOLLOW, &end, &found)) {
        end.node->mode = (end.node->mode & S_IFMT) | mode;
        path_nodes[found.node].mode = mode;
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
    int at = path_here;
    bool removed = false, outside = true;
    bool covered =
        path_nodes[path_root].over != NONE || path_nodes[path_here].over != NONE; // its path leads to what lies over it
    for (unsigned i = 0; i < NODES && at != NONE; i++) {
        outside &= at != path_root;
        while (at != path_root && path_nodes[at].under != NONE) {
            at = path_nodes[at].under;
        }
        outside &= at != path_root;
        removed |= at != path_root && path_nodes[at].parent == NONE;
        int above = at == path_root || path_nodes[at].parent == at ? NONE : path_nodes[at].parent;
        covered |= above != NONE && path_nodes[above].over != NONE;
        at = path_cover(above);
    }
    EXPECT_MODEL(outside || error == (removed ? -ENOENT : 0) || excused(error), "asking for the place gave %d", error);
    if (error == 0 && !outside && !covered && path_as.uid == 0) {
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
    struct path_found found;
    uint8_t op = input_u8(input);
    path_as.uid = path_as.gid = (op & 0x80) != 0 ? 1000 : 0;
    path_as.effective = path_as.uid == 0 ? CAPABILITIES_ALL : 0;
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
    memset(path_nodes, 0, sizeof(path_nodes));
    path_mounts = 0;
    path_as = credentials_kernel;
    mounted = mount_root(&tmpfs) == 0;
    if (!mounted) {
        return;
    }
    start = (struct path_start){mount_root_node(), mount_root_node(), &path_as};
    path_root = path_here = path_new(FOLDER, 0);
    path_nodes[path_root].vnode = start.root;
    path_nodes[path_root].parent = path_root;
    path_nodes[path_root].mode = 0755;
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
        path_root = path_here = NONE;
        for (int number = 8; number > 0; number--) { // those that came later lie on those that came before
            for (int i = 0; i < NODES; i++) {
                if (path_nodes[i].kind != FREE && path_nodes[i].mount == number && path_nodes[i].under != NONE) {
                    vnode_get(path_nodes[i].vnode);
                    int error = mount_remove(path_nodes[i].vnode);
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
