// Names with a slash behind them, and links at the end of a path: every call that takes one, on every kind of name.
#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"

static const char *const names[] = {"file", "dir", "full", "to-file", "to-dir", "to-none", "to-new/", "new"};
static const char *const ends[] = {"", "/", "//", "/.", "/.."};
static char root[32];

static void fresh(void)
{
    static int count;
    snprintf(root, sizeof(root), "/slashes%d", ++count);
    mkdir(root, 0700);
    chdir(root);
    close(open("file", O_CREAT | O_RDWR, 0600));
    mkdir("dir", 0700);
    mkdir("full", 0700);
    mkdir("full/x", 0700);
    symlink("file", "to-file");
    symlink("dir", "to-dir");
    symlink("none", "to-none");
    symlink("none/", "to-new");
}

static char kind(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) != 0 ? '-' : S_ISDIR(stat.st_mode) ? 'd' : S_ISLNK(stat.st_mode) ? 'l' : 'f';
}

static void tell(const char *call, const char *path, long result)
{
    char what[128];
    int error = errno;
    snprintf(what, sizeof(what), "%s %s", call, path);
    fact(what, "%s, left %c%c%c%c%c%c", result < 0 ? strerrorname_np(error) : "0", kind("file"), kind("dir"),
         kind("to-file"), kind("to-dir"), kind("none"), kind("new"));
    chdir("/");
}

static void calls(const char *path)
{
    struct stat stat;
    char text[16];
#define TRY(call) (fresh(), errno = 0, tell(#call, path, (long)(call)))
    TRY(mkdir(path, 0700));
    TRY(rmdir(path));
    TRY(unlink(path));
    TRY(symlink("x", path));
    TRY(mknod(path, S_IFREG | 0600, 0));
    TRY(link("file", path));
    TRY(link(path, "new"));
    TRY(rename("file", path));
    TRY(rename("dir", path));
    TRY(rename("to-dir", path));
    TRY(rename(path, "new"));
    TRY(rename(path, "dir"));
    TRY(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, "new", 1));
    TRY(syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, path, 1));
    TRY(syscall(SYS_renameat2, AT_FDCWD, "dir", AT_FDCWD, path, 2));
    TRY(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, "file", 2));
    TRY(open(path, O_RDONLY) < 0 ? -1 : 0);
    TRY(open(path, O_CREAT | O_RDWR, 0600) < 0 ? -1 : 0);
    TRY(open(path, O_CREAT | O_EXCL | O_RDWR, 0600) < 0 ? -1 : 0);
    TRY(open(path, O_CREAT | O_RDONLY | O_NOFOLLOW, 0600) < 0 ? -1 : 0);
    TRY(open(path, O_CREAT | O_DIRECTORY, 0600) < 0 ? -1 : 0);
    TRY(open(path, O_DIRECTORY) < 0 ? -1 : 0);
    TRY(open(path, O_PATH | O_NOFOLLOW) < 0 ? -1 : 0);
    TRY(open(path, O_RDONLY | O_NOFOLLOW) < 0 ? -1 : 0);
    TRY(lstat(path, &stat));
    TRY(readlink(path, text, sizeof(text)) < 0 ? -1 : 0);
    TRY(truncate(path, 0));
    TRY(access(path, F_OK));
}

int main(void)
{
    for (unsigned n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (unsigned e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
            char path[64];
            snprintf(path, sizeof(path), "%s%s", names[n], ends[e]);
            calls(path);
        }
    }
    return 0;
}
