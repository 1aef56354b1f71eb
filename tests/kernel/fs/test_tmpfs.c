// Files in memory through paths and open files, as system calls use them.
#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"

static const struct credentials nobody = {.uid = 65534, .gid = 65534};
static char path[PATH_MAX];

static struct path_start start_at(struct vnode *root, const struct credentials *as)
{
    return (struct path_start){root, root, as};
}

static int walk(const struct path_start *start, const char *text, unsigned flags, struct path_end *end)
{
    format(path, sizeof(path), "%s", text);
    return path_walk(start, path, flags, end);
}

static int make(const struct path_start *start, const char *text, uint32_t mode, const char *target)
{
    struct path_end end;
    int error = walk(start, text, PATH_MAY_MISS, &end);
    if (error == 0 && end.node != NULL) {
        error = -EEXIST;
    }
    struct vnode *node = NULL;
    if (error == 0) {
        error = end.directory->ops->create(end.directory, end.name, end.name_length, mode, 0, target, start->as, &node);
    }
    vnode_put(node);
    path_end_put(&end);
    return error;
}

static int drop(const struct path_start *start, const char *text, bool directory)
{
    struct path_end end;
    int error = walk(start, text, 0, &end);
    if (error == 0) {
        error = end.directory->ops->unlink(end.directory, end.name, end.name_length, directory, start->as);
        path_end_put(&end);
    }
    return error;
}

static int opened(const struct path_start *start, const char *text, uint32_t flags, struct file **out)
{
    format(path, sizeof(path), "%s", text);
    return file_open(start, path, flags, 0644, out);
}

static int found(const struct path_start *start, const char *text, unsigned flags)
{
    struct path_end end;
    int error = walk(start, text, flags, &end);
    path_end_put(&end);
    return error;
}

TEST(tmpfs, names_links_and_errors)
{
    struct vnode *root = mount_root_node();
    struct path_start start = start_at(root, &credentials_kernel);
    EXPECT_EQ(make(&start, "/t", S_IFDIR | 0755, NULL), 0);
    EXPECT_EQ(make(&start, "/t", S_IFDIR | 0755, NULL), -EEXIST);
    EXPECT_EQ(make(&start, "/t/a", S_IFREG | 0644, NULL), 0);
    EXPECT_EQ(make(&start, "/t/link", S_IFLNK | 0777, "a"), 0);
    EXPECT_EQ(make(&start, "/t/up", S_IFLNK | 0777, "../t/./link"), 0);
    EXPECT_EQ(make(&start, "/t/loop", S_IFLNK | 0777, "/t/loop"), 0);
    EXPECT_EQ(found(&start, "/t/up", PATH_FOLLOW), 0);
    EXPECT_EQ(found(&start, "//t//.././t/a", 0), 0);
    EXPECT_EQ(found(&start, "/t/loop", PATH_FOLLOW), -ELOOP);
    EXPECT_EQ(found(&start, "/t/loop", 0), 0);
    EXPECT_EQ(found(&start, "/t/a/", 0), -ENOTDIR);
    EXPECT_EQ(found(&start, "/t/a/b", 0), -ENOTDIR);
    EXPECT_EQ(found(&start, "/t/none", 0), -ENOENT);
    EXPECT_EQ(found(&start, "/t/none/b", PATH_MAY_MISS), -ENOENT);
    EXPECT_EQ(found(&start, "", 0), -ENOENT);
    EXPECT_EQ(drop(&start, "/t", true), -ENOTEMPTY);
    EXPECT_EQ(drop(&start, "/t", false), -EISDIR);
    EXPECT_EQ(drop(&start, "/t/a", true), -ENOTDIR);
    EXPECT_EQ(drop(&start, "/t/a", false), 0);
    EXPECT_EQ(found(&start, "/t/up", PATH_FOLLOW), -ENOENT);
    EXPECT_EQ(drop(&start, "/t/link", false), 0);
    EXPECT_EQ(drop(&start, "/t/up", false), 0);
    EXPECT_EQ(drop(&start, "/t/loop", false), 0);
    EXPECT_EQ(drop(&start, "/t", true), 0);
    vnode_put(root);
}

TEST(tmpfs, contents_holes_and_truncation)
{
    struct vnode *root = mount_root_node();
    struct path_start start = start_at(root, &credentials_kernel);
    struct file *file;
    char back[16];
    EXPECT_EQ(opened(&start, "/f", O_RDONLY, &file), -ENOENT);
    EXPECT_EQ(opened(&start, "/f", O_RDWR | O_CREAT | O_EXCL, &file), 0);
    char text[] = "hello, file";
    struct io io = {.kernel = text, .left = 11};
    EXPECT_EQ(file_write_at(file, &io, PAGE_SIZE * 3 - 5), 11);
    EXPECT_EQ(file->node->size, PAGE_SIZE * 3 + 6);
    io = (struct io){.kernel = back, .left = sizeof(back)};
    EXPECT_EQ(file_read_at(file, &io, PAGE_SIZE * 3 - 8), 14);
    EXPECT(__builtin_memcmp(back, "\0\0\0hello, file", 14) == 0);
    EXPECT_EQ(file->node->ops->truncate(file->node, PAGE_SIZE * 3 - 2), 0);
    EXPECT_EQ(file->node->ops->truncate(file->node, PAGE_SIZE * 4), 0);
    io = (struct io){.kernel = back, .left = 8};
    EXPECT_EQ(file_read_at(file, &io, PAGE_SIZE * 3 - 5), 8);
    EXPECT(__builtin_memcmp(back, "hel\0\0\0\0\0", 8) == 0);
    EXPECT_EQ(file_seek(file, -1, 2), PAGE_SIZE * 4 - 1);
    EXPECT_EQ(file_seek(file, -PAGE_SIZE * 5, 1), -EINVAL);
    io = (struct io){.kernel = back, .left = 8};
    EXPECT_EQ(file_read(file, &io), 1);
    EXPECT_EQ(file_read(file, &io), 0);
    EXPECT_EQ(drop(&start, "/f", false), 0); // open files outlive their names
    io = (struct io){.kernel = text, .left = 5};
    EXPECT_EQ(file_write_at(file, &io, 0), 5);
    file_put(file);
    vnode_put(root);
}

TEST(tmpfs, rights_are_asked_for)
{
    struct vnode *root = mount_root_node();
    struct path_start mine = start_at(root, &credentials_kernel), theirs = start_at(root, &nobody);
    struct file *file;
    EXPECT_EQ(make(&mine, "/closed", S_IFDIR | 0700, NULL), 0);
    EXPECT_EQ(make(&mine, "/closed/f", S_IFREG | 0666, NULL), 0);
    EXPECT_EQ(make(&mine, "/r", S_IFREG | 0644, NULL), 0);
    EXPECT_EQ(found(&theirs, "/closed/f", 0), -EACCES);
    EXPECT_EQ(opened(&theirs, "/r", O_RDWR, &file), -EACCES);
    EXPECT_EQ(opened(&theirs, "/new", O_RDWR | O_CREAT, &file), -EACCES);
    EXPECT_EQ(opened(&theirs, "/r", O_RDONLY, &file), 0);
    struct io io = {.kernel = path, .left = 1};
    EXPECT_EQ(file_write(file, &io), -EBADF);
    file_put(file);
    EXPECT_EQ(drop(&mine, "/closed/f", false), 0);
    EXPECT_EQ(drop(&mine, "/closed", true), 0);
    EXPECT_EQ(drop(&mine, "/r", false), 0);
    vnode_put(root);
}
