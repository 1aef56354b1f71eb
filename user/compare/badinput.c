// Every call of kernel/syscall/syscalls.def with everything wrong in turn: each pointer, each bit of each flag word,
// each size. What is wrong must be refused in the same way, and the program must live.
#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>

#include "facts.h"

enum kind {
    NONE,
    NUMBER,
    FILE_,
    FOLDER,
    LENGTH,
    FLAG_BITS,
    CHOICE,
    SIGNAL_NUMBER,
    NAME,
    BUFFER,
    STRUCTURE,
    VECTOR,
    PLACE
};

struct argument {
    enum kind kind;
    const char *name;
};

static const struct call {
    int number;
    const char *name;
    struct argument arguments[6];
} calls[] = {
#define FD(name_) {FILE_, #name_}
#define FD_OR_CWD(name_) {FOLDER, #name_}
#define INT(name_) {NUMBER, #name_}
#define UINT(name_) {NUMBER, #name_}
#define SIZE(name_) {LENGTH, #name_}
#define FLAGS(name_, mask) {FLAG_BITS, #name_}
#define ENUM(name_, last) {CHOICE, #name_}
#define PID(name_) {NUMBER, #name_}
#define SIGNAL(name_) {SIGNAL_NUMBER, #name_}
#define PATH(name_) {NAME, #name_}
#define BUF_IN(name_, length) {BUFFER, #name_}
#define BUF_OUT(name_, length) {BUFFER, #name_}
#define STRUCT_IN(name_, size) {STRUCTURE, #name_}
#define STRUCT_OUT(name_, size) {STRUCTURE, #name_}
#define STRUCT_IN_OPT(name_, size) {STRUCTURE, #name_}
#define STRUCT_OUT_OPT(name_, size) {STRUCTURE, #name_}
#define VEC_IN(name_, count) {VECTOR, #name_}
#define ADDRESS(name_) {PLACE, #name_}
#define SYSCALL(number_, name_, ...) {number_, #name_, {__VA_ARGS__}},
#include "kernel/syscall/syscalls.def"
};

// Calls that end the caller, never come back, change the clock, or whose addresses are looked at in memory.c.
static const char *const left_out[] = {"exit",         "exit_group", "rt_sigreturn", "clone",           "clone3",
                                       "brk",          "mmap",       "munmap",       "mremap",          "msync",
                                       "mprotect",     "madvise",    "reboot",       "set_tid_address", "clock_settime",
                                       "settimeofday", "mlock",      "munlock",      "mincore"};

static char *arena; // pages: 0 good, 1 hole, 2 read-only, 3 hole, 4 good, 5 hole, 6 path and vector
#define GOOD arena
#define PATHNAME (arena + 6 * PAGE)
#define VECTOR_AT (arena + 6 * PAGE + 256)

static const struct {
    const char *name;
    long offset; // into the arena, or
    uint64_t address;
} pointers[] = {
    {"NULL", -1, 0},
    {"the kernel's half", -1, 0xffff800000200000},
    {"between the halves", -1, 0x0010000000000000},
    {"wrapping", -1, 0xffffffffffffffe0},
    {"the last page", -1, 0x0000fffffffff000},
    {"a hole", PAGE, 0},
    {"read-only", 2 * PAGE, 0},
    {"three bytes before a hole", 5 * PAGE - 3, 0},
};
#define COUNT(array) (sizeof(array) / sizeof(array[0]))

