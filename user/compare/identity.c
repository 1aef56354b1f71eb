// Who may do what: users, groups, capabilities, how they change by calls and by execve, and what each of root's rights
// allows by itself.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "facts.h"

#define PLACE "/identity"

struct sets {
    uint64_t effective, permitted, inheritable;
};

static int get_sets(struct sets *out)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    int result = (int)syscall(SYS_capget, &header, data);
    *out = (struct sets){data[0].effective | (uint64_t)data[1].effective << 32,
                         data[0].permitted | (uint64_t)data[1].permitted << 32,
                         data[0].inheritable | (uint64_t)data[1].inheritable << 32};
    return result;
}

static int put_sets(struct sets to)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)to.effective, (uint32_t)to.permitted, (uint32_t)to.inheritable},
        {(uint32_t)(to.effective >> 32), (uint32_t)(to.permitted >> 32), (uint32_t)(to.inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

static uint64_t of_each(int option, long first)
{
    uint64_t all = 0;
    for (long i = 0; i <= 40; i++) {
        long has = first != 0 ? prctl(option, first, i, 0, 0) : prctl(option, i, 0, 0, 0);
        all |= has == 1 ? 1ull << i : 0;
    }
    return all;
}

// Everything that a task is.
static void describe(char *out, size_t size)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    struct sets sets;
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    get_sets(&sets);
    snprintf(out, size, "u %u %u %u %u g %u %u %u %u e %lx p %lx i %lx b %lx a %lx s %x d %d", ruid, euid, suid,
             (unsigned)setfsuid((uid_t)-1), rgid, egid, sgid, (unsigned)setfsgid((gid_t)-1), sets.effective,
             sets.permitted, sets.inheritable, of_each(PR_CAPBSET_READ, 0),
             of_each(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET), (unsigned)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0),
             prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
}

static const char *name_of(long result)
{
    return result == -1 ? strerrorname_np(errno) : "0";
}

static int in_child(void (*body)(long), long argument)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        body(argument);
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    if (status != 0) {
        fact_status("a child", status);
    }
    return status;
}

// --- the calls that change users -----------------------------------------------------------------------------------

static const uid_t starts[][3] = {{0, 0, 0},          {1000, 1000, 1000}, {1000, 0, 0},      {0, 1000, 0},
                                  {1000, 2000, 3000}, {1000, 1000, 0},    {1000, 2000, 1000}};
static const uid_t wanted[] = {0, 1000, 2000, 3000, (uid_t)-1};
#define WANTED 5

static long call_of(int kind, uid_t a, uid_t b, uid_t c, bool users)
{
    switch (kind) {
    case 0:
        return syscall(users ? SYS_setuid : SYS_setgid, a);
    case 1:
        return syscall(users ? SYS_setreuid : SYS_setregid, a, b);
    case 2:
        return syscall(users ? SYS_setresuid : SYS_setresgid, a, b, c);
    default:
        return syscall(users ? SYS_setfsuid : SYS_setfsgid, a);
    }
}

static void change(long number)
{
    static const char *const names[] = {"set", "setre", "setres", "setfs"};
    char state[400], what[80];
    bool users = (number & 1) != 0;
    long kind = number >> 1 & 3, start = number >> 3 & 7, bits = number >> 6 & 3, a = number >> 8 & 7,
         b = number >> 11 & 7;
    prctl(PR_SET_SECUREBITS, bits == 1 ? 1 << 4 : bits == 2 ? 1 << 2 : 0);
    const uid_t *from = starts[start];
    syscall(users ? SYS_setresuid : SYS_setresgid, from[0], from[1], from[2]);
    long result = call_of((int)kind, wanted[a], wanted[b], wanted[(a + 2 * b) % WANTED], users);
    snprintf(what, sizeof(what), "%s%cid %ld %ld bits %ld: %d %d", names[kind], users ? 'u' : 'g', start, number & 1,
             bits, (int)wanted[a], (int)wanted[b]);
    const char *how = kind == 3 ? "done" : name_of(result);
    describe(state, sizeof(state));
    fact(what, "%s %s", how, state);
}

