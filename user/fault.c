// Dies of what its name says after "fault-".
#include "faultline.h"

static const char constant[] = "read-only";

static void touch(unsigned long address, bool write)
{
    volatile char *at = (volatile char *)address;
    if (write) {
        *at = 1;
    } else {
        (void)*at;
    }
}

int main(int argc, char **argv, char **envp)
{
    const char *how = argv[0];
    for (const char *at = argv[0]; *at != 0; at++) {
        how = *at == '-' ? at + 1 : how;
    }
    if (text_equal(how, "null")) {
        touch(0, false);
    } else if (text_equal(how, "kernel")) {
        touch(0xffff800000200000, false);
    } else if (text_equal(how, "rodata")) {
        touch((unsigned long)constant, true);
    } else if (text_equal(how, "stack")) {
        unsigned int code[2] = {0xd65f03c0, 0xd65f03c0}; // ret, ret
        void (*call)(void) = (void (*)(void))(unsigned long)code;
        __asm__ volatile("" ::"r"(code) : "memory");
        call();
    } else if (text_equal(how, "undefined")) {
        __asm__ volatile(".inst 0x00000000");
    } else if (text_equal(how, "register")) {
        __asm__ volatile("msr daifset, #2"); // EL0 may not
    } else if (text_equal(how, "pc")) {
        __asm__ volatile("adr x16, 1f + 2\n\tbr x16\n1:\tnop" ::: "x16");
    } else if (text_equal(how, "aligned")) {
        static unsigned long words[2];
        __asm__ volatile("ldxr x16, [%0]" ::"r"((char *)words + 1) : "x16", "memory"); // exclusives must be aligned
    } else if (text_equal(how, "brk")) {
        __asm__ volatile("brk #1");
    }
    print("still alive\n");
    return 1;
}
