// What a fault says to its handler: signal, code, and whether the address is the one that it was about.
#include <fcntl.h>
#include <setjmp.h>
#include <ucontext.h>

#include "facts.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;
static volatile int seen_signal, seen_code;
static void *volatile seen_address;
static volatile uint64_t seen_pc;

static void handler(int signal, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    seen_signal = signal, seen_code = info->si_code, seen_address = info->si_addr;
    seen_pc = user->uc_mcontext.pc;
    siglongjmp(back, 1);
}

static void told(const char *what, const void *address)
{
    fact(what, "signal %d code %d address %s", seen_signal, seen_code,
         seen_address == address             ? "right"
         : (uint64_t)seen_address == seen_pc ? "of the instruction"
                                             : "wrong");
}

#define TRY(what, address, ...)                                                                                        \
    do {                                                                                                               \
        seen_signal = seen_code = 0;                                                                                   \
        if (sigsetjmp(back, 1) == 0) {                                                                                 \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
        told(what, address);                                                                                           \
    } while (0)

static void touch(const char *what, volatile char *at)
{
    char text[100];
    snprintf(text, sizeof(text), "read %s", what);
    TRY(text, (void *)at, (void)*at);
    snprintf(text, sizeof(text), "write %s", what);
    TRY(text, (void *)at, *at = 1);
    snprintf(text, sizeof(text), "run %s", what);
    TRY(text, (void *)((uint64_t)at & ~3ul), ((void (*)(void))((uint64_t)at & ~3ul))());
}

static void memory(void)
{
    char *at = mmap(NULL, 4 * PAGE, RW, ANONYMOUS, -1, 0);
    touch("nothing at NULL", (char *)8);
    touch("the kernel's half", (char *)0xffff000000001234);
    touch("no address", (char *)0x0123456789abcdef);
    touch("the last of user space", (char *)0xfffffffff7f8);
    munmap(at + PAGE, PAGE);
    touch("a hole", at + PAGE + 0x123);
    touch("data", at + 0x40);
    mprotect(at, PAGE, PROT_READ);
    touch("what is read-only", at + 0x80);
    mprotect(at, PAGE, PROT_NONE);
    touch("what nobody may", at + 0x84);
    mprotect(at, PAGE, PROT_WRITE);
    TRY("read what is for writing", at, (void)*(volatile char *)at);
    int fd = open("f", O_CREAT | O_RDWR, 0600);
    ftruncate(fd, 100);
    char *file = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0), *own = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);
    TRY("behind the end in its page", NULL, file[200] = 1);
    TRY("behind the end, shared", file + PAGE + 8, file[PAGE + 8] = 1);
    TRY("behind the end, private", own + 2 * PAGE, (void)*(volatile char *)(own + 2 * PAGE));
    ftruncate(fd, 0);
    TRY("what was cut off", file + 50, (void)*(volatile char *)(file + 50));
    unlink("f");
    close(fd);
}

// The top byte of a pointer is the program's own.
static void tags(void)
{
    volatile char *at = mmap(NULL, PAGE, RW, ANONYMOUS, -1, 0);
    volatile char *tagged = (volatile char *)((uint64_t)at | 0x5aul << 56);
    TRY("through a tag", NULL, *tagged = 7);
    fact("arrived", "%d", *at);
    munmap((void *)at, PAGE);
    TRY("a tag to nothing", (void *)at, *tagged = 7);
    FACT(write(1, (void *)tagged, 1));
}

static void alignment(void)
{
    char *at = mmap(NULL, PAGE, RW, ANONYMOUS, -1, 0);
    TRY("an odd word", NULL, *(volatile uint64_t *)(at + 3) = 1);
    TRY("an odd exclusive", at + 4, asm volatile("ldxr x0, [%0]" ::"r"(at + 4) : "x0", "memory"));
    TRY("an odd acquire", at + 3, asm volatile("ldar x0, [%0]" ::"r"(at + 3) : "x0", "memory"));
    TRY("an odd program counter", at + 2, asm volatile("br %0" ::"r"(at + 2)));
    uint64_t sp = 0;
    asm volatile("mov %0, sp" : "=r"(sp));
    // The handler runs on a stack of its own.
    static char stack[32768] __attribute__((aligned(16)));
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&alternate, NULL);
    seen_signal = 0;
    if (sigsetjmp(back, 1) == 0) {
        asm volatile("mov x1, sp\n\tsub x0, x1, #8\n\tmov sp, x0\n\tldr x2, [sp]\n\tmov sp, x1" ::
                         : "x0", "x1", "x2", "memory");
    }
    fact("an odd stack pointer", "signal %d code %d", seen_signal, seen_code);
}

static void instructions(void)
{
    TRY("undefined", NULL, asm volatile(".inst 0x00000000"));
    TRY("a system register", NULL, asm volatile("mrs x0, sctlr_el1" :: : "x0"));
    TRY("an instruction of the kernel's", NULL, asm volatile("msr daifset, #2"));
    TRY("hvc", NULL, asm volatile("hvc #0"));
    TRY("smc", NULL, asm volatile(".inst 0xd4000003"));
    TRY("brk 0", NULL, asm volatile("brk #0"));
    TRY("brk 1000", NULL, asm volatile("brk #1000"));
    int zero = (int)strtol("0", NULL, 10);
    seen_signal = 0;
    if (sigsetjmp(back, 1) == 0) {
        int result;
        asm volatile("sdiv %w0, %w1, %w2" : "=r"(result) : "r"(7), "r"(zero));
        fact("seven by zero", "%d", result);
    }
    fact("signal", "%d", seen_signal);
}

static void calls(void)
{
    char *at = mmap(NULL, 2 * PAGE, RW, ANONYMOUS, -1, 0);
    int ends[2];
    pipe(ends);
    munmap(at + PAGE, PAGE);
    seen_signal = 0;
    write(ends[1], "something", 9);
    FACT(write(ends[1], at + PAGE - 10, 20));
    FACT(write(ends[1], at + PAGE, 20));
    FACT(read(ends[0], at + PAGE, 5));
    FACT(read(ends[0], (void *)0xffff000000000000, 5));
    fact("calls raise", "%d", seen_signal);
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &action, NULL);
    }
    memory();
    tags();
    alignment();
    instructions();
    calls();
    return 0;
}