static bool is_left_out(const char *name)
{
    for (unsigned i = 0; i < COUNT(left_out); i++) {
        if (strcmp(name, left_out[i]) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t good_value(const struct argument *argument)
{
    switch (argument->kind) {
    case FILE_:
        return 10;
    case FOLDER:
        return (uint64_t)AT_FDCWD;
    case LENGTH:
        return strcmp(argument->name, "sigsetsize") == 0 ? 8 : 16;
    case NUMBER: // a resource whose limit may be anything
        return strcmp(argument->name, "resource") == 0 ? 13 : 0;
    case SIGNAL_NUMBER:
        return SIGUSR1;
    case NAME:
        return (uint64_t)PATHNAME;
    case VECTOR:
        return (uint64_t)VECTOR_AT;
    case BUFFER:
    case STRUCTURE:
    case PLACE:
        return (uint64_t)GOOD;
    default:
        return 0;
    }
}

// As before each attempt: descriptor 10 is an empty file, the pages hold what they should.
static void prepare(const struct call *call, uint64_t values[6])
{
    struct iovec vector = {GOOD, 16};
    memset(GOOD, 0, PAGE);
    strcpy(PATHNAME, "f");
    memcpy(VECTOR_AT, &vector, sizeof(vector));
    close(10);
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd != 10) {
        dup2(fd, 10);
        close(fd);
    }
    for (int i = 0; i < 6; i++) {
        values[i] = good_value(&call->arguments[i]);
    }
}

static long attempt(const struct call *call, const uint64_t values[6])
{
    errno = 0;
    long result = syscall(call->number, values[0], values[1], values[2], values[3], values[4], values[5]);
    return result > 0 && strcmp(call->name, "times") == 0 ? 0 : result; // what time it is differs
}

static void bad_pointers(const struct call *call, int which)
{
    for (unsigned i = 0; i < COUNT(pointers); i++) {
        char what[128];
        uint64_t values[6];
        prepare(call, values);
        values[which] = pointers[i].offset >= 0 ? (uint64_t)arena + (uint64_t)pointers[i].offset : pointers[i].address;
        snprintf(what, sizeof(what), "%s, %s is %s", call->name, call->arguments[which].name, pointers[i].name);
        fact_result(what, attempt(call, values));
    }
}

static void bad_sizes(const struct call *call, int which)
{
    static const struct {
        const char *name;
        uint64_t value;
    } sizes[] = {{"0", 0},           {"1", 1}, {"the largest", INT64_MAX}, {"-1", UINT64_MAX}, {"2^31", 1ul << 31},
                 {"2^32", 1ul << 32}};
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        char what[128];
        uint64_t values[6];
        prepare(call, values);
        values[which] = sizes[i].value;
        snprintf(what, sizeof(what), "%s, %s is %s", call->name, call->arguments[which].name, sizes[i].name);
        fact_result(what, attempt(call, values));
    }
}

// One line for each result: which bits give it.
static void bad_bits(const struct call *call, int which)
{
    int results[32];
    for (int bit = 0; bit < 32; bit++) {
        uint64_t values[6];
        prepare(call, values);
        values[which] = 1ul << bit;
        results[bit] = attempt(call, values) < 0 ? errno : 0;
    }
    for (int bit = 0; bit < 32; bit++) {
        char what[128];
        snprintf(what, sizeof(what), "%s, %s is 1<<%d", call->name, call->arguments[which].name, bit);
        fact(what, "%s", results[bit] == 0 ? "works" : strerrorname_np(results[bit]));
    }
}

static void try_all(const struct call *call)
{
    for (int i = 0; i < 6; i++) {
        switch (call->arguments[i].kind) {
        case NAME:
        case BUFFER:
        case STRUCTURE:
        case VECTOR:
        case PLACE:
            bad_pointers(call, i);
            break;
        case LENGTH:
            bad_sizes(call, i);
            break;
        case FLAG_BITS:
            bad_bits(call, i);
            break;
        default:
            break;
        }
    }
}

static void make_arena(void)
{
    arena = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(arena + PAGE, PAGE), munmap(arena + 3 * PAGE, PAGE), munmap(arena + 5 * PAGE, PAGE),
        munmap(arena + 7 * PAGE, PAGE);
    mprotect(arena + 2 * PAGE, PAGE, PROT_READ);
}

// In a child of its own, for what it changes and in case it never comes back.
static void look_at(const struct call *call)
{
    int status, left = 2000;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGUSR1, SIG_IGN);
        try_all(call);
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        nanosleep(&(struct timespec){0, 1000000}, NULL);
        if (--left == 0) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
    }
    if (status != 0) {
        fact_status(call->name, status);
    }
}

// A call that is refused leaves nothing behind.
static void nothing_half_done(void)
{
    char *hole = arena + PAGE, *edge = arena + 5 * PAGE - 3, text[8] = {0};
    int ends[2];
    FACT(syscall(SYS_pipe2, hole, 0));
    FACT(syscall(SYS_pipe2, edge, 0)); // the second descriptor does not fit
    FACT(dup(0));                      // none was left open
    pipe2(ends, O_NONBLOCK);
    write(ends[1], "abc", 3);
    FACT(read(ends[0], hole, 3));
    FACT(read(ends[0], text, 8));
    fact("still there", "%s", text);
    FACT(write(ends[1], hole, 3));
    FACT(read(ends[0], text, 8));
    int fd = open("half", O_CREAT | O_RDWR, 0600);
    FACT(write(fd, hole, 10));
    FACT(lseek(fd, 0, SEEK_END));
    write(fd, "0123456789", 10);
    FACT(pread(fd, hole, 10, 0));
    FACT(lseek(fd, 0, SEEK_SET));
    FACT(read(fd, hole, 10));
    FACT(lseek(fd, 0, SEEK_CUR));
    FACT(read(fd, edge, 10)); // three bytes fit
    FACT(lseek(fd, 0, SEEK_CUR));
    FACT(write(fd, edge, 10));
    FACT(lseek(fd, 0, SEEK_CUR));
    struct iovec parts[2] = {{text, 4}, {hole, 4}};
    FACT(writev(fd, parts, 2));
    FACT(writev(ends[1], parts, 2));
    FACT(readv(fd, parts, 2));
    int status;
    fflush(stdout);
    if (fork() == 0) {
        _exit(7);
    }
    FACT(syscall(SYS_wait4, -1, hole, 0, NULL) == -1 ? -1 : 0);
    FACT(wait(&status) == -1 ? -1 : 0); // whether the child was waited for
}

int main(void)
{
    make_arena();
    nothing_half_done();
    for (unsigned i = 0; i < COUNT(calls); i++) {
        if (!is_left_out(calls[i].name)) {
            look_at(&calls[i]);
        }
    }
    return 0;
}
