// mmap, munmap, mprotect, mremap, madvise, msync, brk: results, contents, and what is refused.
#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"

static char *map(size_t pages)
{
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// How a child that reads or writes there ends.
static void touch(const char *what, volatile char *at, bool write)
{
    int status;
    fflush(stdout);
    if (fork() == 0) {
        if (write) {
            *at = 1;
        } else {
            (void)*at;
        }
        _exit(0);
    }
    wait(&status);
    fact_status(what, status);
}

static void arguments(void)
{
    FACT_OK(mmap(NULL, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, -1ul, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, 1ul << 48, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, PAGE, 3, MAP_ANONYMOUS, -1, 0));
    FACT_OK(mmap(NULL, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1));
    FACT_OK(mmap(NULL, PAGE, 3, MAP_PRIVATE, -1, 0));
    FACT_OK(mmap(NULL, PAGE, 3, MAP_PRIVATE, 99, 0));
    FACT_OK(mmap((void *)1, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    FACT_OK(mmap((void *)0xffff000000000000, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    FACT_OK(mmap((void *)0xfffffffff000, 2 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    FACT_OK(mmap(NULL, 1, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    char *at = map(3);
    FACT_OK(mmap(at + PAGE, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    FACT(munmap(at + PAGE, PAGE));
    FACT_OK(mmap(at + PAGE, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    FACT(munmap(at + 1, PAGE));
    FACT(munmap(at, 0));
    FACT(munmap(at, 3 * PAGE));
    FACT(munmap(at, 3 * PAGE));
    FACT(munmap((void *)0xffff000000000000, PAGE));
    FACT(mprotect(at, PAGE, PROT_READ));
    FACT(mprotect(at + 1, PAGE, PROT_READ));
    FACT(mprotect(at, 0, PROT_READ));
    FACT(mprotect(at, PAGE, 0x100));
    FACT(madvise(at, PAGE, 9999));
    FACT(madvise(at + 1, PAGE, MADV_DONTNEED));
    FACT(madvise(at, PAGE, MADV_DONTNEED));
    FACT(msync(at, PAGE, MS_SYNC));
    FACT(msync(at, PAGE, MS_SYNC | MS_ASYNC));
    FACT(msync(at, PAGE, 0x100));
}

static void protections(void)
{
    char *at = map(4);
    at[0] = 1, at[PAGE] = 2;
    FACT(mprotect(at, PAGE, PROT_READ));
    touch("read-only, read", at, false);
    touch("read-only, written", at, true);
    FACT(mprotect(at, PAGE, PROT_NONE));
    touch("none, read", at, false);
    FACT(mprotect(at, 4 * PAGE, PROT_READ | PROT_WRITE));
    fact("contents stay", "%d %d", at[0], at[PAGE]);
    FACT(munmap(at + PAGE, PAGE));
    touch("a hole", at + PAGE, false);
    FACT(mprotect(at, 4 * PAGE, PROT_READ)); // as far as the hole
    touch("before the hole", at, true);
    touch("behind the hole", at + 2 * PAGE, true);
    FACT(madvise(at, 4 * PAGE, MADV_DONTNEED));
    munmap(at, 4 * PAGE);
    at = map(2);
    at[5] = 9;
    FACT(madvise(at, PAGE, MADV_DONTNEED));
    fact("dropped", "%d", at[5]);
    munmap(at, 2 * PAGE);
}

static void moves(void)
{
    char *at = map(2), *moved;
    at[0] = 3, at[PAGE] = 4;
    FACT_OK(mremap(at + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    FACT_OK(mremap(at, PAGE, 0, 0));
    FACT_OK(mremap(at, PAGE, PAGE, 0x100));
    FACT_OK(moved = mremap(at, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE));
    fact("grown", "%d %d %d", moved[0], moved[PAGE], moved[63 * PAGE]);
    FACT_OK(at = mremap(moved, 64 * PAGE, PAGE, 0));
    fact("shrunk in place", "%d %d", at == moved, at[0]);
    touch("what was behind", at + PAGE, false);
    char *there = map(1);
    FACT_OK(mremap(at, PAGE, PAGE, MREMAP_FIXED, there));
    FACT_OK(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, there));
    fact("moved", "%d", there[0]);
    touch("where it was", at, false);
    FACT_OK(mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    munmap(there, PAGE);
}

static void files(void)
{
    struct stat status;
    int fd = open("m", O_CREAT | O_RDWR, 0600), reader = open("m", O_RDONLY), writer = open("m", O_WRONLY);
    char text[PAGE] = "from the file";
    write(fd, text, PAGE);
    char *shared = mmap(NULL, 2 * PAGE, 3, MAP_SHARED, fd, 0), *own = mmap(NULL, PAGE, 3, MAP_PRIVATE, fd, 0);
    FACT_OK(shared);
    FACT_OK(own);
    FACT_OK(mmap(NULL, PAGE, 3, MAP_SHARED, reader, 0));
    FACT_OK(mmap(NULL, PAGE, 1, MAP_SHARED, reader, 0));
    FACT_OK(mmap(NULL, PAGE, 3, MAP_PRIVATE, reader, 0));
    FACT_OK(mmap(NULL, PAGE, 1, MAP_PRIVATE, writer, 0));
    FACT_OK(mmap(NULL, PAGE, 1, MAP_PRIVATE, fd, 7));
    own[0] = 'O';
    fact("a private page", "%.4s and the file %.4s", own, shared);
    shared[1] = 'R';
    pread(fd, text, 4, 0);
    fact("a shared page", "%.4s in the file", text);
    pwrite(fd, "W", 1, 2);
    fact("a write", "%.4s in the page, %.4s in the private one", shared, own);
    touch("behind the end", shared + PAGE, false);
    FACT(close(fd));
    fact("after close", "%.4s", shared);
    FACT(msync(shared, PAGE, MS_SYNC));
    FACT(unlink("m"));
    fact("after unlink", "%.4s", shared);
    FACT(fstat(reader, &status));
    fact("links", "%ld", (long)status.st_nlink);
    munmap(shared, 2 * PAGE), munmap(own, PAGE), close(reader), close(writer);
}

static void program_break(void)
{
    char *start = sbrk(0);
    FACT_OK(sbrk(3 * PAGE));
    start[0] = 1, start[3 * PAGE - 1] = 2;
    fact("grown", "%d", (char *)sbrk(0) - start == 3 * PAGE);
    FACT_OK(sbrk(-2 * (long)PAGE));
    fact("shrunk", "%d %d", (char *)sbrk(0) - start == PAGE, start[0]);
    FACT_OK(sbrk(PAGE));
    fact("zero again", "%d", start[2 * PAGE - 1]);
    FACT_OK(sbrk(1l << 46));
    fact("stays", "%d", (char *)sbrk(0) - start == 2 * PAGE);
}

static void copies(void)
{
    int status;
    char *at = map(64);
    memset(at, 1, 64 * PAGE);
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            for (int page = i; page < 64; page += 3) {
                at[page * PAGE] = (char)(10 + i);
            }
            long sum = 0;
            for (int page = 0; page < 64; page++) {
                sum += at[page * PAGE];
            }
            fact("a child sees", "%ld", sum);
            _exit(0);
        }
        wait(&status);
    }
    long sum = 0;
    for (int page = 0; page < 64; page++) {
        sum += at[page * PAGE];
    }
    fact("the parent sees", "%ld", sum);
}

static int deep(int left)
{
    volatile char room[1024];
    room[0] = (char)left;
    return left == 0 ? 0 : deep(left - 1) + room[0] - (char)left;
}

static void stacks(void)
{
    int status;
    fact("a deep stack", "%d", deep(4000));
    fflush(stdout);
    if (fork() == 0) {
        deep(100000000);
        _exit(0);
    }
    wait(&status);
    fact_status("a stack without end", status);
}

int main(void)
{
    arguments();
    protections();
    moves();
    files();
    program_break();
    copies();
    stacks();
    return 0;
}
