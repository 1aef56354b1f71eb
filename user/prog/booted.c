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
#define S_IFCHR 0020000u
#define MOUNTS_ROOM 8192u
#define MOUNTS_MAX 64u

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

// The root directory as harness/world_user.c makes it.
int flat_prepare(void)
{
    static const struct {
        const char *name;
        uint32_t mode, device;
    } files[] = {{"/w/bin", 0755, 0},
                 {"/w/dev", 0755, 0},
                 {"/w/dev/pts", 0755, 0},
                 {"/w/proc", 0755, 0},
                 {"/w/tmp", 01777, 0},
                 {"/w/dev/null", 0666, 0x103},
                 {"/w/dev/zero", 0666, 0x105},
                 {"/w/dev/full", 0666, 0x107},
                 {"/w/dev/random", 0666, 0x108},
                 {"/w/dev/urandom", 0666, 0x109},
                 {"/w/dev/kmsg", 0666, 0x10b},
                 {"/w/dev/tty", 0666, 0x500},
                 {"/w/dev/ptmx", 0666, 0x502}};
    flat_call(FLAT_umask, 0, 0, 0, 0, 0);
    int64_t result = flat_call(FLAT_mount, (int64_t)flat_word("tmpfs"), flat_word("/w"), flat_word("tmpfs"), 0, 0);
    result = result < 0 ? result : flat_call(FLAT_fchmodat, AT_FDCWD, flat_word("/w"), 0755, 0, 0);
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]) && result >= 0; i++) {
        uint64_t name = flat_word(files[i].name), mode = files[i].mode;
        result = files[i].device == 0 ? flat_call(FLAT_mkdirat, AT_FDCWD, name, mode, 0, 0)
                                      : flat_call(FLAT_mknodat, AT_FDCWD, name, S_IFCHR | mode, files[i].device, 0);
    }
    if (result >= 0) {
        int64_t file = flat_call(FLAT_openat, AT_FDCWD, flat_word("/w/bin/prog"), O_RDWR | O_CREAT, 0755, 0);
        result = file < 0 ? file : flat_call(FLAT_write, file, flat_word(flat_image), FLAT_IMAGE_SIZE, 0, 0);
        flat_call(FLAT_close, file, 0, 0, 0, 0);
    }
    flat_call(FLAT_umask, 022, 0, 0, 0, 0);
    const int64_t proc = (int64_t)flat_word("proc"), pts = (int64_t)flat_word("devpts");
    result = result < 0 ? result : flat_call(FLAT_mount, proc, flat_word("/w/proc"), (uint64_t)proc, 0, 0);
    result = result < 0 ? result : flat_call(FLAT_mount, pts, flat_word("/w/dev/pts"), (uint64_t)pts, 0, 0);
    return (int)(result < 0 ? result : flat_call(FLAT_chroot, (int64_t)flat_word("/w"), 0, 0, 0, 0));
}

// The last mount below /w in text, which becomes a string of its own. NULL: there is none.
static char *last_below(char *text, int64_t size)
{
    char *found = NULL;
    for (int64_t at = 0; at < size; at++) { // source, place, ...
        bool begins = at == 0 || text[at - 1] == '\n';
        while (begins && at < size && text[at] != ' ') {
            at++;
        }
        if (begins && at + 2 < size && text[at + 1] == '/' && text[at + 2] == 'w') {
            found = text + at + 1;
        }
    }
    for (char *end = found; end != NULL && end < text + size; end++) {
        if (*end == ' ') {
            *end = 0;
            return found;
        }
    }
    return NULL;
}

static bool unmount_all(void)
{
    static char text[MOUNTS_ROOM];
    for (unsigned i = 0; i < MOUNTS_MAX; i++) {
        int64_t file = flat_call(FLAT_openat, AT_FDCWD, flat_word("/proc/mounts"), 0, 0, 0);
        int64_t size = flat_call(FLAT_read, file, flat_word(text), sizeof(text), 0, 0);
        flat_call(FLAT_close, file, 0, 0, 0, 0);
        const char *place = size < 0 ? "" : last_below(text, size);
        if (place == NULL) {
            return true;
        }
        if (flat_call(FLAT_umount2, (int64_t)flat_word(place), 0, 0, 0, 0) != 0) {
            return false;
        }
    }
    return false;
}

bool flat_put_back(void)
{
    static const char *const usual[] = {"/w/dev/pts", "/w/proc", "/w"};
    const uint64_t image = flat_word("/bin/prog"); // which is a program's /proc/self/exe
    bool done = flat_call(FLAT_fchownat, AT_FDCWD, image, 0, 0, 0) == 0 &&
                flat_call(FLAT_fchmodat, AT_FDCWD, image, 0755, 0, 0) == 0;
    for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        done = flat_call(FLAT_umount2, (int64_t)flat_word(usual[i]), 0, 0, 0, 0) == 0 && done;
    }
    return done || unmount_all();
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
