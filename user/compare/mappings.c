// What a mapping may become: mprotect(2), mremap(2), fork(2) ask all that mmap(2) asked of the file, its mount, the
// limits and the memory.
#include "facts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define RO PROT_READ
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)
#define NOBODY 65534

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, signal);
}

static const char *write_to(volatile char *at)
{
    int got = sigsetjmp(back, 1);
    if (got != 0) {
        return got == SIGSEGV ? "SIGSEGV" : "SIGBUS";
    }
    *at = 'w';
    return "written";
}

static char *map(size_t size, int rights, int flags, int fd)
{
    char *at = mmap(NULL, size, rights, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    return at;
}

static void say_file(const char *name)
{
    char text[16] = "";
    int fd = open(name, O_RDONLY);
    if (read(fd, text, 8) < 0) {
        fact("the file", "cannot be read");
    }
    close(fd);
    fact("the file", "%s", text);
}

static void of_other_modes(void)
{
    int wo = open("plain", O_WRONLY), rw = open("plain", O_RDWR), path = open("plain", O_PATH);
    FACT_OK((long)map(PAGE, RO, MAP_SHARED, wo));
    FACT_OK((long)map(PAGE, PROT_WRITE, MAP_SHARED, wo));
    FACT_OK((long)map(PAGE, RO, MAP_PRIVATE, wo));
    FACT_OK((long)map(PAGE, PROT_NONE, MAP_PRIVATE, wo));
    FACT_OK((long)map(PAGE, RO, MAP_SHARED, path));
    char *both = map(PAGE, RO, MAP_SHARED, rw);
    FACT(mprotect(both, PAGE, RW));
    fact("through a descriptor for both", "%s", write_to(both));
    close(rw);
    FACT(mprotect(both, PAGE, PROT_NONE));
    FACT(mprotect(both, PAGE, RW)); // it is the mapping's, not the descriptor's
    munmap(both, PAGE);
}

static void of_read_only(void)
{
    int fd = open("plain", O_RDWR | O_CREAT, 0644), ro = open("plain", O_RDONLY);
    FACT(write(fd, "contents", 8));
    FACT(ftruncate(fd, 4 * PAGE));
    FACT_OK((long)map(PAGE, RW, MAP_SHARED, ro));
    FACT_OK((long)map(PAGE, RW, MAP_SHARED_VALIDATE, ro));
    char *none = map(2 * PAGE, PROT_NONE, MAP_SHARED, ro), *valid = map(PAGE, RO, MAP_SHARED_VALIDATE, ro);
    FACT(mprotect(none, PAGE, PROT_WRITE));
    FACT(mprotect(none, 2 * PAGE, RW));
    FACT(mprotect(none, 2 * PAGE, RX | PROT_WRITE));
    FACT(mprotect(none, 2 * PAGE, RX));
    FACT(mprotect(none, PAGE, RO));
    FACT(mprotect(valid, PAGE, RW));
    fact("a write to it", "%s", write_to(none));
    char *moved = mremap(none, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    FACT(mprotect(moved, PAGE, RW));
    FACT(mprotect(moved + 2 * PAGE, PAGE, RW));
    FACT(madvise(moved, PAGE, MADV_DONTNEED));
    FACT(madvise(moved, PAGE, MADV_POPULATE_WRITE));
    FACT(mlock(moved, PAGE));
    FACT(mprotect(moved, PAGE, RW));
    fact("a write to what has moved", "%s", write_to(moved));
    fflush(stdout);
    if (fork() == 0) {
        FACT(mprotect(moved, PAGE, RW));
        fact("a child's write", "%s", write_to(moved));
        _exit(0);
    }
    wait(NULL);
    char *own = map(PAGE, RO, MAP_PRIVATE, ro);
    FACT(mprotect(own, PAGE, RW));
    fact("a write to a private one", "%s", write_to(own));
    say_file("plain");
}

static void of_another(void)
{
    fflush(stdout);
    if (fork() == 0) {
        FACT(setgid(NOBODY));
        FACT(setuid(NOBODY));
        int ro = open("plain", O_RDONLY);
        char *at = map(PAGE, RO, MAP_SHARED, ro);
        FACT(mprotect(at, PAGE, RW));
        fact("nobody's write", "%s", write_to(at));
        _exit(0);
    }
    wait(NULL);
    say_file("plain");
}

static void of_zeroes(void)
{
    int ro = open("/dev/zero", O_RDONLY), rw = open("/dev/zero", O_RDWR), wo = open("/dev/zero", O_WRONLY);
    FACT_OK((long)map(PAGE, RW, MAP_SHARED, ro));
    FACT_OK((long)map(PAGE, RO, MAP_SHARED, wo));
    FACT_OK((long)mmap(NULL, PAGE, RO, MAP_PRIVATE, ro, 17 * PAGE));
    char *one = map(2 * PAGE, RO, MAP_SHARED, ro), *two = map(2 * PAGE, RW, MAP_SHARED, rw);
    char *own = map(PAGE, RO, MAP_PRIVATE, ro);
    fact("its bytes", "%d%d%d", one[PAGE], two[PAGE], own[0]);
    FACT(mprotect(one, PAGE, RW));
    FACT(mprotect(own, PAGE, RW));
    fact("an own one", "%s", write_to(own));
    fflush(stdout);
    if (fork() == 0) {
        two[0] = 'c';
        own[0] = 'c';
        _exit(0);
    }
    wait(NULL);
    fact("after a child's writes", "%c%c", two[0], own[0]);
    FACT_OK((long)map(PAGE, RO, MAP_PRIVATE, open("/dev/null", O_RDONLY)));
    FACT_OK((long)map(PAGE, RO, MAP_SHARED, open("/dev/full", O_RDWR)));
}

// One area after the other: what lies before the one that may not has changed.
static void of_several(void)
{
    int ro = open("plain", O_RDONLY);
    char *at = map(3 * PAGE, RO, MAP_PRIVATE, -1);
    FACT_OK((long)mmap(at + PAGE, PAGE, RO, MAP_SHARED | MAP_FIXED, ro, 0));
    FACT(mprotect(at, 3 * PAGE, RW));
    fact("before it", "%s", write_to(at));
    fact("it", "%s", write_to(at + PAGE));
    fact("behind it", "%s", write_to(at + 2 * PAGE));
    FACT(munmap(at + PAGE, PAGE));
    FACT(mprotect(at, 3 * PAGE, RO));
    FACT(mprotect(at + PAGE, 2 * PAGE, RO));
    fact("behind a hole", "%s", write_to(at + 2 * PAGE));
    FACT(mprotect(at, ~0ul - PAGE, RO));
    FACT(mprotect(at, 0, RO));
    FACT(mprotect(at + 1, PAGE, RO));
}

static void of_a_mount(void)
{
    FACT(mkdir("m", 0755));
    FACT(mount("t", "m", "tmpfs", MS_NOEXEC, NULL));
    int fd = open("m/code", O_RDWR | O_CREAT, 0755);
    FACT(ftruncate(fd, 2 * PAGE));
    FACT_OK((long)map(PAGE, RX, MAP_PRIVATE, fd));
    FACT_OK((long)map(PAGE, PROT_EXEC, MAP_SHARED, fd));
    char *one = map(2 * PAGE, RW, MAP_PRIVATE, fd), *two = map(PAGE, PROT_NONE, MAP_SHARED, fd);
    FACT(mprotect(one, PAGE, RX));
    FACT(mprotect(one, PAGE, PROT_EXEC));
    FACT(mprotect(one, PAGE, RO));
    FACT(mprotect(two, PAGE, RX));
    FACT(mprotect(two, PAGE, RW));
    one = mremap(one, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    FACT(mprotect(one + PAGE, PAGE, RX));
    munmap(one, 3 * PAGE);
    munmap(two, PAGE);
    close(fd);
    FACT(umount("m"));
}

static void of_the_kernel(void)
{
    char line[256];
    unsigned long start = 0, end, other = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        if (strstr(line, "[vvar]") != NULL) {
            sscanf(line, "%lx-%lx", &start, &end);
        } else if (strstr(line, "[vdso]") != NULL) {
            sscanf(line, "%lx-%lx", &other, &end);
        }
    }
    FACT(mprotect((void *)start, PAGE, RW));
    FACT(mprotect((void *)start, PAGE, RX));
    FACT(mprotect((void *)start, PAGE, RO));
    FACT(mprotect((void *)other, PAGE, RX | PROT_WRITE));
    FACT(mprotect((void *)other, PAGE, RX));
    FACT_OK((long)mremap((void *)other, PAGE, 64 * PAGE, MREMAP_MAYMOVE));
    FACT(mlock((void *)other, PAGE));
}

static void of_data(void)
{
    struct rlimit limit = {8 << 20, 8 << 20};
    fflush(stdout);
    if (fork() != 0) {
        wait(NULL);
        return;
    }
    size_t size = 32 << 20, huge = 1ul << 40;
    char *all = map(huge, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
    FACT(mprotect(all, huge, RW));
    munmap(all, huge);
    all = map(huge, PROT_NONE, MAP_PRIVATE, -1);
    FACT(mprotect(all, huge, RW));
    FACT(mprotect(all, huge, RO));
    FACT(setrlimit(RLIMIT_DATA, &limit));
    FACT_OK((long)map(size, RW, MAP_PRIVATE, -1));
    FACT_OK((long)map(size, RW, MAP_SHARED, -1));
    char *at = map(size, RO, MAP_PRIVATE, -1);
    FACT(mprotect(at, size, RW));
    FACT(mprotect(at, PAGE, RW));
    FACT(mprotect(at, size, RO));
    FACT_OK((long)mremap(at, PAGE, size, MREMAP_MAYMOVE));
    char *small = map(4 << 20, RW, MAP_PRIVATE, -1);
    FACT_OK((long)mremap(small, 4 << 20, size, MREMAP_MAYMOVE));
    _exit(0);
}

static void of_space(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};
    fflush(stdout);
    if (fork() != 0) {
        wait(NULL);
        return;
    }
    char *at = map(40 << 20, RO, MAP_PRIVATE, -1), *to = map(40 << 20, PROT_NONE, MAP_PRIVATE, -1);
    munmap(to, 40 << 20);
    FACT(setrlimit(RLIMIT_AS, &limit));
    FACT_OK((long)map(40 << 20, RO, MAP_PRIVATE, -1));
    FACT_OK((long)mremap(at, 40 << 20, 80 << 20, MREMAP_MAYMOVE));
    FACT(mprotect(at, 40 << 20, RW));
    FACT_OK((long)mremap(at, 40 << 20, 40 << 20, MREMAP_MAYMOVE | MREMAP_FIXED, to)); // not more than before
    _exit(0);
}

static void present(const char *what, char *at, unsigned pages)
{
    unsigned char in[16] = {0};
    char text[17] = "";
    int error = mincore(at, pages * PAGE, in);
    for (unsigned i = 0; i < pages; i++) {
        text[i] = '0' + (in[i] & 1);
    }
    fact(what, "%s", error != 0 ? "?" : text);
}

static void of_locks(void)
{
    struct rlimit none = {0, 0}, some = {4 * PAGE, 4 * PAGE};
    fflush(stdout);
    if (fork() != 0) {
        wait(NULL);
        return;
    }
    int ro = open("plain", O_RDONLY);
    FACT(mlockall(MCL_FUTURE));
    char *at = map(4 * PAGE, PROT_NONE, MAP_PRIVATE, -1);
    present("nothing", at, 4);
    FACT(mprotect(at, 2 * PAGE, RW));
    present("writable at last", at, 4);
    char *file = map(2 * PAGE, RO, MAP_PRIVATE, ro);
    present("of a file", file, 2);
    at = mremap(at, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    fact("moved", "%s", at != MAP_FAILED ? write_to(at + 5 * PAGE) : "no");
    present("moved", at, 6);
    FACT(mlockall(MCL_FUTURE | MCL_ONFAULT));
    at = map(4 * PAGE, RW, MAP_PRIVATE, -1);
    present("on fault", at, 4);
    at = mremap(at, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    present("on fault, moved", at, 6);
    FACT(mlock(at, 2 * PAGE));
    present("and locked", at, 6);
    FACT(madvise(at, PAGE, MADV_DONTNEED));
    FACT(munlockall());
    munmap(at, 6 * PAGE);
    FACT(setrlimit(RLIMIT_MEMLOCK, &some));
    FACT_OK((long)map(8 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED, -1)); // root may
    FACT(munlockall());
    FACT(setuid(NOBODY));
    at = map(2 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED, -1);
    present("locked", at, 2);
    FACT_OK((long)map(3 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED, -1));
    FACT_OK((long)mmap(at, 3 * PAGE, RW, MAP_PRIVATE | MAP_LOCKED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    FACT_OK((long)mremap(at, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE));
    at = mremap(at, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    fact_success("mremap", (long)at);
    FACT(mlock(at, 4 * PAGE));
    FACT(mlock(map(PAGE, RW, MAP_PRIVATE, -1), PAGE));
    FACT(mlockall(MCL_CURRENT));
    FACT(mlockall(MCL_FUTURE));
    FACT_OK((long)map(PAGE, RW, MAP_PRIVATE, -1));
    FACT_OK((long)map(PAGE, RW, MAP_SHARED, -1));
    char *end = sbrk(0);
    FACT(brk(end + 4 * PAGE));
    FACT(munlockall());
    FACT(setrlimit(RLIMIT_MEMLOCK, &none));
    FACT_OK((long)map(PAGE, RW, MAP_PRIVATE | MAP_LOCKED, -1));
    FACT(mlock(at, PAGE));
    FACT(munlock(at, PAGE));
    _exit(0);
}

// A child that shares the space has limits of its own.
static __attribute__((noinline)) void limit_a_sharer(int which)
{
    if (vfork() == 0) {
        struct rlimit limit = {2, RLIM_INFINITY};
        setrlimit(which, &limit);
        _exit(0);
    }
    wait(NULL);
}

static void of_sharers(void)
{
    limit_a_sharer(RLIMIT_AS);
    limit_a_sharer(RLIMIT_DATA);
    limit_a_sharer(RLIMIT_MEMLOCK);
    limit_a_sharer(RLIMIT_NOFILE);
    char *at = map(1 << 20, RW, MAP_PRIVATE, -1);
    fact_success("beside a child with limits", (long)at);
    int fd = open("plain", O_RDONLY);
    fact("a descriptor", "%s", fd > 2 ? "opens" : strerrorname_np(errno));
    close(fd);
    munmap(at, 1 << 20);
}

int main(void)
{
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    of_read_only();
    of_other_modes();
    of_another();
    of_zeroes();
    of_several();
    of_a_mount();
    of_the_kernel();
    of_data();
    of_space();
    of_locks();
    of_sharers();
    return 0;
}
