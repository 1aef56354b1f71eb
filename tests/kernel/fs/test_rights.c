// What may be done to a directory is asked when it is done, not when the way there was walked.
#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"

static const struct credentials one = {.uid = 1, .gid = 1, .real_uid = 1, .effective_uid = 1},
                                other = {.uid = 2, .gid = 2, .real_uid = 2, .effective_uid = 2};

static struct vnode *made(struct vnode *in, const char *name, uint32_t mode, const struct credentials *as)
{
    struct vnode *node = NULL;
    int error = in->ops->create(in, name, text_length(name), mode, 0, NULL, as, &node);
    return error == 0 ? node : NULL;
}

static int unlinked(struct vnode *in, const char *name, bool directory, const struct credentials *as)
{
    return in->ops->unlink(in, name, text_length(name), directory, as);
}

static int renamed(struct vnode *from, const char *name, struct vnode *to, const char *new_name, unsigned flags,
                   const struct credentials *as)
{
    return from->ops->rename(from, name, text_length(name), to, new_name, text_length(new_name), flags, as);
}

TEST(rights, a_sticky_directory_keeps_what_others_made_meanwhile)
{
    struct vnode *root = mount_root_node(), *sticky = made(root, "sticky", S_IFDIR | 01777, &credentials_kernel);
    vnode_put(made(sticky, "mine", S_IFREG | 0600, &one));
    vnode_put(made(sticky, "theirs", S_IFREG | 0600, &other));
    vnode_put(made(sticky, "d", S_IFDIR | 0700, &other));
    EXPECT_EQ(renamed(sticky, "mine", sticky, "theirs", 0, &one), -EPERM);
    EXPECT_EQ(renamed(sticky, "mine", sticky, "theirs", RENAME_EXCHANGE, &one), -EPERM);
    EXPECT_EQ(renamed(sticky, "theirs", sticky, "free", 0, &one), -EPERM);
    EXPECT_EQ(renamed(sticky, "mine", sticky, "theirs", RENAME_NOREPLACE, &one), -EEXIST);
    EXPECT_EQ(unlinked(sticky, "theirs", false, &one), -EPERM);
    EXPECT_EQ(unlinked(sticky, "d", true, &one), -EPERM);
    EXPECT_EQ(unlinked(sticky, "d", true, &other), 0);
    EXPECT_EQ(unlinked(sticky, "theirs", false, &credentials_kernel), 0);
    EXPECT_EQ(unlinked(sticky, "mine", false, &one), 0);
    EXPECT_EQ(unlinked(root, "sticky", true, &credentials_kernel), 0);
    vnode_put(sticky);
    vnode_put(root);
}

TEST(rights, a_directory_that_was_closed_meanwhile_stays_as_it_is)
{
    struct vnode *root = mount_root_node(), *node = NULL,
                 *closed = made(root, "closed", S_IFDIR | 0777, &credentials_kernel);
    struct vnode *open = made(root, "open", S_IFDIR | 0777, &credentials_kernel);
    struct vnode *file = made(closed, "f", S_IFREG | 0600, &one);
    vnode_put(made(open, "f", S_IFREG | 0600, &one));
    vnode_put(made(open, "d", S_IFDIR | 0500, &credentials_kernel));
    closed->mode = S_IFDIR | 0755; // as chmod(2), after the caller's walk
    EXPECT_EQ(closed->ops->create(closed, "n", 1, S_IFREG | 0600, 0, NULL, &one, &node), -EACCES);
    EXPECT_EQ(closed->ops->create(closed, "n", 1, S_IFDIR | 0600, 0, NULL, &one, &node), -EACCES);
    EXPECT_EQ(closed->ops->create(closed, "n", 1, S_IFLNK | 0777, 0, "x", &one, &node), -EACCES);
    EXPECT_EQ(closed->ops->create(closed, "f", 1, S_IFREG | 0600, 0, NULL, &one, &node), -EEXIST);
    EXPECT_EQ(closed->ops->nameless(closed, 0600, true, &one, &node), -EACCES);
    EXPECT_EQ(closed->ops->link(closed, "n", 1, file, &one), -EACCES);
    EXPECT_EQ(unlinked(closed, "f", false, &one), -EACCES);
    EXPECT_EQ(renamed(closed, "f", open, "n", 0, &one), -EACCES);
    EXPECT_EQ(renamed(open, "f", closed, "n", 0, &one), -EACCES);
    EXPECT_EQ(renamed(open, "f", closed, "f", RENAME_EXCHANGE, &one), -EACCES);
    closed->mode = S_IFDIR | 0777;
    EXPECT_EQ(renamed(open, "d", closed, "d", 0, &one), -EACCES); // its ".." is not ours to change
    EXPECT_EQ(renamed(open, "d", open, "e", 0, &one), 0);
    EXPECT_EQ(unlinked(open, "e", true, &one), 0);
    EXPECT_EQ(unlinked(open, "f", false, &one), 0);
    EXPECT_EQ(unlinked(closed, "f", false, &one), 0);
    EXPECT_EQ(unlinked(root, "closed", true, &credentials_kernel), 0);
    EXPECT_EQ(closed->ops->create(closed, "n", 1, S_IFREG | 0600, 0, NULL, &credentials_kernel, &node), -ENOENT);
    EXPECT_EQ(unlinked(root, "open", true, &credentials_kernel), 0);
    vnode_put(file);
    vnode_put(closed);
    vnode_put(open);
    vnode_put(root);
}

