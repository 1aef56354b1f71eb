// What a program is told at its start, the kernel's own code in its space, and what lies where at random.
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/time.h>
#include <time.h>

#include "facts.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
#define NS 1000000000ll

static void words(void)
{
    static const int asked[] = {AT_PAGESZ, AT_CLKTCK, AT_FLAGS, AT_SECURE, AT_PHENT,
                                AT_UID,    AT_EUID,   AT_GID,   AT_EGID,   AT_MINSIGSTKSZ};
    static const int there[] = {AT_PHDR,     AT_PHNUM,        AT_ENTRY, AT_RANDOM, AT_EXECFN,
                                AT_PLATFORM, AT_SYSINFO_EHDR, AT_HWCAP, 200};
    for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        fact("word", "%d: %lu", asked[i], getauxval(asked[i]));
    }
    for (unsigned i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        fact("word", "%d: %s", there[i], getauxval(there[i]) != 0 ? "there" : "not there");
    }
    fact("platform", "%s", (const char *)getauxval(AT_PLATFORM));
    fact("hwcap", "%lx", getauxval(AT_HWCAP) & ~(1ul << 2 | 1ul << 11)); // but the event stream and emulated registers
    fact("hwcap2", "%lx", getauxval(AT_HWCAP2));
}

static const Elf64_Ehdr *image;

static void *find(const char *name)
{
    const char *base = (const char *)image, *strings = NULL;
    const Elf64_Phdr *headers = (const void *)(base + image->e_phoff);
    const Elf64_Sym *symbols = NULL;
    const Elf32_Word *hash = NULL;
    for (int i = 0; i < image->e_phnum; i++) {
        const Elf64_Dyn *at = (const void *)(base + headers[i].p_offset);
        for (; headers[i].p_type == PT_DYNAMIC && at->d_tag != DT_NULL; at++) {
            symbols = at->d_tag == DT_SYMTAB ? (const void *)(base + at->d_un.d_ptr) : symbols;
            strings = at->d_tag == DT_STRTAB ? base + at->d_un.d_ptr : strings;
            hash = at->d_tag == DT_HASH ? (const void *)(base + at->d_un.d_ptr) : hash;
        }
    }
    for (Elf32_Word i = 0; hash != NULL && i < hash[1]; i++) {
        if (symbols[i].st_shndx != SHN_UNDEF && strcmp(strings + symbols[i].st_name, name) == 0) {
            return (void *)(base + symbols[i].st_value);
        }
    }
    return NULL;
}

static long long of(struct timespec time)
{
    return time.tv_sec * NS + time.tv_nsec;
}

static void calls(void)
{
    image = (const void *)getauxval(AT_SYSINFO_EHDR);
    fact("an ELF image", "%d", memcmp(image->e_ident, ELFMAG, SELFMAG) == 0);
    fact("a shared object", "%d of machine %d", image->e_type, image->e_machine);
    long (*gettime)(int, struct timespec *) = find("__kernel_clock_gettime");
    long (*getres)(int, struct timespec *) = find("__kernel_clock_getres");
    long (*gettimeofday_)(struct timeval *, struct timezone *) = find("__kernel_gettimeofday");
    fact("sigreturn", "%d", find("__kernel_rt_sigreturn") != NULL);
    fact("nothing else", "%d", find("__kernel_getpid") == NULL);
    if (gettime == NULL || getres == NULL || gettimeofday_ == NULL) {
        fact("calls", "missing");
        return;
    }
    for (int clock = 0; clock <= 12; clock++) {
        if (clock == 8 || clock == 9) {
            continue;
        }
        struct timespec before = {0, 0}, at = {0, 0}, after = {0, 0}, step = {9, 9}, asked = {9, 9};
        syscall(SYS_clock_gettime, clock, &before);
        long result = gettime(clock, &at);
        syscall(SYS_clock_gettime, clock, &after);
        fact("clock", "%d", clock);
        fact(" gives", "%ld", result);
        fact(" between two calls", "%d", of(before) <= of(at) && of(at) <= of(after));
        fact(" step", "%ld", getres(clock, &step));
        syscall(SYS_clock_getres, clock, &asked);
        fact(" is", "%d", of(step) == of(asked));
    }
    struct timespec unused;
    fact("clock -1", "%ld", gettime(-1, &unused));
    fact("clock 99", "%ld", gettime(99, &unused));
    fact("no place", "%ld", getres(CLOCK_MONOTONIC, NULL));
    struct timeval day;
    struct timezone zone = {5, 5};
    struct timespec real;
    fact("the day", "%ld", gettimeofday_(&day, &zone));
    clock_gettime(CLOCK_REALTIME, &real);
    fact("is today", "%d", of(real) - day.tv_sec * NS - day.tv_usec * 1000ll < NS && zone.tz_minuteswest == 0);
    fact("nothing asked", "%ld", gettimeofday_(NULL, NULL));
    // A set clock is seen at once.
    struct timespec set = {1600000000, 0};
    clock_settime(CLOCK_REALTIME, &set);
    gettime(CLOCK_REALTIME, &real);
    fact("after it was set", "%d", real.tv_sec == 1600000000);
    long long last = 0, back = 0;
    for (int i = 0; i < 20000; i++) {
        gettime(CLOCK_MONOTONIC, &real);
        back += of(real) < last;
        last = of(real);
    }
    fact("goes back", "%lld", back);
}

static volatile int handled;

static void handler(int signal)
{
    handled += signal == SIGUSR1;
}

// Without SA_RESTORER: the handler returns to the kernel's code.
static void returning(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } action = {handler, 0, 0, 0};
    FACT(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
    }
    fact("handled", "%d", handled);
}

struct places {
    void *stack, *heap, *mapping, *vdso;
};

static struct places look(const char *program, unsigned long persona)
{
    struct places places = {0};
    int ends[2], status;
    pipe(ends);
    fflush(stdout);
    if (fork() == 0) {
        dup2(ends[1], 9);
        personality(persona);
        execl(program, program, "places", NULL);
        _exit(1);
    }
    close(ends[1]);
    wait(&status);
    read(ends[0], &places, sizeof(places));
    close(ends[0]);
    return places;
}

static void chance(const char *program)
{
    for (int fixed = 0; fixed < 2; fixed++) {
        struct places first = look(program, fixed ? ADDR_NO_RANDOMIZE : 0);
        int differs[4] = {0};
        for (int i = 0; i < 6; i++) {
            struct places again = look(program, fixed ? ADDR_NO_RANDOMIZE : 0);
            differs[0] |= again.stack != first.stack, differs[1] |= again.heap != first.heap;
            differs[2] |= again.mapping != first.mapping, differs[3] |= again.vdso != first.vdso;
        }
        fact(fixed ? "fixed" : "at random", "stack %d heap %d mapping %d code %d", differs[0], differs[1], differs[2],
             differs[3]);
    }
    FACT(personality(0xffffffff));
    FACT(personality(ADDR_NO_RANDOMIZE));
    FACT(personality(0xffffffff));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct places places = {&argc, sbrk(0), mmap(NULL, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                                (void *)getauxval(AT_SYSINFO_EHDR)};
        return write(9, &places, sizeof(places)) == sizeof(places) ? 0 : 1;
    }
    words();
    returning();
    calls();
    chance(argv[0]);
    return 0;
}
