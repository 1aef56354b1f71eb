// Files, folders, links and what wrong paths and descriptors give.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "facts.h"

static void show(const char *what, const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        fact_result(what, -1);
        return;
    }
    fact(what, "mode %o links %ld size %ld blocks %ld", status.st_mode, (long)status.st_nlink,
         S_ISDIR(status.st_mode) ? 0 : (long)status.st_size, S_ISDIR(status.st_mode) ? 0 : (long)status.st_blocks);
}

static void flags(void)
{
    FACT(open("none", O_RDONLY));
    int fd = open("a", O_CREAT | O_EXCL | O_RDWR, 0640);
    FACT_OK(fd);
    FACT(open("a", O_CREAT | O_EXCL | O_RDWR, 0640));
    show("a new file", "a");
    FACT(write(fd, "0123456789", 10));
    FACT(lseek(fd, 3, SEEK_SET));
    char text[16] = {0};
    FACT(read(fd, text, 4));
    fact("what was read", "%s", text);
    FACT(lseek(fd, -1, SEEK_SET));
    FACT(lseek(fd, -20, SEEK_END));
    FACT(lseek(fd, 5, SEEK_END));
    FACT(lseek(fd, 0, 99));
    FACT(read(fd, text, 4));
    FACT(write(fd, "x", 1));
    FACT(lseek(fd, 0, SEEK_END));
    FACT(pread(fd, text, 8, 9));
    fact("a hole reads as", "%d %d %d", text[1], text[5], text[6]);
    FACT(pread(fd, text, 8, -1));
    FACT(pwrite(fd, text, 8, -1));
    FACT(ftruncate(fd, 4));
    FACT(ftruncate(fd, -1));
    show("truncated", "a");
    close(fd);
    FACT(read(fd, text, 1));
    FACT(close(fd));
    fd = open("a", O_WRONLY | O_APPEND);
    FACT(read(fd, text, 1));
    FACT(lseek(fd, 0, SEEK_SET));
    FACT(write(fd, "end", 3));
    FACT(lseek(fd, 0, SEEK_CUR));
    FACT(pwrite(fd, "at0", 3, 0)); // appends, as Linux does
    FACT(lseek(fd, 0, SEEK_END));
    close(fd);
    fd = open("a", O_RDONLY | O_TRUNC);
    show("truncated by open", "a");
    FACT(write(fd, "x", 1));
    close(fd);
    FACT(open(".", O_WRONLY));
    FACT(open("a", O_RDONLY | O_DIRECTORY));
    FACT(open("a/b", O_RDONLY));
    FACT(open("", O_RDONLY));
    FACT(open("a/", O_RDONLY));
    FACT(open("new/", O_RDWR | O_CREAT, 0600));
    unlink("a");
}

static void folders(void)
{
    FACT(mkdir("d", 0750));
    FACT(mkdir("d", 0750));
    show("a new folder", "d");
    FACT(mkdir("d/e", 0777));
    FACT(rmdir("d"));
    FACT(unlink("d"));
    FACT(rmdir("d/e/"));
    FACT(rmdir("d/."));
    FACT(rmdir("d/.."));
    FACT(rmdir("none"));
    FACT(mkdir("none/x", 0777));
    FACT(mkdir("", 0777));
    FACT(mkdir("/", 0777));
    FACT(chdir("d"));
    FACT(mkdir("../d/f", 01777));
    show("sticky", "f");
    FACT(rmdir("f"));
    FACT(chdir(".."));
    FACT(rmdir("d"));
    FACT(chdir("d"));
    char name[300];
    memset(name, 'n', sizeof(name));
    name[255] = 0;
    FACT(mkdir(name, 0700));
    FACT(rmdir(name));
    name[255] = 'n', name[256] = 0;
    FACT(mkdir(name, 0700));
}

static void links(void)
{
    close(open("file", O_CREAT | O_WRONLY, 0600));
    FACT(link("file", "hard"));
    show("two names", "hard");
    FACT(link("file", "hard"));
    FACT(link("none", "x"));
    FACT(link(".", "x"));
    FACT(unlink("file"));
    show("one name", "hard");
    FACT(symlink("hard", "soft"));
    FACT(symlink("hard", "soft"));
    FACT(symlink("", "empty"));
    show("a link", "soft");
    char text[64] = {0};
    FACT(readlink("soft", text, sizeof(text)));
    FACT(readlink("soft", text, 2));
    FACT(readlink("soft", text, 0));
    FACT(readlink("hard", text, sizeof(text)));
    FACT(open("soft", O_RDONLY | O_NOFOLLOW));
    FACT(symlink("loop", "loop"));
    FACT(open("loop", O_RDONLY));
    FACT(symlink("nowhere", "dangling"));
    FACT(open("dangling", O_RDONLY));
    FACT(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600));
    int fd = open("dangling", O_CREAT | O_RDWR, 0600);
    FACT_OK(fd);
    show("what it led to", "nowhere");
    close(fd);
    unlink("hard"), unlink("soft"), unlink("loop"), unlink("dangling"), unlink("nowhere");
}

