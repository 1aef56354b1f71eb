// A filesystem over a directory: walks cross it both ways, and nobody takes it away from under those inside.
#include "kernel/fs/mount.h"

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"

static char path[PATH_MAX];

static int make(struct vnode *in, const char *name, struct vnode **out)
{
    return in->ops->create(in, name, 1, S_IFDIR | 0755, 0, NULL, &credentials_kernel, out);
}

static struct vnode *walk(struct vnode *root, const char *text)
{
    struct path_start start = {root, root, &credentials_kernel};
    struct path_end end;
    format(path, sizeof(path), "%s", text);
    if (path_walk(&start, path, 0, &end) != 0) {
        return NULL;
    }
    vnode_put(end.directory);
    return end.node;
}

TEST(mount, covers_is_crossed_and_goes)
{
    struct vnode *root = mount_root_node(), *below, *inside;
    char text[16];
    EXPECT_EQ(make(root, "m", &below), 0);
    EXPECT_EQ(mount_add(&tmpfs, "test", "", 0, below), 0);
    EXPECT_EQ(mount_add(&tmpfs, "test", "", 0, below), -EBUSY);
    EXPECT_EQ(root->ops->unlink(root, "m", 1, true, &credentials_kernel), -EBUSY);
    struct vnode *over = walk(root, "/m");
    EXPECT(over != NULL && over != below && over->mount != root->mount);
    EXPECT_EQ(make(over, "d", &inside), 0);
    EXPECT_EQ(path_of(inside, root, text, sizeof(text)), 0);
    EXPECT(text_equal(text, "/m/d"));
    EXPECT_EQ(path_of(inside, root, text, 4), -ERANGE);
    struct vnode *up = walk(root, "/m/d/../..");
    EXPECT(up == root);
    vnode_put(up);
    EXPECT_EQ(mount_remove(inside), -EINVAL);
    vnode_put(inside);
    vnode_get(over);
    EXPECT_EQ(mount_remove(over), -EBUSY); // two are inside
    vnode_put(over);
    inside = walk(root, "/m/d");
    EXPECT_EQ(mount_remove(over), -EBUSY); // one is below its root
    EXPECT_EQ(over->ops->unlink(over, "d", 1, true, &credentials_kernel), 0);
    EXPECT_EQ(mount_remove(over), -EBUSY); // without a name
    vnode_put(inside);
    EXPECT_EQ(mount_remove(root), -EINVAL);
    EXPECT_EQ(mount_remove(over), 0);
    vnode_put(below);
    EXPECT_EQ(root->ops->unlink(root, "m", 1, true, &credentials_kernel), 0);
    vnode_put(root);
}
