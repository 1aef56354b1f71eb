// `prog serve FD` on Linux: confines itself to namespaces of its own with a small file system in memory, and runs
// programs from the window that FD is. Root is needed for the ids that programs change to; in there nobody is root of
// anything else. Anything but that is what a program's own execve(2) started, and ends at once.
#include "user/prog/linux.h"

#include "user/prog/flat.h"
#include "user/prog/window.h"

#include <asm/unistd.h>

#define EXECUTED 42
#define AT_FDCWD (-100)
#define O_RDONLY 0
#define O_WRONLY 1
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOFOLLOW 0400000
#define AT_REMOVEDIR 0x200
#define ROUNDS_MAX 100u
#define O_CLOEXEC 02000000
#define SIGCHLD 17
#define SIGKILL 9
#define PR_SET_PDEATHSIG 1
#define MS_REC 0x4000u
#define MS_BIND 0x1000u
#define MS_PRIVATE 0x40000u
#define MNT_DETACH 2
#define RLIMIT_CORE 4
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define RLIMIT_AS 9
#define NAMESPACES 0x7e020000u // user, mount, pid, net, ipc, uts, cgroup
#define PROT_READ_WRITE 3
#define MAP_SHARED 1
#define IDS "0 0 4294967295\n"

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return linux_call(number, a, b, c, d, 0, 0);
}

static void must(int64_t result, const char *what)
{
    if (result >= 0) {
        return;
    }
    char text[96];
    unsigned length = 0;
    for (; what[length] != 0 && length < 80; length++) {
        text[length] = what[length];
    }
    text[length++] = ' ';
    text[length++] = (char)('0' + -result / 100 % 10);
    text[length++] = (char)('0' + -result / 10 % 10);
    text[length++] = (char)('0' + -result % 10);
    text[length++] = '\n';
    call(__NR_write, 2, flat_word(text), length, 0);
    call(__NR_exit_group, 1, 0, 0, 0);
}

static int64_t open_path(const char *path, uint64_t flags)
{
    return call(__NR_openat, (uint64_t)AT_FDCWD, flat_word(path), flags | O_CLOEXEC, 0755);
}

static bool write_to(const char *path, const char *text)
{
    size_t length = 0;
    while (text[length] != 0) {
        length++;
    }
    int64_t file = open_path(path, O_WRONLY);
    bool done = file >= 0 && call(__NR_write, (uint64_t)file, flat_word(text), length, 0) == (int64_t)length;
    call(__NR_close, (uint64_t)file, 0, 0, 0);
    return done;
}

static void die_with_parent(void)
{
    must(call(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0), "prctl");
}

static void mount(const char *what, const char *where, const char *kind, uint64_t flags, const char *options)
{
    must(linux_call(__NR_mount, flat_word(what), flat_word(where), flat_word(kind), flags, flat_word(options), 0),
         where);
}

static void folder(const char *path)
{
    must(call(__NR_mkdirat, (uint64_t)AT_FDCWD, flat_word(path), 0755, 0), path);
}

static void make_image(void)
{
    int64_t to = open_path("/tmp/bin/prog", O_WRONLY | O_CREAT | O_EXCL);
    must(to, "/bin/prog");
    must(call(__NR_write, (uint64_t)to, flat_word(flat_image), FLAT_IMAGE_SIZE, 0), "/bin/prog");
    call(__NR_close, (uint64_t)to, 0, 0, 0);
}

static void device(const char *from, const char *to)
{
    int64_t file = open_path(to, O_WRONLY | O_CREAT);
    must(file, to);
    call(__NR_close, (uint64_t)file, 0, 0, 0);
    mount(from, to, NULL, MS_BIND, NULL);
}

