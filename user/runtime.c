// The C runtime: thread-local storage, constructors, main; destructors are exit()'s. The kernel has zeroed .bss with
// the pages.
#include <elf.h>

#include "faultline.h"

#define TLS_MAX 1024u
#define TCB_SIZE 16u // AArch64 variant 1: the thread pointer names a 16-byte block, the variables follow

typedef void function(int argc, char **argv, char **envp);
extern function *const __preinit_array_start[] __attribute__((visibility("hidden")));
extern function *const __preinit_array_end[] __attribute__((visibility("hidden")));
extern function *const __init_array_start[] __attribute__((visibility("hidden")));
extern function *const __init_array_end[] __attribute__((visibility("hidden")));

int main(int argc, char **argv, char **envp);
_Noreturn void runtime_start(uint64_t *stack);

static char tls[TLS_MAX] __attribute__((aligned(64)));

static void start_tls(const Elf64_Phdr *headers, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (headers[i].p_type != PT_TLS) {
            continue;
        }
        uint64_t align = headers[i].p_align > TCB_SIZE ? headers[i].p_align : TCB_SIZE;
        if (align > 64 || align + headers[i].p_memsz > TLS_MAX) {
            _exit(127);
        }
        __builtin_memcpy(tls + align, (const void *)headers[i].p_vaddr, headers[i].p_filesz);
    }
    __asm__ volatile("msr tpidr_el0, %0" ::"r"(tls));
}

_Noreturn void runtime_start(uint64_t *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
    char **end = envp;
    while (*end != NULL) {
        end++;
    }
    const Elf64_Phdr *headers = NULL;
    uint64_t count = 0;
    for (const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++) {
        headers = entry->a_type == AT_PHDR ? (const Elf64_Phdr *)entry->a_un.a_val : headers;
        count = entry->a_type == AT_PHNUM ? entry->a_un.a_val : count;
    }
    start_tls(headers, headers != NULL ? count : 0);
    for (function *const *at = __preinit_array_start; at < __preinit_array_end; at++) {
        (*at)(argc, argv, envp);
    }
    for (function *const *at = __init_array_start; at < __init_array_end; at++) {
        (*at)(argc, argv, envp);
    }
    exit(main(argc, argv, envp));
}

_Noreturn void _exit(int status)
{
    for (;;) {
        syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
    }
}