static void changes(void)
{
    for (long start = 0; start < 7; start++) {
        for (long kind = 0; kind < 4; kind++) {
            for (long a = 0; a < WANTED; a++) {
                for (long b = 0; b < (kind == 0 || kind == 3 ? 1 : WANTED); b++) {
                    long bits = (start + a + b) % 3;
                    in_child(change, 1 | kind << 1 | start << 3 | bits << 6 | a << 8 | b << 11);
                    if ((a + b + start) % 3 == 0) {
                        in_child(change, kind << 1 | start << 3 | a << 8 | b << 11);
                    }
                }
            }
        }
    }
}

// --- a long way through sets of capabilities -----------------------------------------------------------------------

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % below;
}

static uint64_t some_of(uint64_t all)
{
    uint64_t some = 0;
    for (int i = 0; i < 41; i++) {
        some |= draw(4) != 0 ? all & 1ull << i : 0;
    }
    return some;
}

static long step(void)
{
    struct sets sets;
    uid_t id = wanted[draw(3)];
    get_sets(&sets);
    switch (draw(10)) {
    case 0:
        return syscall(SYS_setresuid, draw(3) ? (uid_t)-1 : id, id, draw(2) ? id : (uid_t)-1);
    case 1:
        return syscall(SYS_setuid, id);
    case 2:
        return syscall(SYS_setfsuid, id) < 0 ? -1 : 0;
    case 3:
        return prctl(PR_SET_KEEPCAPS, draw(3), 0, 0, 0);
    case 4:
        return prctl(PR_CAP_AMBIENT, 1 + draw(4), draw(12) == 0 ? 60 : draw(41), 0, 0);
    case 5:
        return draw(3) == 0 ? prctl(PR_CAPBSET_DROP, draw(43)) : prctl(PR_CAPBSET_READ, draw(43));
    case 6:
        return draw(4) == 0 ? prctl(PR_SET_SECUREBITS, draw(0x200)) : prctl(PR_SET_DUMPABLE, draw(3));
    case 7:
        return put_sets((struct sets){sets.permitted, sets.permitted, draw(2) ? sets.permitted : 0});
    default:
        sets.effective = draw(3) ? some_of(sets.permitted) : some_of(~0ull);
        sets.inheritable = draw(2) ? some_of(sets.permitted) : some_of(~0ull);
        sets.permitted = draw(3) ? sets.permitted : some_of(sets.permitted);
        return put_sets(sets);
    }
}

static void wander(long number)
{
    char state[400], what[40];
    seed = (uint64_t)number * 0x9e3779b97f4a7c15ull;
    for (int i = 0; i < 25; i++) {
        errno = 0;
        long result = step();
        describe(state, sizeof(state));
        snprintf(what, sizeof(what), "way %ld, step %d", number, i);
        fact(what, "%ld %s %s", result, result == -1 ? strerrorname_np(errno) : "", state);
    }
}

// --- execve --------------------------------------------------------------------------------------------------------

static void copy_program(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    char buffer[65536];
    int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    ssize_t size;
    while ((size = read(from, buffer, sizeof(buffer))) > 0) {
        write(to, buffer, (size_t)size);
    }
    close(from);
    close(to);
    chown(path, uid, gid);
    chmod(path, mode);
}

static const struct {
    const char *path;
    uid_t uid;
    gid_t gid;
    mode_t mode;
} programs[] = {
    {PLACE "/plain", 0, 0, 0755},        {PLACE "/root", 0, 0, 04755},    {PLACE "/user", 1000, 1000, 04755},
    {PLACE "/group", 0, 2000, 02755},    {PLACE "/lock", 0, 2000, 02745}, {PLACE "/both", 3000, 3000, 06755},
    {PLACE "/nosuid/root", 0, 0, 04755},
};

