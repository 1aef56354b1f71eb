// The machine's side of the interpreter on Linux on x86-64: arm64's system calls by name, and its structures and flags
// where they differ.
#include "user/prog/linux.h"

#include "user/prog/flat.h"

#include <asm/unistd.h>

#define ENOMEM 12
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38
#define F_GETFL 3
#define F_SETFL 4
#define SS_ONSTACK 1
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ 5120u // arm64's
#define EVENTS_MAX 64u
#define MAP_ONLY_HERE 0xc0u // MAP_32BIT and MAP_ABOVE4G, which arm64 does not know

static const int16_t numbers[] = {
#define SYSCALL(number, name, ...) [number] = __NR_##name,
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
};

// Arguments of a call, a copy for each who changes them.
struct words {
    uint64_t a[PROG_ARGUMENTS];
};

static int64_t native(uint64_t number, const struct words *with)
{
    const uint64_t *a = with->a;
    return linux_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// User memory that may not be there: false then, and nothing is written.
static bool move(uint64_t number, uint64_t address, void *here, size_t size)
{
    const uint64_t mine[2] = {flat_word(here), size}, theirs[2] = {address, size};
    uint64_t self = (uint64_t)linux_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
    return linux_call(number, self, flat_word(mine), 1, flat_word(theirs), 1, 0) == (int64_t)size;
}

static bool take(uint64_t address, void *out, size_t size)
{
    return move(__NR_process_vm_readv, address, out, size);
}

static bool give(uint64_t address, const void *from, size_t size)
{
    return move(__NR_process_vm_writev, address, (void *)(uintptr_t)from, size);
}

// arm64 has four flags of open(2) elsewhere; the same exchange there and back.
static uint64_t open_flags(uint64_t flags)
{
    static const uint64_t pairs[4][2] = {{040000, 0200000}, {0100000, 0400000}, {0200000, 040000}, {0400000, 0100000}};
    uint64_t out = flags & ~0740000ull;
    for (unsigned i = 0; i < 4; i++) {
        out |= (flags & pairs[i][0]) != 0 ? pairs[i][1] : 0;
    }
    return out;
}

static uint64_t open_flags_back(uint64_t flags)
{
    return open_flags(flags); // each pair is its own inverse
}

static int64_t open_how(struct words with)
{
    uint64_t how[8]; // what lies behind the three words must be zero
    uint64_t size = with.a[3];
    if (size < 24 || size > sizeof(how) || !take(with.a[2], how, size)) {
        return native(__NR_openat2, &with);
    }
    how[0] = open_flags(how[0]);
    with.a[2] = flat_word(how);
    return native(__NR_openat2, &with);
}

struct stat_here {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, pad;
    uint64_t rdev;
    int64_t size, blksize, blocks;
    uint64_t times[6];
    int64_t unused[3];
};
struct stat_there {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    uint64_t times[6];
    uint32_t unused[2];
};
_Static_assert(sizeof(struct stat_here) == 144 && sizeof(struct stat_there) == 128);

static int64_t stat(uint64_t number, struct words with, unsigned where)
{
    struct stat_here here;
    uint64_t address = with.a[where];
    with.a[where] = flat_word(&here);
    int64_t result = native(number, &with);
    if (result < 0) {
        return result;
    }
    struct stat_there there = {.dev = here.dev,
                               .ino = here.ino,
                               .mode = here.mode,
                               .nlink = (uint32_t)here.nlink,
                               .uid = here.uid,
                               .gid = here.gid,
                               .rdev = here.rdev,
                               .size = here.size,
                               .blksize = (int32_t)here.blksize,
                               .blocks = here.blocks};
    __builtin_memcpy(there.times, here.times, sizeof(there.times));
    return give(address, &there, sizeof(there)) ? 0 : -EFAULT;
}

struct [[gnu::packed]] event_here {
    uint32_t events;
    uint64_t data;
};

static int64_t epoll_ctl(struct words with)
{
    uint64_t there[2];
    if (!take(with.a[3], there, sizeof(there))) {
        return native(__NR_epoll_ctl, &with);
    }
    struct event_here here = {(uint32_t)there[0], there[1]};
    with.a[3] = flat_word(&here);
    return native(__NR_epoll_ctl, &with);
}

static int64_t epoll_wait(uint64_t number, struct words with)
{
    struct event_here here[EVENTS_MAX] = {};
    uint64_t address = with.a[1];
    int32_t most = (int32_t)with.a[2];
    if (most > 0 && (uint32_t)most > EVENTS_MAX && (uint32_t)most <= INT32_MAX / 16) {
        with.a[2] = EVENTS_MAX;
    }
    if (with.a[2] <= EVENTS_MAX && address < 1ull << 47) {
        with.a[1] = flat_word(here);
    }
    int64_t result = native(number, &with);
    for (int64_t i = 0; i < result; i++) {
        uint64_t place = address + 16 * (uint64_t)i;
        uint64_t data = here[i].data;
        uint32_t events = here[i].events;
        if (!give(place, &events, sizeof(events)) || !give(place + 8, &data, sizeof(data))) {
            return i > 0 ? i : -EFAULT;
        }
    }
    return result;
}

static int64_t signal_stack(struct words with)
{
    uint64_t stack[3];
    bool given = with.a[0] != 0 && take(with.a[0], stack, sizeof(stack));
    if (given && ((uint32_t)stack[1] & ~SS_AUTODISARM) <= SS_ONSTACK && stack[2] < MINSIGSTKSZ) {
        int64_t result = linux_call(__NR_sigaltstack, 0, with.a[1], 0, 0, 0, 0);
        return result != 0 ? result : -ENOMEM;
    }
    return native(__NR_sigaltstack, &with);
}

static int64_t control_file(struct words with)
{
    bool asks = (uint32_t)with.a[1] == F_GETFL;
    if ((uint32_t)with.a[1] == F_SETFL) {
        with.a[2] = open_flags(with.a[2]);
    }
    int64_t result = native(__NR_fcntl, &with);
    return asks && result >= 0 ? (int64_t)open_flags_back((uint64_t)result) : result;
}

int64_t prog_machine_call(uint64_t number, const uint64_t arguments[PROG_ARGUMENTS])
{
    struct words with;
    __builtin_memcpy(with.a, arguments, sizeof(with.a));
    if (number >= sizeof(numbers) / sizeof(numbers[0]) || (numbers[number] == 0 && number != FLAT_read)) {
        return -ENOSYS;
    }
    switch (number) {
    case FLAT_openat:
        with.a[2] = open_flags(with.a[2]);
        break;
    case FLAT_pipe2:
        with.a[1] = open_flags(with.a[1]);
        break;
    case FLAT_openat2:
        return open_how(with);
    case FLAT_fcntl:
        return control_file(with);
    case FLAT_newfstatat:
        return stat(__NR_newfstatat, with, 2);
    case FLAT_fstat:
        return stat(__NR_fstat, with, 1);
    case FLAT_epoll_ctl:
        return epoll_ctl(with);
    case FLAT_epoll_pwait:
    case FLAT_epoll_pwait2:
        return epoll_wait((uint64_t)numbers[number], with);
    case FLAT_sigaltstack:
        return signal_stack(with);
    case FLAT_mmap:
        with.a[3] &= ~(uint64_t)MAP_ONLY_HERE;
        break;
    case FLAT_clone: { // the supervisor's own, a fork
        uint64_t tls = with.a[3];
        with.a[3] = with.a[4];
        with.a[4] = tls;
        break;
    }
    default:
        break;
    }
    return native((uint64_t)numbers[number], &with);
}

bool prog_machine_fail_nth(unsigned nth)
{
    return false;
}

// The frame: where the handler returns to, a ucontext.
struct flat_registers flat_registers(void *frame)
{
    uint64_t *context = (uint64_t *)((char *)frame + 8 + 40); // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip
    return (struct flat_registers){.pc = context + 16, .sp = context + 15, .result = context + 13};
}
