// Ways around a name: what a descriptor, a link of /proc or a number still opens must be what its name would open.
#include <fcntl.h>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "facts.h"

#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif

static void be(unsigned user)
{
    setresgid(user, user, user);
    setresuid(user, user, user);
}

static unsigned mode_of(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0 ? stat.st_mode & 07777 : 0;
}

static void make_file(const char *path, unsigned mode)
{
    close(open(path, O_CREAT | O_RDWR, 0600));
    chmod(path, mode);
}

// --- terminals -----------------------------------------------------------------------------------------------------

static int open_master(unsigned *number)
{
    int unlocked = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    ioctl(master, TIOCSPTLCK, &unlocked);
    ioctl(master, TIOCGPTN, number);
    return master;
}

static void a_number_given_again(void)
{
    char path[64], text[16] = "";
    unsigned first, second;
    int master = open_master(&first);
    snprintf(path, sizeof(path), "/dev/pts/%u", first);
    int place = open(path, O_PATH), slave = open(path, O_RDWR | O_NOCTTY);
    close(master);
    master = open_master(&second);
    fact("the number is given again while a slave is open", "%d", first == second);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    FACT_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", slave);
    FACT_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    write(master, "typed\n", 6);
    FACT(read(slave, text, sizeof(text)));
    snprintf(path, sizeof(path), "/dev/pts/%u", second);
    FACT_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    close(master);
    FACT_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    close(slave);
    master = open_master(&second);
    fact("and afterwards", "%d", first == second);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
    FACT_OK(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
    close(master);
    close(place);
}

static void signals_of_a_terminal(void)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGCONT, SIGUSR1, 0, 64, -1};
    unsigned number;
    int master = open_master(&number), ready[2];
    char path[64], c;
    pipe(ready);
    pid_t child = fork();
    if (child == 0) {
        snprintf(path, sizeof(path), "/dev/pts/%u", number);
        setsid();
        int slave = open(path, O_RDWR);
        ioctl(slave, TIOCSCTTY, 0);
        signal(SIGQUIT, SIG_IGN);
        signal(SIGTSTP, SIG_IGN);
        signal(SIGINT, SIG_DFL);
        write(ready[1], "x", 1);
        for (;;) {
            pause();
        }
    }
    read(ready[0], &c, 1);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        snprintf(path, sizeof(path), "the master sends %d", signals[i]);
        errno = 0;
        fact_result(path, ioctl(master, TIOCSIG, signals[i]));
    }
    FACT(ioctl(master, TIOCSIG, SIGQUIT));
    FACT(ioctl(master, TIOCSIG, SIGTSTP));
    FACT(ioctl(master, TIOCSIG, SIGINT));
    int status = 0;
    waitpid(child, &status, 0);
    fact("its signal", "%d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    close(master);
}

// --- names by descriptors ------------------------------------------------------------------------------------------