static void start_program(long number)
{
    static const char *const nothing[] = {NULL};
    long which = number & 7, start = number >> 3 & 7, bits = number >> 6 & 7;
    struct sets sets;
    char what[60];
    if (bits == 4) { // with some that may be inherited, and ambient ones
        get_sets(&sets);
        sets.inheritable = 0xff;
        put_sets(sets);
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 3, 0, 0);
        prctl(PR_SET_SECUREBITS, 1 << 4 | 1 << 2);
    }
    prctl(PR_SET_SECUREBITS, bits == 1 ? 1 : bits == 2 ? 1 << 4 : bits == 4 ? 1 << 4 | 1 << 2 : 0);
    if (bits == 3) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    setfsuid(2000);
    syscall(SYS_setresgid, starts[start][0], starts[start][0], starts[start][0]);
    syscall(SYS_setresuid, starts[start][0], starts[start][1], starts[start][2]);
    snprintf(what, sizeof(what), "exec %s from %ld bits %ld", programs[which].path + sizeof(PLACE), start, bits);
    const char *const argv[] = {"identity", "report", what, NULL};
    execve(programs[which].path, (char **)argv, (char **)nothing);
    fact(what, "%s", strerrorname_np(errno));
}

static void starting(void)
{
    mkdir(PLACE "/nosuid", 0755);
    mount("t", PLACE "/nosuid", "tmpfs", MS_NOSUID, "mode=0755");
    for (long i = 0; i < 7; i++) {
        copy_program(programs[i].path, programs[i].uid, programs[i].gid, programs[i].mode);
    }
    for (long which = 0; which < 7; which++) {
        for (long start = 0; start < 7; start++) {
            in_child(start_program, which | start << 3 | (which + start) % 5 << 6);
            if (which < 3) {
                in_child(start_program, which | start << 3 | (which + start + 2) % 5 << 6);
            }
        }
    }
    umount(PLACE "/nosuid");
}

// --- what each capability allows -----------------------------------------------------------------------------------

static pid_t other; // root's process

static int d_read(void)
{
    return open(PLACE "/secret", O_RDONLY);
}
static int d_write(void)
{
    return open(PLACE "/secret", O_WRONLY);
}
static int d_run(void)
{
    return access(PLACE "/notrun", X_OK);
}
static int d_search(void)
{
    return chdir(PLACE "/closed");
}
static int d_create(void)
{
    return open(PLACE "/made", O_CREAT | O_EXCL | O_WRONLY, 0600);
}
static int d_remove(void)
{
    return unlink(PLACE "/sticky/file");
}
static int d_mode(void)
{
    return chmod(PLACE "/secret", 0600);
}
static int d_owner(void)
{
    return chown(PLACE "/secret", 1000, (gid_t)-1);
}
static int d_group(void)
{
    return chown(PLACE "/mine", (uid_t)-1, 3000);
}
static int d_times(void)
{
    return utimensat(AT_FDCWD, PLACE "/secret", (struct timespec[2]){{1, 0}, {1, 0}}, 0);
}
static int d_no_atime(void)
{
    return open(PLACE "/public", O_RDONLY | O_NOATIME);
}
static int d_node(void)
{
    return mknod(PLACE "/open/node", S_IFCHR | 0600, makedev(1, 3));
}
static int d_kill(void)
{
    return kill(other, 0);
}
static int d_nice(void)
{
    return setpriority(PRIO_PROCESS, (id_t)other, 5);
}
static int d_nicer(void)
{
    return setpriority(PRIO_PROCESS, 0, -5);
}
static int d_policy(void)
{
    return sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1});
}
static int d_cpus(void)
{
    cpu_set_t all;
    memset(&all, 1, sizeof(all));
    return sched_setaffinity(other, sizeof(all), &all);
}
static int d_limit(void)
{
    return setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
}
static int d_limit_other(void)
{
    struct rlimit old;
    return prlimit(other, RLIMIT_CORE, NULL, &old);
}
static int d_chroot(void)
{
    return chroot("/");
}
static int d_mount(void)
{
    return mount("t", PLACE "/open", "tmpfs", 0, NULL);
}
static int d_umount(void)
{
    return umount(PLACE "/nothing");
}
static int d_name(void)
{
    return sethostname("name", 4);
}
static int d_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return clock_settime(CLOCK_REALTIME, &now);
}
static int d_reboot(void)
{
    return (int)syscall(SYS_reboot, 1, 2, 3, 0);
}
static int d_log(void)
{
    return klogctl(10, NULL, 0);
}
static int d_log_level(void)
{
    return klogctl(8, NULL, 4);
}
static int d_kmsg(void)
{
    return open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
}
static int d_lock(void)
{
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0});
    static char page[8192];
    return mlock(page, 4096);
}
static int d_setuid(void)
{
    return (int)syscall(SYS_setresuid, 2000, 2000, 2000);
}
static int d_setgid(void)
{
    return (int)syscall(SYS_setresgid, 2000, 2000, 2000);
}
static int d_setgroups(void)
{
    return (int)syscall(SYS_setgroups, 1, (gid_t[]){7});
}
static int d_bounding(void)
{
    return prctl(PR_CAPBSET_DROP, 3);
}
static int d_securebits(void)
{
    return prctl(PR_SET_SECUREBITS, 1 << 6);
}
static int d_environment(void)
{
    char path[40];
    sprintf(path, "/proc/%d/environ", other);
    return open(path, O_RDONLY);
}
static int d_place(void)
{
    char path[40], to[100];
    sprintf(path, "/proc/%d/cwd", other);
    return (int)readlink(path, to, 100);
}
static int d_files(void)
{
    char path[40];
    sprintf(path, "/proc/%d/fd", other);
    return open(path, O_RDONLY);
}
static int d_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    return fd < 0 ? -2 : (int)write(fd, "-5", 2);
}
static int d_robust(void)
{
    void *head;
    size_t size;
    return (int)syscall(SYS_get_robust_list, other, &head, &size);
}

