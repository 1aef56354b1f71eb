#include "kernel/fs/fdtable.h"

#include "kernel/debug/ktest.h"
#include "kernel/proc/process.h"

static unsigned released;

static void note_release(struct file *file)
{
    released++;
}

static const struct file_ops ops = {.release = note_release, .stream = true};

static int open_one(struct fd_table *table, uint32_t first)
{
    struct file *file;
    int error = file_create(&ops, NULL, O_RDWR, &file);
    return error != 0 ? error : fd_install(table, file, first, false);
}

TEST(fdtable, lowest_free_descriptor)
{
    struct fd_table *table;
    struct file *file;
    released = 0;
    EXPECT_EQ(fd_table_create(&table), 0);
    for (int i = 0; i < 40; i++) {
        EXPECT_EQ(open_one(table, 0), i);
    }
    EXPECT_EQ(fd_close(table, 7), 0);
    EXPECT_EQ(fd_close(table, 7), -EBADF);
    EXPECT_EQ(fd_close(table, 3), 0);
    EXPECT_EQ(open_one(table, 5), 7);
    EXPECT_EQ(open_one(table, 5), 40);
    EXPECT_EQ(open_one(table, 0), 3);
    EXPECT_EQ(open_one(table, 0), 41);
    EXPECT_EQ(open_one(table, 100), 100);
    EXPECT_EQ(fd_file(table, 99, &file), -EBADF);
    EXPECT_EQ(fd_file(table, 1UL << 40, &file), -EBADF);
    static struct process limited; // whom the current thread stands for
    limited.limits.of[RLIMIT_NOFILE].soft = 102;
    thread_current()->process = &limited;
    int last = open_one(table, 101), beyond = open_one(table, 101);
    thread_current()->process = NULL;
    EXPECT_EQ(last, 101);
    EXPECT_EQ(beyond, -EMFILE);
    EXPECT_EQ(fd_file(table, 100, &file), 0);
    EXPECT_EQ(fd_replace(table, file, 50, true), 50);
    bool set = false;
    EXPECT(fd_flags(table, 50, NULL, &set) == 0 && set);
    unsigned before = released;
    fd_close_on_exec(table);
    EXPECT_EQ(fd_flags(table, 50, NULL, NULL), -EBADF);
    EXPECT_EQ(released, before); // 100 still has it
    struct fd_table *copy;
    EXPECT_EQ(fd_table_copy(table, &copy), 0);
    fd_table_put(table);
    EXPECT_EQ(released, before);
    fd_table_put(copy);
    EXPECT_EQ(released, 3 + 44);
}