static void names_by_descriptor(void)
{
    char path[64];
    mkdir("/doors", 0755);
    mkdir("/doors/closed", 0700);
    mkdir("/doors/open", 0777);
    chmod("/doors/open", 0777);
    make_file("/doors/closed/file", 0644);
    int file = open("/doors/closed/file", O_RDONLY), place = open("/doors/closed/file", O_PATH);
    int directory = open("/doors/closed", O_PATH | O_DIRECTORY);
    FACT(linkat(file, "", AT_FDCWD, "/doors/open/root", AT_EMPTY_PATH));
    int never = open("/doors/open", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    FACT(linkat(never, "", AT_FDCWD, "/doors/open/never", AT_EMPTY_PATH));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", never);
    FACT(linkat(AT_FDCWD, path, AT_FDCWD, "/doors/open/never", AT_SYMLINK_FOLLOW));
    fflush(stdout);
    if (fork() == 0) {
        be(1000);
        FACT(linkat(file, "", AT_FDCWD, "/doors/open/a", AT_EMPTY_PATH));
        FACT(linkat(place, "", AT_FDCWD, "/doors/open/b", AT_EMPTY_PATH));
        FACT(linkat(AT_FDCWD, "/doors/open/root", AT_FDCWD, "/doors/open/c", AT_EMPTY_PATH));
        FACT_OK(openat(directory, "file", O_RDONLY));
        FACT(fchdir(directory));
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        FACT_OK(open(path, O_RDONLY));
        FACT_OK(open(path, O_RDWR));
        snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
        FACT_OK(open(path, O_RDWR));
        snprintf(path, sizeof(path), "/proc/self/fd/%d/file", directory);
        FACT_OK(open(path, O_RDONLY));
        FACT(fchmod(file, 0666));
        FACT(fchmod(place, 0666));
        FACT(fchown(file, 1000, 1000));
        FACT(fchownat(file, "", 1000, 1000, AT_EMPTY_PATH));
        FACT(fchownat(place, "", 1000, 1000, AT_EMPTY_PATH));
        FACT(utimensat(place, "", NULL, AT_EMPTY_PATH));
        FACT(futimens(file, NULL));
        FACT(faccessat(place, "", W_OK, AT_EMPTY_PATH));
        _exit(0);
    }
    wait(NULL);
    fact("its mode", "%o", mode_of("/doors/closed/file"));
}

// --- set-id bits ---------------------------------------------------------------------------------------------------

static void set_id_bits(void)
{
    mkdir("/doors/group", 0777);
    chown("/doors/group", 0, 50);
    chmod("/doors/group", 02777);
    mkdir("/doors/group/below", 0755);
    fact("a directory below", "%o", mode_of("/doors/group/below"));
    make_file("/doors/program", 06755);
    make_file("/doors/locks", 06745);
    make_file("/doors/writable", 06777);
    make_file("/doors/cut", 06777);
    make_file("/doors/shorter", 06767);
    make_file("/doors/roomy", 06777);
    make_file("/doors/spliced", 06777);
    make_file("/doors/plain", 0755);
    make_file("/doors/mine", 06755);
    chown("/doors/mine", 1000, 1000);
    chmod("/doors/mine", 06755);
    mkdir("/doors/mydir", 0755);
    chown("/doors/mydir", 1000, 50);
    fflush(stdout);
    if (fork() == 0) {
        setgroups(0, NULL);
        be(1000);
        umask(0);
        FACT(chown("/doors/program", -1, -1));
        FACT(chown("/doors/plain", -1, -1));
        FACT(chown("/doors/mine", -1, -1));
        fact("a program of another", "%o", mode_of("/doors/program"));
        fact("one of our own", "%o", mode_of("/doors/mine"));
        FACT(chmod("/doors/mine", 02745));
        FACT(chown("/doors/mine", 1000, 1000));
        fact("without x for the group", "%o", mode_of("/doors/mine"));
        FACT(chmod("/doors/mydir", 02755));
        fact("a directory of a group not ours", "%o", mode_of("/doors/mydir"));
        close(open("/doors/group/a", O_CREAT | O_RDWR, 02777));
        fact("made with x", "%o", mode_of("/doors/group/a"));
        close(open("/doors/group/b", O_CREAT | O_RDWR, 02767));
        fact("made without x", "%o", mode_of("/doors/group/b"));
        mkdir("/doors/group/c", 0700);
        fact("made directory", "%o", mode_of("/doors/group/c"));
        mknod("/doors/group/d", S_IFIFO | 02777, 0);
        fact("made pipe", "%o", mode_of("/doors/group/d"));
        int nameless = open("/doors/group", O_TMPFILE | O_RDWR, 02777);
        struct stat stat;
        fstat(nameless, &stat);
        fact("made nameless", "%o %u", stat.st_mode & 07777, stat.st_gid);
        FACT(chmod("/doors/group/a", 02777));
        fact("changed", "%o", mode_of("/doors/group/a"));
        int fd = open("/doors/writable", O_RDWR), p[2];
        FACT(write(fd, "", 0));
        fact("after a write of nothing", "%o", mode_of("/doors/writable"));
        FACT(write(fd, "x", 1));
        fact("after a write", "%o", mode_of("/doors/writable"));
        fd = open("/doors/cut", O_RDWR | O_TRUNC);
        fact("after O_TRUNC", "%o", mode_of("/doors/cut"));
        FACT(truncate("/doors/shorter", 0));
        fact("after truncate", "%o", mode_of("/doors/shorter"));
        fd = open("/doors/roomy", O_RDWR);
        FACT(fallocate(fd, 0, 0, 4096));
        fact("after fallocate", "%o", mode_of("/doors/roomy"));
        fd = open("/doors/spliced", O_WRONLY);
        pipe(p);
        write(p[1], "x", 1);
        FACT(splice(p[0], NULL, fd, NULL, 1, 0));
        fact("after splice", "%o", mode_of("/doors/spliced"));
        _exit(0);
    }
    wait(NULL);
    int fd = open("/doors/locks", O_RDWR);
    write(fd, "x", 1);
    fact("after root's write", "%o", mode_of("/doors/locks"));
    FACT(fchown(fd, 0, 0));
    fact("after root's chown", "%o", mode_of("/doors/locks"));
}

// --- whom one acts for ---------------------------------------------------------------------------------------------

static void asked(const char *who)
{
    static const struct {
        const char *path;
        int mode;
    } files[] = {{"/doors/secret", R_OK}, {"/doors/secret", W_OK}, {"/doors/hidden/x", R_OK}, {"/doors/his", W_OK},
                 {"/doors/ours", R_OK},   {"/doors/secret", F_OK}, {"/doors/hidden/x", F_OK}, {"/doors/plain", X_OK},
                 {"/doors/secret", X_OK}, {"/doors/tohis", W_OK}};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char what[80];
        snprintf(what, sizeof(what), "%s: %s %d", who, files[i].path, files[i].mode);
        int plain = access(files[i].path, files[i].mode) != 0 ? errno : 0;
        int real = syscall(SYS_faccessat2, AT_FDCWD, files[i].path, files[i].mode, 0) != 0 ? errno : 0;
        int effective = syscall(SYS_faccessat2, AT_FDCWD, files[i].path, files[i].mode, AT_EACCESS) != 0 ? errno : 0;
        int link =
            syscall(SYS_faccessat2, AT_FDCWD, files[i].path, files[i].mode, AT_SYMLINK_NOFOLLOW) != 0 ? errno : 0;
        fact(what, "%d %d %d %d", plain, real, effective, link);
    }
}

