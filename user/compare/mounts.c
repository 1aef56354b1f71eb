// What a mount promises: options of tmpfs, limits, and what is asked before one becomes read-only.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "facts.h"

static char block[PAGE];

static void tell(const char *what)
{
    struct stat stat_;
    struct statvfs figures;
    stat("/m", &stat_);
    statvfs("/m", &figures);
    fact(what, "%o %u:%u, %lu blocks, %lu inodes, %lu left", stat_.st_mode & 07777, stat_.st_uid, stat_.st_gid,
         (unsigned long)figures.f_blocks, (unsigned long)figures.f_files, (unsigned long)figures.f_ffree);
}

static void with(const char *options)
{
    char what[128];
    snprintf(what, sizeof(what), "mount with %s", options);
    errno = 0;
    long result = mount("t", "/m", "tmpfs", 0, options);
    fact_result(what, result);
    if (result == 0) {
        tell("is");
        umount("/m");
    }
}

static void option_texts(void)
{
    static const char *const texts[] = {"size=64k",
                                        "size=65537",
                                        "size=1M,mode=750",
                                        "size=0,nr_inodes=0",
                                        "nr_blocks=10",
                                        "nr_blocks=2k",
                                        "nr_inodes=3",
                                        "uid=7,gid=8",
                                        "mode=01777",
                                        "mode=7",
                                        "mode=17777",
                                        "mode=9",
                                        "mode=",
                                        "size=",
                                        "size=x",
                                        "size=1x",
                                        "size=-1",
                                        "nr_inodes=1.5",
                                        "uid=-1",
                                        "uid=4294967295",
                                        "uid=x",
                                        "unknown=1",
                                        "unknown",
                                        "size",
                                        "rw,size=8k",
                                        "size=8k,,uid=1",
                                        ",",
                                        "size=8k size=4k",
                                        "size=4k,size=8k"};
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char copy[64];
        strcpy(copy, texts[i]);
        if (strstr(copy, "size") == NULL && strstr(copy, "nr_blocks") == NULL) {
            strcat(copy, ",nr_blocks=5"); // the default depends on the machine
        }
        if (strstr(copy, "nr_inodes") == NULL) {
            strcat(copy, ",nr_inodes=5");
        }
        with(copy);
    }
    struct statvfs root;
    FACT(mount("t", "/m", "tmpfs", 0, NULL));
    statvfs("/m", &root);
    fact("as many inodes as blocks", "%d", root.f_files == root.f_blocks);
    FACT(umount("/m"));
    FACT(mount("t", "/m", "proc", 0, "nonsense"));
    FACT(mount("t", "/m", "devpts", 0, "nonsense"));
    FACT(mount("t", "/m", "tmpfs", 0, (void *)1));
}

static void how_many(const char *what, int (*make)(int number), int most)
{
    int count = 0;
    errno = 0;
    while (count < most && make(count) == 0) {
        count++;
    }
    fact(what, "%d, then %s", count, strerrorname_np(errno));
}

static char name[300];

static int make_file(int number)
{
    snprintf(name, sizeof(name), "/m/f%d", number);
    int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    close(fd);
    return fd < 0 ? -1 : 0;
}

static int make_directory(int number)
{
    snprintf(name, sizeof(name), "/m/d%d", number);
    return mkdir(name, 0700);
}

static int make_short_link(int number)
{
    snprintf(name, sizeof(name), "/m/s%d", number);
    return symlink("short", name);
}

static int make_long_link(int number)
{
    char target[1001];
    memset(target, 'x', 1000);
    target[1000] = 0;
    snprintf(name, sizeof(name), "/m/l%d", number);
    return symlink(target, name);
}

static int make_name(int number)
{
    snprintf(name, sizeof(name), "/m/n%d", number);
    return link("/m/base", name);
}

static int make_pipe(int number)
{
    snprintf(name, sizeof(name), "/m/p%d", number);
    return mknod(name, S_IFIFO | 0600, 0);
}

static int make_nameless(int number)
{
    return open("/m", O_TMPFILE | O_RDWR, 0600) < 0 ? -1 : 0;
}

static int write_block(int number)
{
    static int fd = -1;
    fd = number == 0 ? open("/m/base", O_RDWR) : fd;
    long done = write(fd, block, sizeof(block));
    if (done < 0 || number == 99) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return done == sizeof(block) ? 0 : -1;
}