static void new_root(void)
{
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount("tmpfs", "/tmp", "tmpfs", 0, "size=16m,mode=755");
    static const char *const folders[] = {"/tmp/bin", "/tmp/dev", "/tmp/dev/pts", "/tmp/proc", "/tmp/tmp"};
    for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        folder(folders[i]);
    }
    make_image();
    device("/dev/null", "/tmp/dev/null");
    device("/dev/zero", "/tmp/dev/zero");
    device("/dev/full", "/tmp/dev/full");
    device("/dev/random", "/tmp/dev/random");
    device("/dev/urandom", "/tmp/dev/urandom");
    device("/dev/tty", "/tmp/dev/tty");
    mount("devpts", "/tmp/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666");
    device("/tmp/dev/pts/ptmx", "/tmp/dev/ptmx");
    must(call(__NR_chmod, flat_word("/tmp/tmp"), 01777, 0, 0), "/tmp");
    mount("proc", "/tmp/proc", "proc", 0, NULL);
    must(call(__NR_chdir, flat_word("/tmp"), 0, 0, 0), "chdir");
    must(call(__NR_pivot_root, flat_word("."), flat_word("."), 0, 0), "pivot_root");
    must(call(__NR_umount2, flat_word("."), MNT_DETACH, 0, 0), "umount2");
    must(call(__NR_chdir, flat_word("/"), 0, 0, 0), "chdir");
    write_to("/proc/sys/user/max_user_namespaces",
             "0"); // programs make none; not there on kernels that forbid it anyway
}

static void limit(uint64_t what, uint64_t most)
{
    const uint64_t both[2] = {most, most};
    must(call(__NR_setrlimit, what, flat_word(both), 0, 0), "setrlimit");
}

// The first process of the namespaces: what dies with it is all there is.
_Noreturn static void inside(int64_t window)
{
    die_with_parent();
    new_root();
    must(call(__NR_sethostname, flat_word("faultline"), 9, 0, 0), "sethostname");
    must(call(__NR_setresuid, 0, 0, 0, 0), "setresuid");
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 256);
    limit(RLIMIT_NOFILE, 1024);
    limit(RLIMIT_AS, 1ull << 30);
    must(call(__NR_setsid, 0, 0, 0, 0), "setsid");
    die_with_parent();
    int64_t base = linux_call(__NR_mmap, 0, WINDOW_SIZE, PROT_READ_WRITE, MAP_SHARED, (uint64_t)window, 0);
    must(base < 0 && base > -4096 ? base : 0, "window");
    call(__NR_close, (uint64_t)window, 0, 0, 0);
    window_serve((struct window_slot *)base);
}

// Ids are given from outside, by the one who still has them.
static bool give_ids(int64_t pid)
{
    char path[] = "/proc/0000000000/uid_map";
    for (unsigned at = 15; at >= 6; at--, pid /= 10) {
        path[at] = (char)('0' + pid % 10);
    }
    unsigned zeros = 0;
    while (path[6 + zeros] == '0') {
        zeros++;
    }
    __builtin_memmove(path + 6, path + 6 + zeros, sizeof(path) - 6 - zeros);
    bool done = write_to(path, IDS);
    unsigned at = 0;
    while (path[at] != 0) {
        at++;
    }
    path[at - 7] = 'g';
    return write_to(path, IDS) && done;
}

_Noreturn static void middle(int64_t window, const int32_t *ready, const int32_t *go)
{
    char byte = 0;
    die_with_parent();
    must(call(__NR_unshare, NAMESPACES, 0, 0, 0), "unshare");
    must(call(__NR_write, (uint64_t)ready[1], flat_word(&byte), 1, 0), "write");
    must(call(__NR_read, (uint64_t)go[0], flat_word(&byte), 1, 0), "read");
    must(call(__NR_setresgid, 0, 0, 0, 0), "setresgid");
    must(call(__NR_setresuid, 0, 0, 0, 0), "setresuid");
    die_with_parent();
    int64_t pid = call(__NR_fork, 0, 0, 0, 0);
    must(pid, "fork");
    if (pid == 0) {
        inside(window);
    }
    call(__NR_wait4, (uint64_t)pid, 0, 0, 0);
    call(__NR_exit_group, 1, 0, 0, 0);
    __builtin_unreachable();
}

