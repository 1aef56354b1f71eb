// Text that grows, and nodes that come and go.
#include "kernel/procfs/procfs.h"

#include "kernel/debug/ktest.h"
#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/procfs/text.h"

static char path[PATH_MAX], bytes[512];

TEST(procfs, text_grows_and_is_padded)
{
    struct text text = {.bytes = NULL};
    text_add(&text, "%d-%s", 7, "seven");
    text_pad(&text, 10);
    text_add(&text, "|\n");
    text_pad(&text, 3);
    text_add_escaped(&text, "a b\\c\n");
    EXPECT(text.error == 0 && text.length == 12 + 3 + 15);
    EXPECT(__builtin_memcmp(text.bytes, "7-seven   |\n   a\\040b\\134c\\012", text.length - 1) == 0);
    for (unsigned i = 0; i < 1000; i++) {
        text_add(&text, "%05u ", i);
    }
    EXPECT_EQ(text.length, 30 + 6000);
    EXPECT(__builtin_memcmp(text.bytes + text.length - 6, "00999 ", 6) == 0);
    kfree(text.bytes);
}

static int64_t read_file(struct vnode *root, const char *name)
{
    struct path_start start = {root, root, &credentials_kernel};
    struct file *file;
    format(path, sizeof(path), "%s", name);
    int error = file_open(&start, path, O_RDONLY, 0, &file);
    if (error != 0) {
        return error;
    }
    struct io io = {.kernel = bytes, .left = sizeof(bytes)};
    int64_t size = file_read(file, &io);
    file_put(file);
    return size;
}

TEST(procfs, nodes_go_with_their_last_reference)
{
    struct mount mount = {.type = &procfs, .flags = 0};
    uint64_t before = heap_used_objects(&kernel_heap);
    mutex_init(&mount.names, "names");
    EXPECT_EQ(procfs.mount(&mount, "proc", ""), 0);
    EXPECT(read_file(mount.root, "/uptime") > 0);
    EXPECT(read_file(mount.root, "/sys/kernel/ostype") > 0);
    EXPECT(__builtin_memcmp(bytes, "Faultline\n", 10) == 0);
    EXPECT(read_file(mount.root, "/sys/../sys/kernel/../../uptime") > 0);
    EXPECT_EQ(read_file(mount.root, "/none"), -ENOENT);
    EXPECT_EQ(read_file(mount.root, "/sys/none"), -ENOENT);
    EXPECT_EQ(read_file(mount.root, "/uptime/x"), -ENOTDIR);
    EXPECT_EQ(read_file(mount.root, "/4000000/stat"), -ENOENT);
    EXPECT_EQ(mount.nodes, 1);
    EXPECT(!procfs.busy(&mount));
    procfs.unmount(&mount);
    EXPECT_EQ(heap_used_objects(&kernel_heap), before);
}