static const struct {
    const char *name;
    int (*deed)(void);
} deeds[] = {{"read", d_read},
             {"write", d_write},
             {"run", d_run},
             {"search", d_search},
             {"create", d_create},
             {"remove", d_remove},
             {"mode", d_mode},
             {"owner", d_owner},
             {"group", d_group},
             {"times", d_times},
             {"no atime", d_no_atime},
             {"node", d_node},
             {"kill", d_kill},
             {"nice of another", d_nice},
             {"nicer", d_nicer},
             {"policy", d_policy},
             {"CPUs", d_cpus},
             {"limit", d_limit},
             {"limit of another", d_limit_other},
             {"chroot", d_chroot},
             {"mount", d_mount},
             {"umount", d_umount},
             {"host name", d_name},
             {"time", d_time},
             {"reboot", d_reboot},
             {"log", d_log},
             {"log level", d_log_level},
             {"kmsg", d_kmsg},
             {"lock", d_lock},
             {"setuid", d_setuid},
             {"setgid", d_setgid},
             {"setgroups", d_setgroups},
             {"bounding", d_bounding},
             {"securebits", d_securebits},
             {"environment", d_environment},
             {"place", d_place},
             {"files", d_files},
             {"oom", d_oom},
             {"robust list", d_robust}};
#define DEEDS (sizeof(deeds) / sizeof(deeds[0]))

static void lay_out(void)
{
    close(open(PLACE "/secret", O_CREAT | O_WRONLY, 0600));
    close(open(PLACE "/public", O_CREAT | O_WRONLY, 0644));
    close(open(PLACE "/mine", O_CREAT | O_WRONLY, 0644));
    chown(PLACE "/mine", 1000, 1000);
    chown(PLACE "/secret", 0, 0);
    chmod(PLACE "/secret", 0600);
    close(open(PLACE "/notrun", O_CREAT | O_WRONLY, 0700));
    mkdir(PLACE "/closed", 0700);
    mkdir(PLACE "/sticky", 01777);
    chmod(PLACE "/sticky", 01777);
    close(open(PLACE "/sticky/file", O_CREAT | O_WRONLY, 0644));
    mkdir(PLACE "/open", 0777);
    chmod(PLACE "/open", 0777);
    umount(PLACE "/open");
    unlink(PLACE "/made");
    unlink(PLACE "/open/node");
}

