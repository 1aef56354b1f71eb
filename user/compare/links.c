// Links that a stranger makes, or lays for others: fs.protected_hardlinks and fs.protected_symlinks.
#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"

#define PLACE "/links"

static void make(const char *path, uid_t owner, mode_t mode)
{
    close(open(path, O_CREAT | O_WRONLY, 0600));
    chown(path, owner, owner);
    chmod(path, mode);
}

static void lay_out(void)
{
    mkdir(PLACE, 0755);
    mkdir(PLACE "/all", 0777);
    chmod(PLACE "/all", 01777);
    mkdir(PLACE "/plain", 0777);
    chmod(PLACE "/plain", 0777);
    make(PLACE "/all/secret", 0, 0600);
    make(PLACE "/all/readable", 0, 0644);
    make(PLACE "/all/writable", 0, 0666);
    make(PLACE "/all/own", 1000, 0600);
    make(PLACE "/all/program", 0, 04777);
    make(PLACE "/all/group", 0, 02777);
    make(PLACE "/all/lock", 0, 02767);
    mkfifo(PLACE "/all/fifo", 0666);
    chmod(PLACE "/all/fifo", 0666);
    static const struct {
        const char *path;
        uid_t owner;
    } links[] = {{PLACE "/all/of-root", 0},
                 {PLACE "/all/of-user", 1000},
                 {PLACE "/all/of-other", 2000},
                 {PLACE "/plain/of-other", 2000}};
    for (unsigned i = 0; i < 4; i++) {
        symlink(PLACE "/all/writable", links[i].path);
        lchown(links[i].path, links[i].owner, links[i].owner);
    }
    symlink(PLACE "/plain", PLACE "/all/directory");
    lchown(PLACE "/all/directory", 2000, 2000);
}

static void names(const char *who)
{
    static const char *const files[] = {"secret", "readable", "writable", "own",     "program",
                                        "group",  "lock",     "fifo",     "of-other"};
    char path[60], what[80];
    for (unsigned i = 0; i < 9; i++) {
        snprintf(path, sizeof(path), PLACE "/all/%s", files[i]);
        snprintf(what, sizeof(what), "%s names %s", who, files[i]);
        fact_success(what, (errno = 0, link(path, PLACE "/plain/name")));
        unlink(PLACE "/plain/name");
    }
}

static void following(const char *who)
{
    static const char *const links[] = {"all/of-root",   "all/of-user",    "all/of-other",    "plain/of-other",
                                        "all/directory", "all/directory/", "all/directory/.", "all/directory/of-other"};
    char path[60], what[80];
    struct stat status;
    for (unsigned i = 0; i < 8; i++) {
        snprintf(path, sizeof(path), PLACE "/%s", links[i]);
        snprintf(what, sizeof(what), "%s opens %s", who, links[i]);
        fact_success(what, (errno = 0, open(path, O_RDONLY)));
        snprintf(what, sizeof(what), "%s asks for %s", who, links[i]);
        fact_success(what, (errno = 0, stat(path, &status)));
    }
}

static void as(uid_t uid, void (*body)(const char *who), const char *who)
{
    fflush(stdout);
    if (fork() == 0) {
        syscall(SYS_setresgid, uid, uid, uid);
        syscall(SYS_setresuid, uid, uid, uid);
        body(who);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY);
    FACT(write(fd, value, strlen(value)));
    close(fd);
}

int main(void)
{
    char text[8] = "";
    umask(0);
    lay_out();
    int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY);
    read(fd, text, sizeof(text) - 1);
    fact("protected_hardlinks", "%.1s", text);
    close(fd);
    as(1000, names, "a user");
    as(0, names, "root");
    as(1000, following, "a user");
    as(2000, following, "the other");
    as(0, following, "root");
    set("/proc/sys/fs/protected_hardlinks", "0");
    set("/proc/sys/fs/protected_symlinks", "0\n");
    as(1000, names, "a user without protection");
    as(1000, following, "a user without protection");
    set("/proc/sys/fs/protected_hardlinks", "2");
    set("/proc/sys/fs/protected_hardlinks", "1");
    set("/proc/sys/fs/protected_symlinks", "1");
    return 0;
}
