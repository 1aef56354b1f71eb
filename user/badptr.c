// Pointers that no kernel may follow, given to every call that follows one: each must come back as -EFAULT, what it
// points to must be as it was, and the kernel must live.
#include "faultline.h"

#define EFAULT 14
#define EXPECT_EFAULT(call_, what_)                                                                                    \
    do {                                                                                                               \
        long result_ = (call_);                                                                                        \
        if (result_ != -EFAULT) {                                                                                      \
            print("pointer number ");                                                                                  \
            print_number(i);                                                                                           \
            print(" gave ");                                                                                           \
            print_number(result_);                                                                                     \
            print("\n");                                                                                               \
        }                                                                                                              \
        expect(result_ == -EFAULT, what_);                                                                             \
    } while (0)

static const char constant[512] = "the program's own, but read-only";

static const unsigned long bad[] = {
    0,                  // nothing mapped
    0xffff080040000000, // the kernel's linear map
    0xffff800000200000, // the kernel's image
    0xffffffffffffff00, // wraps
    0x0001000000000000, // between the halves
    0x0000fffffffff000, // the last user page
    0x8000000000000000,
};
#define BAD (sizeof(bad) / sizeof(bad[0]))

struct vector {
    unsigned long base, length;
};

// The kernel reads from there.
static void read_by_kernel(unsigned i, unsigned long pointer)
{
    EXPECT_EFAULT(sys_write(1, (const void *)pointer, 0x100), "write");
    EXPECT_EFAULT(syscall(SYS_writev, 1, (long)pointer, 1, 0, 0, 0), "writev, the vector");
    struct vector part = {pointer, 0x100};
    EXPECT_EFAULT(syscall(SYS_writev, 1, (long)&part, 1, 0, 0, 0), "writev, a part");
    EXPECT_EFAULT(syscall(SYS_nanosleep, (long)pointer, 0, 0, 0, 0, 0), "nanosleep");
}

// The kernel writes there.
static void written_by_kernel(unsigned i, unsigned long pointer)
{
    EXPECT_EFAULT(syscall(SYS_uname, (long)pointer, 0, 0, 0, 0, 0), "uname");
    EXPECT_EFAULT(syscall(SYS_clock_gettime, 1, (long)pointer, 0, 0, 0, 0), "clock_gettime");
    EXPECT_EFAULT(syscall(SYS_getrandom, (long)pointer, 64, 0, 0, 0, 0), "getrandom");
}

int main(int argc, char **argv, char **envp)
{
    for (unsigned i = 0; i < BAD; i++) {
        read_by_kernel(i, bad[i]);
        written_by_kernel(i, bad[i]);
    }
    written_by_kernel(BAD, (unsigned long)constant);
    written_by_kernel(BAD + 1, (unsigned long)main);
    expect(text_equal(constant, "the program's own, but read-only"), "a constant is as it was");
    struct vector parts[2] = {{(unsigned long)constant, 0}, {bad[1], 0}};
    expect(syscall(SYS_writev, 1, (long)parts, 2, 0, 0, 0) == -EFAULT, "an empty part in the kernel's half");
    return failures();
}