static void renames(void)
{
    close(open("one", O_CREAT | O_WRONLY, 0600));
    mkdir("d", 0700), mkdir("d/sub", 0700);
    FACT(rename("one", "two"));
    FACT(rename("one", "two"));
    FACT(rename("two", "d"));
    FACT(rename("d", "two"));
    FACT(rename("d", "d/sub/x"));
    FACT(rename("two", "d/three"));
    mkdir("e", 0700);
    FACT(rename("e", "d"));
    FACT(rename("d/sub", "e"));
    FACT(rename(".", "x"));
    FACT(unlink("d/three"));
    FACT(rename("e", "d"));
    FACT(rmdir("d"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void listing(void)
{
    char names[40][32];
    int count = 0;
    for (int i = 0; i < 20; i++) {
        char name[16];
        sprintf(name, "n%d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    mkdir("zz", 0700), symlink("x", "zy");
    DIR *folder = opendir(".");
    static char entries[64]; // far from the end of user space
    FACT(syscall(SYS_getdents64, dirfd(folder), entries, 1ul << 32));
    for (struct dirent *entry; folder != NULL && count < 40 && (entry = readdir(folder)) != NULL;) {
        snprintf(names[count++], 32, "%.24s %d", entry->d_name, entry->d_type);
    }
    closedir(folder);
    qsort(names, (size_t)count, sizeof(names[0]), by_name);
    for (int i = 0; i < count; i++) {
        fact("entry", "%s", names[i]);
    }
    for (int i = 0; i < 20; i++) {
        char name[16];
        sprintf(name, "n%d", i);
        unlink(name);
    }
    rmdir("zz"), unlink("zy");
}

static void permissions(void)
{
    close(open("p", O_CREAT | O_WRONLY, 07777));
    show("created with 07777", "p");
    FACT(chmod("p", 0));
    show("mode 0", "p");
    FACT(access("p", R_OK | W_OK));
    FACT(access("p", X_OK));
    FACT(access("none", F_OK));
    FACT(access("p", 8));
    FACT(chmod("p", 04751));
    show("set-user-id", "p");
    FACT(chown("p", 12, 34));
    show("given away", "p");
    struct stat status;
    stat("p", &status);
    fact("owner", "%d %d", status.st_uid, status.st_gid);
    FACT(umask(077));
    FACT(umask(022));
    unlink("p");
}

static void descriptors(void)
{
    int fd = open("d", O_CREAT | O_RDWR, 0600);
    FACT(dup(fd));
    FACT(dup2(fd, 9));
    FACT(dup2(fd, fd));
    FACT(dup3(fd, fd, 0));
    FACT(dup3(fd, 10, O_CLOEXEC));
    FACT(dup3(fd, 10, 1));
    FACT(fcntl(10, F_GETFD));
    FACT(fcntl(9, F_GETFD));
    FACT(fcntl(9, F_SETFD, FD_CLOEXEC));
    FACT(fcntl(9, F_GETFD));
    FACT(fcntl(fd, F_DUPFD, 20));
    FACT(fcntl(fd, F_DUPFD_CLOEXEC, 20));
    FACT(fcntl(fd, F_DUPFD, -1));
    FACT(fcntl(fd, F_DUPFD, 1 << 30));
    FACT(fcntl(fd, F_GETFL) & ~0400000); // O_LARGEFILE is a matter of the architecture
    FACT(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
    FACT(fcntl(20, F_GETFL) & ~0400000); // shared with its copies
    FACT(fcntl(fd, 9999));
    FACT(fcntl(99, F_GETFD));
    FACT(dup(99));
    FACT(dup2(99, 3));
    FACT(dup2(fd, -1));
    FACT(dup2(fd, 1 << 30));
    FACT(write(20, "abc", 3));
    FACT(lseek(fd, 0, SEEK_CUR));
    struct iovec parts[3] = {{"xy", 2}, {NULL, 0}, {"z", 1}};
    FACT(writev(fd, parts, 3));
    FACT(writev(fd, parts, -1));
    FACT(writev(fd, parts, 0));
    FACT(writev(fd, parts, 1025));
    char one[2], two[9];
    struct iovec into[2] = {{one, 2}, {two, 9}};
    lseek(fd, 0, SEEK_SET);
    FACT(readv(fd, into, 2));
    unlink("d");
}

int main(void)
{
    flags();
    folders();
    links();
    renames();
    listing();
    permissions();
    descriptors();
    return 0;
}
