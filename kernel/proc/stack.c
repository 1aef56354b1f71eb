// What a program finds on its stack. Source: System V ABI AArch64 supplement; getauxval(3).
#include "kernel/proc/stack.h"

#include <hal/entropy.h>

#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_ENTRY 9
#define AT_RANDOM 25

uint64_t process_build_stack(struct process *process, const struct elf_image *elf, const char *name)
{
    uint64_t sp = USER_STACK_TOP, random[2];
    uint64_t length = 1;
    while (name[length - 1] != 0) {
        length++;
    }
    sp -= length;
    process_write(process, sp, name, length);
    uint64_t name_va = sp;
    sp = round_down(sp - sizeof(random), 16);
    entropy_fill(random, sizeof(random));
    process_write(process, sp, random, sizeof(random));
    const uint64_t words[] = {
        1,          name_va,      0, // argc, argv
        0,                           // envp
        AT_PHDR,    elf->phdr_va, AT_PHENT, 56, AT_PHNUM, elf->phdr_count, AT_PAGESZ, PAGE_SIZE, AT_ENTRY,
        elf->entry, AT_RANDOM,    sp,       0,  0,
    };
    sp = round_down(sp - sizeof(words), 16);
    process_write(process, sp, words, sizeof(words));
    return sp;
}