static int try(unsigned deed, uint64_t capabilities)
{
    int ends[2], said = 0;
    pipe(ends);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
        syscall(SYS_setgroups, 0, NULL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        syscall(SYS_setresgid, 1000, 1000, 1000);
        syscall(SYS_setresuid, 1000, 1000, 1000);
        put_sets((struct sets){capabilities, capabilities, 0});
        prctl(PR_SET_DUMPABLE, 1);
        errno = 0;
        said = deeds[deed].deed() == -1 ? errno : 0;
        write(ends[1], &said, sizeof(said));
        _exit(0);
    }
    close(ends[1]);
    read(ends[0], &said, sizeof(said));
    close(ends[0]);
    waitpid(pid, NULL, 0);
    return said;
}

// Of the others nothing here asks: networks, tracing, devices that are not there.
static bool is_asked_for(int capability)
{
    return capability <= 9 || capability == 14 || (capability >= 18 && capability <= 27 && capability != 20) ||
           capability == 34 || capability == 40;
}

static void powers(void)
{
    other = fork();
    if (other == 0) {
        for (;;) {
            pause();
        }
    }
    for (unsigned i = 0; i < DEEDS; i++) {
        lay_out();
        int without = try(i, 0);
        char changes_it[400] = "";
        for (int capability = 0; capability <= 40; capability++) {
            if (!is_asked_for(capability)) {
                continue;
            }
            lay_out();
            int with = try(i, 1ull << capability);
            if (with != without) {
                const char *name = with == 0 ? "allowed" : strerrorname_np(with);
                snprintf(changes_it + strlen(changes_it), 40, " %d %s", capability, name);
            }
        }
        lay_out();
        int with_all = try(i, (1ull << 41) - 1);
        fact(deeds[i].name, "%s,%s, with all %s", without == 0 ? "allowed" : strerrorname_np(without), changes_it,
             with_all == 0 ? "allowed" : strerrorname_np(with_all));
    }
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    umount(PLACE "/open");
}

// --- processes and each other --------------------------------------------------------------------------------------

static void look_at(pid_t pid, const char *what, char *out)
{
    static const char *const files[] = {"environ", "maps", "stat", "status", "fd", "cmdline"};
    char path[60], to[100];
    for (unsigned i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
        if (access(path, F_OK) != 0) {
            continue;
        }
        int fd = open(path, O_RDONLY);
        sprintf(out + strlen(out), "%s %s ", files[i], fd >= 0 ? "ok" : strerrorname_np(errno));
        close(fd);
    }
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    sprintf(out + strlen(out), "root %s", readlink(path, to, sizeof(to)) >= 0 ? "ok" : strerrorname_np(errno));
    (void)what;
}

struct who {
    uid_t r, e, s;
    gid_t g;
    int dumpable; // -1: as it comes
    uint64_t permitted;
};
static const struct who people[] = {
    {0, 0, 0, 0, -1, ~0ull},        {1000, 1000, 1000, 1000, 1, 0},      {1000, 1000, 1000, 1000, -1, 0},
    {1000, 1000, 0, 1000, 1, 0},    {1000, 2000, 2000, 1000, 1, 0},      {2000, 2000, 2000, 1000, 1, 0},
    {1000, 1000, 1000, 2000, 1, 0}, {1000, 1000, 1000, 1000, 1, 1 << 5},
};
#define PEOPLE 8

static void be(const struct who *who)
{
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    syscall(SYS_setgroups, 0, NULL);
    syscall(SYS_setresgid, who->g, who->g, who->g);
    syscall(SYS_setresuid, who->r, who->e, who->s);
    struct sets now;
    get_sets(&now);
    if (who->r != 0) {
        put_sets((struct sets){now.permitted & who->permitted, now.permitted & who->permitted, 0});
    }
    if (who->dumpable >= 0) {
        prctl(PR_SET_DUMPABLE, who->dumpable);
    }
}

