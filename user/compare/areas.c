// What programs say of their memory and ask of it: rights, locks, presence, advice, limits, barriers.
#include <fcntl.h>
#include <sys/resource.h>

#include "facts.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int prot)
{
    return mmap(NULL, pages * PAGE, prot, ANONYMOUS, -1, 0);
}

// Writable and executable at once: code that is written is run.
static void written_code(void)
{
    static const unsigned code[] = {0x52800540, 0xd65f03c0}; // mov w0, #42; ret
    unsigned *at = mmap(NULL, 2 * PAGE, RW | PROT_EXEC, ANONYMOUS, -1, 0);
    FACT_OK(at);
    for (unsigned i = 0; i < 5; i++) {
        at[0] = code[0] + (i << 5), at[1] = code[1];
        __builtin___clear_cache((char *)at, (char *)(at + 2));
        fact("returns", "%d", ((int (*)(void))at)());
    }
    FACT(mprotect(at, 2 * PAGE, PROT_READ | PROT_EXEC));
    fact("returns", "%d", ((int (*)(void))at)());
    FACT(mprotect(at, 2 * PAGE, RW | PROT_EXEC));
    at[0] = code[0], at[1] = code[1];
    __builtin___clear_cache((char *)at, (char *)(at + 2));
    fact("returns", "%d", ((int (*)(void))at)());
    munmap(at, 2 * PAGE);
}

static void flags(void)
{
    FACT_OK(mmap(NULL, PAGE, RW, ANONYMOUS | MAP_NORESERVE | MAP_STACK | MAP_POPULATE, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW, 3 | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW, 4 | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW | 0x1000, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW, ANONYMOUS | 0x40000000, -1, 0));
    FACT_OK(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    FACT_OK(mmap(NULL, 1ul << 43, RW, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 1ul << 43, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 1ul << 43, PROT_READ, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 1ul << 43, RW, ANONYMOUS | MAP_NORESERVE, -1, 0));
    int fd = open("a", O_CREAT | O_RDWR, 0600);
    ftruncate(fd, 3 * PAGE);
    FACT_OK(mmap(NULL, PAGE, RW, 3, fd, 0));
    FACT_OK(mmap(NULL, PAGE, RW, 3 | 0x40000000, fd, 0));
    FACT_OK(mmap(NULL, PAGE, RW, 5, fd, 0));
    FACT_OK(mmap(NULL, PAGE, RW, 0, fd, 0));
    FACT_OK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, -PAGE));
    FACT_OK(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0));
    FACT_OK(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_GROWSDOWN, fd, 0));
    unlink("a");
    close(fd);
}