static void counted(const char *what, int (*make)(int number))
{
    mount("t", "/m", "tmpfs", 0, "nr_inodes=12,nr_blocks=6");
    close(open("/m/base", O_CREAT | O_RDWR, 0600));
    fflush(stdout);
    if (fork() == 0) { // its descriptors go with it
        how_many(what, make, 100);
        tell("then");
        _exit(0);
    }
    wait(NULL);
    umount("/m");
}

static void limits(void)
{
    counted("files", make_file);
    counted("directories", make_directory);
    counted("short links", make_short_link);
    counted("long links", make_long_link);
    counted("names", make_name);
    counted("pipes", make_pipe);
    counted("nameless files", make_nameless);
    counted("blocks", write_block);
    mount("t", "/m", "tmpfs", 0, "nr_inodes=12,nr_blocks=6");
    int fd = open("/m/base", O_CREAT | O_RDWR, 0600);
    FACT(fallocate(fd, 0, 0, 7 * PAGE));
    FACT(fallocate(fd, 0, 0, 4 * PAGE));
    FACT(pwrite(fd, block, PAGE, 100 * PAGE));
    FACT(pwrite(fd, block, PAGE, 200 * PAGE));
    FACT(pwrite(fd, block, 3 * PAGE, 300 * PAGE));
    FACT(ftruncate(fd, 2 * PAGE));
    FACT(fallocate(fd, 0, 0, 6 * PAGE));
    FACT(fallocate(fd, 0, PAGE, 6 * PAGE));
    FACT(ftruncate(fd, 0));
    tell("cut");
    FACT(pwrite(fd, block, PAGE, 0));
    FACT(link("/m/base", "/m/other"));
    FACT(unlink("/m/base"));
    FACT(unlink("/m/other"));
    tell("open only");
    close(fd);
    tell("closed");
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "size=64k,nr_inodes=20,mode=700,uid=5"));
    tell("more");
    fd = open("/m/base", O_CREAT | O_RDWR, 0600);
    write(fd, block, PAGE);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "nr_inodes=1"));
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "nr_inodes=2"));
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "nr_blocks=1"));
    write(fd, block, PAGE);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "size=nonsense"));
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "size=0"));
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, "size=64k"));
    tell("changed");
    close(fd);
    FACT(umount("/m"));
}

static void read_only(void)
{
    mount("t", "/m", "tmpfs", 0, NULL);
    int fd = open("/m/f", O_CREAT | O_RDWR, 0600), readers = open("/m/f", O_RDONLY), place = open("/m/f", O_PATH);
    mknod("/m/pipe", S_IFIFO | 0600, 0);
    mknod("/m/null", S_IFCHR | 0666, 0x103);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    FACT(write(fd, "x", 1));
    int again = dup(fd);
    close(fd);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    close(again);
    int pipe = open("/m/pipe", O_RDWR), null = open("/m/null", O_RDWR);
    unlink("/m/f");
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    close(readers);
    close(place);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    FACT(write(null, "x", 1));
    FACT(unlink("/m/none"));
    FACT(rmdir("/m/none"));
    FACT(rename("/m/none", "/m/other"));
    FACT(mkdir("/m/null", 0700));
    FACT(mkdir("/m/d", 0700));
    FACT(chmod("/m/null", 0600));
    FACT_OK(open("/m/null", O_RDWR));
    FACT_OK(open("/m/new", O_CREAT | O_RDWR, 0600));
    FACT(umount("/m"));
    close(pipe);
    close(null);
    FACT(mount(NULL, "/m", NULL, MS_REMOUNT, NULL));
    FACT(mkdir("/m/d", 0700));
}

static void no_devices(void)
{
    FACT(mount("t", "/m", "tmpfs", MS_NODEV, NULL));
    mknod("/m/null", S_IFCHR | 0666, 0x103);
    FACT(access("/m/null", R_OK | W_OK));
    FACT_OK(open("/m/null", O_RDWR));
    FACT_OK(open("/m/null", O_RDONLY));
    FACT_OK(open("/m/null", O_PATH));
    chmod("/m/null", 0);
    FACT_OK(open("/m/null", O_WRONLY | O_TRUNC));
}

int main(void)
{
    mkdir("/m", 0755);
    option_texts();
    limits();
    read_only();
    umount2("/m", MNT_DETACH);
    mkdir("/m2", 0755);
    no_devices();
    return 0;
}