static void meet(long number)
{
    const struct who *looks = &people[number & 7], *looked = &people[number >> 3 & 7];
    int ready[2];
    char what[80], said[500] = "", letter;
    pipe(ready);
    pid_t pid = fork();
    if (pid == 0) {
        be(looked);
        setsid();
        write(ready[1], "x", 1);
        for (;;) {
            pause();
        }
    }
    read(ready[0], &letter, 1);
    struct stat status;
    snprintf(what, sizeof(what), "/proc/%d/environ", pid);
    stat(what, &status);
    sprintf(said, "owner %u %u ", status.st_uid, status.st_gid);
    be(looks);
    look_at(pid, "", said);
    for (int signal = 0; signal <= SIGCONT; signal += SIGCONT) {
        sprintf(said + strlen(said), " kill %s", name_of(kill(pid, signal)));
    }
    struct rlimit limit;
    sprintf(said + strlen(said), " limit %s", name_of(prlimit(pid, RLIMIT_NOFILE, NULL, &limit)));
    sprintf(said + strlen(said), " nice %s", name_of(setpriority(PRIO_PROCESS, (id_t)pid, 3)));
    sprintf(said + strlen(said), " policy %s", name_of(sched_setscheduler(pid, SCHED_BATCH, &(struct sched_param){0})));
    snprintf(what, sizeof(what), "%ld looks at %ld", number & 7, number >> 3 & 7);
    fact(what, "%s", said);
    syscall(SYS_setuid, 0); // may or may not: the parent ends it
    fact("the end", "%s", kill(pid, SIGKILL) == 0 ? "killed" : "stays");
}

static void groups(long unused)
{
    gid_t list[40] = {5, 3, 9, 3, 1}, got[40];
    FACT(setgroups(5, list));
    int count = getgroups(40, got);
    for (int i = 0; i < count; i++) {
        fact("group", "%u", got[i]);
    }
    FACT(getgroups(4, got));
    FACT(getgroups(-1, got));
    for (int i = 0; i < 40; i++) {
        list[i] = (gid_t)(100 - i);
    }
    FACT(setgroups(40, list));
    FACT(getgroups(0, NULL));
    FACT(syscall(SYS_setgroups, 65537, list));
    FACT(syscall(SYS_setgroups, 1, (gid_t[]){-1u}));
    close(open(PLACE "/grouped", O_CREAT | O_WRONLY, 0640));
    chown(PLACE "/grouped", 0, 70);
    syscall(SYS_setresgid, 1000, 1000, 1000);
    syscall(SYS_setresuid, 1000, 1000, 1000);
    FACT_OK(open(PLACE "/grouped", O_RDONLY));
    FACT_OK(open(PLACE "/grouped", O_WRONLY));
    FACT(setgroups(0, NULL));
}

static void *as_another(void *unused)
{
    syscall(SYS_setresuid, 1000, 1000, 1000);
    fact("a thread is somebody else", "%d %d", (int)syscall(SYS_geteuid), (int)open(PLACE "/secret", O_RDONLY) >= 0);
    return NULL;
}

#include <pthread.h>
static void threads(long unused)
{
    pthread_t thread;
    lay_out();
    pthread_create(&thread, NULL, as_another, NULL);
    pthread_join(thread, NULL);
    fact("the others are not", "%d %d", (int)syscall(SYS_geteuid), open(PLACE "/secret", O_RDONLY) >= 0);
}

// The first process does not end by what others send it.
static void first_process(long unused)
{
    FACT(kill(1, SIGKILL));
    FACT(kill(1, SIGSTOP));
    FACT(kill(1, SIGTERM));
    FACT(kill(1, SIGSEGV));
    FACT(kill(1, SIGTSTP));
}

int main(int argc, char **argv)
{
    if (argc > 2) { // a program that was started as somebody
        char state[400];
        describe(state, sizeof(state));
        fact(argv[2], "secure %lu auxv %lu %lu %lu %lu %s", getauxval(AT_SECURE), getauxval(AT_UID), getauxval(AT_EUID),
             getauxval(AT_GID), getauxval(AT_EGID), state);
        return 0;
    }
    mkdir(PLACE, 0755);
    changes();
    for (long i = 1; i <= 12; i++) {
        in_child(wander, i);
    }
    starting();
    powers();
    for (long i = 0; i < PEOPLE * PEOPLE; i++) {
        in_child(meet, i);
    }
    in_child(groups, 0);
    in_child(threads, 0);
    in_child(first_process, 0);
    return 0;
}
