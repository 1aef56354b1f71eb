// Pointers that no kernel may follow, given to write: each must come back as -EFAULT, and the kernel must live.
#include "faultline.h"

#define EFAULT 14

static const unsigned long bad[] = {
    0,                  // nothing mapped
    0xffff080040000000, // the kernel's linear map
    0xffff800000200000, // the kernel's image
    0xffffffffffffff00, // wraps
    0x0001000000000000, // between the halves
    0x0000fffffffff000, // the last user page
    0x8000000000000000,
};

int main(int argc, char **argv, char **envp)
{
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        long result = sys_write(1, (const void *)bad[i], 0x100);
        if (result != -EFAULT) {
            print("pointer number ");
            print_number(i);
            print(" gave ");
            print_number(result);
            print("\n");
        }
        expect(result == -EFAULT, "-EFAULT for a bad pointer");
    }
    return failures();
}