_Noreturn static void serve(int64_t window)
{
    int32_t ready[2], go[2];
    char byte = 0;
    call(__NR_setpriority, 0, 0, 0, 0); // whatever runs us is nice to others; programs see it
    must(call(__NR_pipe2, flat_word(ready), O_CLOEXEC, 0, 0), "pipe2");
    must(call(__NR_pipe2, flat_word(go), O_CLOEXEC, 0, 0), "pipe2");
    int64_t pid = call(__NR_fork, 0, 0, 0, 0);
    must(pid, "fork");
    if (pid == 0) {
        middle(window, ready, go);
    }
    call(__NR_close, (uint64_t)ready[1], 0, 0, 0);
    must(call(__NR_read, (uint64_t)ready[0], flat_word(&byte), 1, 0) == 1 ? 0 : -1, "namespaces");
    must(give_ids(pid) ? 0 : -1, "uid_map (are we root?)");
    must(call(__NR_write, (uint64_t)go[1], flat_word(&byte), 1, 0), "write");
    call(__NR_wait4, (uint64_t)pid, 0, 0, 0);
    call(__NR_exit_group, 1, 0, 0, 0);
    __builtin_unreachable();
}

int flat_prepare(void)
{
    return 0;
}

struct entry { // as getdents64(2) gives it
    uint64_t inode, next;
    uint16_t length;
    uint8_t kind;
    char name[];
};
#define KIND_FOLDER 4

// All in the folder. False: something stays.
static bool empty(int64_t folder)
{
    _Alignas(8) char entries[2048];
    for (unsigned rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        call(__NR_lseek, (uint64_t)folder, 0, 0, 0);
        bool any = false;
        for (;;) {
            int64_t size = call(__NR_getdents64, (uint64_t)folder, flat_word(entries), sizeof(entries), 0);
            if (size <= 0) {
                break;
            }
            for (int64_t at = 0; at < size; at += ((struct entry *)(entries + at))->length) {
                const struct entry *entry = (struct entry *)(entries + at);
                if (entry->name[0] == '.' && (entry->name[1] == 0 || (entry->name[1] == '.' && entry->name[2] == 0))) {
                    continue;
                }
                any = true;
                uint64_t flags = 0;
                if (entry->kind == KIND_FOLDER) {
                    int64_t below =
                        call(__NR_openat, (uint64_t)folder, flat_word(entry->name), O_NOFOLLOW | O_CLOEXEC, 0);
                    empty(below);
                    call(__NR_close, (uint64_t)below, 0, 0, 0);
                    flags = AT_REMOVEDIR;
                }
                call(__NR_unlinkat, (uint64_t)folder, flat_word(entry->name), flags, 0);
            }
        }
        if (!any) {
            return true;
        }
    }
    return false;
}

// Programs run as nobody's root: these two are all that they can have changed.
bool flat_put_back(void)
{
    int64_t work = open_path("/w", O_RDONLY), temporary = open_path("/tmp", O_RDONLY);
    bool done = (work < 0 || empty(work)) && empty(temporary);
    call(__NR_close, (uint64_t)work, 0, 0, 0);
    call(__NR_close, (uint64_t)temporary, 0, 0, 0);
    return (work < 0 || call(__NR_rmdir, flat_word("/w"), 0, 0, 0) == 0) && done;
}

_Noreturn void linux_start(const uint64_t *stack)
{
    const char *word = stack[0] == 3 ? (const char *)stack[2] : "",
               *number = stack[0] == 3 ? (const char *)stack[3] : "";
    static const char wanted[] = "serve";
    unsigned same = 0;
    while (same < sizeof(wanted) && word[same] == wanted[same]) {
        same++;
    }
    if (same == sizeof(wanted) && call(__NR_getpid, 0, 0, 0, 0) != 1 && call(__NR_geteuid, 0, 0, 0, 0) == 0) {
        int64_t window = 0;
        for (; *number >= '0' && *number <= '9'; number++) {
            window = window * 10 + (*number - '0');
        }
        serve(window);
    }
    call(__NR_exit_group, EXECUTED, 0, 0, 0);
    __builtin_unreachable();
}
