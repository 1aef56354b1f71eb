// /bin/prog on the booted kernel: `prog serve WORD` runs programs from a window of shared memory for ever; anything
// else is what a program's own execve(2) started, and ends at once.
#include "user/prog/flat.h"
#include "user/prog/window.h"

#define AT_FDCWD (-100)
#define O_RDWR 2
#define O_CREAT 0100
#define PROT_READ_WRITE 3
#define MAP_SHARED 1
#define EXECUTED 42
#define EBUSY 16
#define EINVAL 22

int64_t flat_call_raw(uint64_t number, const uint64_t *arguments);
int main(int argc, char **argv);

int64_t prog_machine_call(uint64_t number, const uint64_t arguments[PROG_ARGUMENTS])
{
    return flat_call_raw(number, arguments);
}

bool prog_machine_fail_nth(unsigned nth)
{
    int64_t file = flat_call(FLAT_openat, AT_FDCWD, flat_word("/proc/thread-self/fail-nth"), O_RDWR, 0, 0);
    if (file < 0) {
        return false;
    }
    char text[4];
    unsigned length = 0;
    for (unsigned unit = 100; unit != 0; unit /= 10) {
        text[length++] = (char)('0' + nth / unit % 10);
    }
    int64_t written = flat_call(FLAT_write, file, flat_word(text), length, 0, 0);
    flat_call(FLAT_close, file, 0, 0, 0, 0);
    return written == length;
}

// The frame: siginfo, then a ucontext whose registers are x0 to x30, sp, pc.
struct flat_registers flat_registers(void *frame)
{
    uint64_t *registers = (uint64_t *)((char *)frame + 128 + 184);
    return (struct flat_registers){.pc = registers + 32, .sp = registers + 31, .result = registers};
}

static bool equal(const char *a, const char *b)
{
    for (; *a != 0 && *a == *b; a++, b++) {
    }
    return *a == *b;
}

bool flat_put_back(void)
{
    flat_call(FLAT_sethostname, (int64_t)flat_word("faultline"), 9, 0, 0, 0);
    return flat_call(FLAT_umount2, (int64_t)flat_word("/w"), 0, 0, 0, 0) == 0;
}

static uint64_t number_of(const char *text)
{
    uint64_t number = 0;
    for (; *text != 0; text++) {
        number = number * 16 + (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
    }
    return number;
}

static int serve(uint64_t word)
{
    flat_call(FLAT_mkdirat, AT_FDCWD, flat_word("/w"), 0755, 0, 0);
    flat_call(FLAT_mkdirat, AT_FDCWD, flat_word("/run"), 0755, 0, 0);
    int64_t file = flat_call(FLAT_openat, AT_FDCWD, flat_word("/run/window"), O_RDWR | O_CREAT, 0600, 0);
    if (file < 0 || flat_call(FLAT_ftruncate, file, WINDOW_SIZE, 0, 0, 0) != 0) {
        return 1;
    }
    const uint64_t map[PROG_ARGUMENTS] = {0, WINDOW_SIZE, PROT_READ_WRITE, MAP_SHARED, (uint64_t)file, 0};
    int64_t base = prog_machine_call(FLAT_mmap, map);
    if (base < 0 && base > -4096) {
        return 1;
    }
    for (uint64_t page = 0; page < WINDOW_SIZE / 4096; page++) {
        uint64_t *words = (uint64_t *)((uint64_t)base + page * 4096);
        words[1] = word;
        words[2] = page;
        __atomic_store_n(words, WINDOW_MARK, __ATOMIC_RELEASE);
    }
    // Mapped anew, so that a fork does not copy what has not been used since.
    flat_call(FLAT_munmap, base, WINDOW_SIZE, 0, 0, 0);
    base = prog_machine_call(FLAT_mmap, map);
    flat_call(FLAT_close, file, 0, 0, 0, 0);
    window_serve((struct window_slot *)base);
}

int main(int argc, char **argv)
{
    return argc == 3 && equal(argv[1], "serve") && flat_call(FLAT_geteuid, 0, 0, 0, 0, 0) == 0
               ? serve(number_of(argv[2]))
               : EXECUTED;
}