static void whom_one_acts_for(void)
{
    make_file("/doors/secret", 0600);
    make_file("/doors/his", 0600);
    chown("/doors/his", 1000, 1000);
    make_file("/doors/ours", 0640);
    chown("/doors/ours", 0, 60);
    mkdir("/doors/hidden", 0700);
    make_file("/doors/hidden/x", 0666);
    symlink("his", "/doors/tohis");
    static const struct {
        const char *who;
        unsigned real, effective, real_group, effective_group;
    } cases[] = {{"root for a user", 1000, 0, 0, 0},          {"a user for root", 0, 1000, 0, 0},
                 {"a user for another", 1001, 1000, 0, 0},    {"a group for another", 1000, 1000, 60, 61},
                 {"another for a group", 1000, 1000, 61, 60}, {"nobody else", 1000, 1000, 1000, 1000}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fflush(stdout);
        if (fork() == 0) {
            setgroups(0, NULL);
            setresgid(cases[i].real_group, cases[i].effective_group, 0);
            setresuid(cases[i].real, cases[i].effective, 0);
            asked(cases[i].who);
            _exit(0);
        }
        wait(NULL);
    }
    asked("root");
    FACT(syscall(SYS_faccessat2, AT_FDCWD, "/doors/secret", 8, 0));
    FACT(syscall(SYS_faccessat2, AT_FDCWD, "/doors/secret", R_OK, 0x40000));
}

int main(void)
{
    a_number_given_again();
    signals_of_a_terminal();
    names_by_descriptor();
    set_id_bits();
    whom_one_acts_for();
    return 0;
}