// A directory that hands out what is in another, and moves it away in that very moment.
static struct {
    struct vnode *from, *to;
} moving;

static int lookup_and_move(struct vnode *directory, const char *name, size_t length, struct vnode **out)
{
    int error = moving.from->ops->lookup(moving.from, name, length, out);
    return error != 0 ? error : renamed(moving.from, "b", moving.to, "b", 0, &credentials_kernel);
}

static int parent_of_moving(struct vnode *node, struct vnode **out)
{
    return moving.from->ops->parent(moving.from, out);
}

static int walked(struct vnode *root, struct vnode *directory, const char *text, unsigned flags)
{
    static char path[PATH_MAX];
    struct path_start start = {root, directory, &credentials_kernel};
    struct path_end end;
    format(path, sizeof(path), "%s", text);
    int error = path_walk(&start, path, flags, &end);
    path_end_put(&end);
    return error;
}

TEST(rights, what_moves_out_during_a_walk_leads_nowhere)
{
    static const struct vnode_ops ops = {.lookup = lookup_and_move, .parent = parent_of_moving};
    struct vnode *root = mount_root_node(), *jail = made(root, "jail", S_IFDIR | 0755, &credentials_kernel);
    struct vnode *out = made(root, "out", S_IFDIR | 0755, &credentials_kernel);
    struct vnode door;
    moving.from = jail;
    moving.to = out;
    vnode_init(&door, &ops, root->mount, S_IFDIR | 0755);
    vnode_put(made(out, "secret", S_IFREG | 0600, &credentials_kernel));
    static const unsigned flags[] = {PATH_BENEATH, PATH_IN_ROOT};
    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        vnode_put(made(jail, "b", S_IFDIR | 0755, &credentials_kernel));
        EXPECT_EQ(walked(&door, &door, "b/../secret", flags[i]), -EAGAIN);
        EXPECT_EQ(unlinked(out, "b", true, &credentials_kernel), 0);
        vnode_put(made(jail, "b", S_IFDIR | 0755, &credentials_kernel));
        EXPECT_EQ(walked(&door, &door, "b/x", flags[i] | PATH_MAY_MISS), -EXDEV);
        EXPECT_EQ(unlinked(out, "b", true, &credentials_kernel), 0);
    }
    vnode_put(made(jail, "b", S_IFDIR | 0755, &credentials_kernel));
    EXPECT_EQ(walked(jail, jail, "b/../b", PATH_BENEATH), 0);
    EXPECT_EQ(walked(jail, jail, "b/../../out", PATH_BENEATH), -EXDEV);
    EXPECT_EQ(walked(jail, jail, "b/../../b", PATH_IN_ROOT), 0);
    EXPECT_EQ(unlinked(jail, "b", true, &credentials_kernel), 0);
    EXPECT_EQ(unlinked(out, "secret", false, &credentials_kernel), 0);
    EXPECT_EQ(unlinked(root, "out", true, &credentials_kernel), 0);
    EXPECT_EQ(unlinked(root, "jail", true, &credentials_kernel), 0);
    (void)__atomic_fetch_sub(&root->mount->nodes, 1, __ATOMIC_RELAXED); // the door's
    vnode_put(jail);
    vnode_put(out);
    vnode_put(root);
}