static void residence(void)
{
    unsigned char in[4] = {9, 9, 9, 9};
    char *at = map(4, RW);
    at[PAGE] = 1;
    FACT(mincore(at, 4 * PAGE, in));
    fact("present", "%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    FACT(mincore(at, 1, in));
    FACT(mincore(at, 0, in));
    FACT(mincore(at + 1, PAGE, in));
    FACT(mincore(at, 4 * PAGE, NULL));
    munmap(at + 2 * PAGE, PAGE);
    FACT(mincore(at, 4 * PAGE, in));
    FACT(mincore((void *)0xffff000000000000, PAGE, in));
    char *full = mmap(NULL, 4 * PAGE, RW, ANONYMOUS | MAP_POPULATE, -1, 0);
    FACT(mincore(full, 4 * PAGE, in));
    fact("populated", "%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    FACT(madvise(full, 2 * PAGE, MADV_DONTNEED));
    FACT(mincore(full, 4 * PAGE, in));
    fact("forgotten", "%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    munmap(at, 4 * PAGE), munmap(full, 4 * PAGE);
}

static void locks(void)
{
    unsigned char in[4] = {9, 9, 9, 9};
    char *at = map(4, RW);
    FACT(mlock(at, 2 * PAGE));
    FACT(mincore(at, 4 * PAGE, in));
    fact("locked", "%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    FACT(madvise(at, PAGE, MADV_DONTNEED));
    FACT(madvise(at, PAGE, MADV_COLD));
    FACT(munlock(at, 2 * PAGE));
    FACT(madvise(at, PAGE, MADV_DONTNEED));
    FACT(mlock(at + 100, 10));
    FACT(munlock(at + 100, 10));
    FACT(mlock(at, 0));
    FACT(mlock2(at, PAGE, 0));
    FACT(mlock2(at + 3 * PAGE, PAGE, 1));
    FACT(mincore(at + 3 * PAGE, PAGE, in));
    fact("on fault", "%d", in[0] & 1);
    FACT(mlock2(at, PAGE, 2));
    FACT(munlock(at, 4 * PAGE));
    munmap(at + PAGE, PAGE);
    FACT(mlock(at, 4 * PAGE));
    FACT(munlock(at, 4 * PAGE));
    FACT(mlock((void *)-PAGE, 2 * PAGE));
    FACT(mlockall(0));
    FACT(mlockall(8));
    FACT(mlockall(MCL_ONFAULT));
    FACT(mlockall(MCL_FUTURE));
    char *more = map(4, RW);
    FACT(mincore(more, 4 * PAGE, in));
    fact("to come", "%d %d %d %d", in[0] & 1, in[1] & 1, in[2] & 1, in[3] & 1);
    FACT(munlockall());
    munmap(more, 4 * PAGE), munmap(at, 4 * PAGE);
    at = map(2, PROT_NONE);
    FACT(mlock(at, 2 * PAGE));
    munmap(at, 2 * PAGE);
}

static void advice(void)
{
    static const int kinds[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 26, 102, -1};
    char *at = map(4, RW);
    int fd = open("a", O_CREAT | O_RDWR, 0600);
    ftruncate(fd, 4 * PAGE);
    char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), *own = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        fact("advice", "%d", kinds[i]);
        fact_result(" anonymous", madvise(at, 2 * PAGE, kinds[i]));
        fact_result(" shared", madvise(shared, 2 * PAGE, kinds[i]));
        fact_result(" private", madvise(own, 2 * PAGE, kinds[i]));
        fact_result(" of nothing", madvise(at, 0, kinds[i]));
    }
    madvise(at, 4 * PAGE, 11), madvise(at, 4 * PAGE, 19), madvise(own, 4 * PAGE, 11);
    strcpy(at, "one"), strcpy(at + PAGE, "two");
    FACT(madvise(at + PAGE, PAGE, 18));
    FACT(madvise(at + 2 * PAGE, PAGE, 10));
    fflush(stdout);
    if (fork() == 0) {
        fact("a child has", "%s '%s'", at, at + PAGE);
        FACT(msync(at + 2 * PAGE, PAGE, MS_ASYNC));
        FACT(msync(at + 3 * PAGE, PAGE, MS_ASYNC));
        _exit(0);
    }
    wait(NULL);
    char *sealed = map(2, PROT_READ);
    FACT(madvise(sealed, PAGE, 22));
    FACT(madvise(sealed, PAGE, 23));
    FACT(madvise(shared + 4 * PAGE, PAGE, 22));
    ftruncate(fd, PAGE);
    FACT(madvise(shared, 4 * PAGE, 22));
    munmap(at, 4 * PAGE), munmap(shared, 4 * PAGE), munmap(own, 4 * PAGE), munmap(sealed, 2 * PAGE);
    FACT(msync(at, PAGE, MS_SYNC));
    FACT(msync((void *)1, PAGE, MS_SYNC));
    FACT(msync(NULL, 0, MS_SYNC));
    FACT(msync(NULL, 0, 8));
    unlink("a");
    close(fd);
}

static void barriers(void)
{
    FACT(syscall(SYS_membarrier, 0, 1, 0));
    fact("private", "%d", ((int)syscall(SYS_membarrier, 0, 0, 0) & 0x7f) == 0x7f);
    FACT(syscall(SYS_membarrier, 8, 0, 0));
    FACT(syscall(SYS_membarrier, 32, 0, 0));
    FACT(syscall(SYS_membarrier, 16, 0, 0));
    FACT(syscall(SYS_membarrier, 8, 0, 0));
    FACT(syscall(SYS_membarrier, 32, 0, 0));
    FACT(syscall(SYS_membarrier, 64, 0, 0));
    FACT(syscall(SYS_membarrier, 32, 0, 0));
    FACT(syscall(SYS_membarrier, 4, 0, 0));
    FACT(syscall(SYS_membarrier, 2, 0, 0));
    FACT(syscall(SYS_membarrier, 1, 0, 0));
    FACT(syscall(SYS_membarrier, 3, 0, 0));
    FACT(syscall(SYS_membarrier, 1 << 20, 0, 0));
}

static void one_limit(const char *name, int which)
{
    struct rlimit limit = {1, 1};
    fact_result(name, getrlimit(which, &limit));
    bool varies = which == RLIMIT_NPROC || which == RLIMIT_SIGPENDING; // with the size of memory
    fact(" soft", "%lld", varies ? 0 : (long long)limit.rlim_cur);
    fact(" hard", "%lld", varies ? 0 : (long long)limit.rlim_max);
}

static int deep(int left)
{
    volatile char room[4096];
    room[0] = (char)left;
    return left == 0 ? 0 : deep(left - 1) + room[0] - (char)left;
}

static void in_child(const char *what, void (*body)(void))
{
    int status;
    fflush(stdout);
    if (fork() == 0) {
        body();
        _exit(0);
    }
    wait(&status);
    fact_status(what, status);
}

static void small_space(void)
{
    struct rlimit limit = {64 << 20, RLIM_INFINITY};
    FACT(setrlimit(RLIMIT_AS, &limit));
    FACT_OK(mmap(NULL, 80 << 20, RW, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 80 << 20, PROT_NONE, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 8 << 20, RW, ANONYMOUS, -1, 0));
    FACT_OK(sbrk(80 << 20));
}

static void little_data(void)
{
    struct rlimit limit = {16 << 20, RLIM_INFINITY};
    FACT(setrlimit(RLIMIT_DATA, &limit));
    FACT_OK(mmap(NULL, 20 << 20, RW, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 20 << 20, PROT_READ, ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 20 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 4 << 20, RW, ANONYMOUS, -1, 0));
    FACT_OK(sbrk(20 << 20));
}

static void short_stack(void)
{
    struct rlimit limit = {256 << 10, RLIM_INFINITY};
    FACT(setrlimit(RLIMIT_STACK, &limit));
    deep(40);
    fact("forty pages", "are there");
    deep(100);
    fact("hundred pages", "are there");
}

static void limits(void)
{
    one_limit("cpu", RLIMIT_CPU), one_limit("file size", RLIMIT_FSIZE), one_limit("data", RLIMIT_DATA);
    one_limit("stack", RLIMIT_STACK), one_limit("core", RLIMIT_CORE), one_limit("rss", RLIMIT_RSS);
    one_limit("processes", RLIMIT_NPROC), one_limit("files", RLIMIT_NOFILE), one_limit("locked", RLIMIT_MEMLOCK);
    one_limit("space", RLIMIT_AS), one_limit("locks", RLIMIT_LOCKS), one_limit("signals", RLIMIT_SIGPENDING);
    one_limit("queues", RLIMIT_MSGQUEUE), one_limit("nice", RLIMIT_NICE), one_limit("real time", RLIMIT_RTPRIO);
    one_limit("real time ns", RLIMIT_RTTIME), one_limit("beyond", 16);
    struct rlimit limit = {5, 4};
    FACT(setrlimit(RLIMIT_CORE, &limit));
    limit.rlim_cur = 3;
    FACT(setrlimit(RLIMIT_CORE, &limit));
    one_limit("core", RLIMIT_CORE);
    FACT(syscall(SYS_prlimit64, 999999, RLIMIT_CORE, NULL, NULL));
    FACT(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL));
    FACT(syscall(SYS_prlimit64, 0, 16, NULL, NULL));
    FACT(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, NULL));
    FACT(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 8));
    FACT(syscall(SYS_getrlimit, RLIMIT_CORE, &limit));
    limit.rlim_max = 1 << 21;
    FACT(setrlimit(RLIMIT_NOFILE, &limit));
    in_child("a small space", small_space);
    in_child("little data", little_data);
    in_child("a short stack", short_stack);
}

static void as_somebody(void)
{
    struct rlimit limit = {8 * PAGE, 8 * PAGE};
    char *at = map(16, RW);
    FACT(setrlimit(RLIMIT_MEMLOCK, &limit));
    FACT(setresuid(1000, 1000, 1000));
    FACT(mlock(at, 4 * PAGE));
    FACT(mlock(at, 8 * PAGE));
    FACT(mlock(at, 9 * PAGE));
    FACT(mlock2(at + 8 * PAGE, PAGE, 1));
    FACT(mlockall(MCL_CURRENT));
    limit.rlim_max = 9 * PAGE;
    FACT(setrlimit(RLIMIT_MEMLOCK, &limit));
    FACT(syscall(SYS_prlimit64, 1, RLIMIT_CORE, NULL, &limit));
}

int main(void)
{
    written_code();
    flags();
    residence();
    locks();
    advice();
    barriers();
    limits();
    in_child("somebody", as_somebody);
    return 0;
}
