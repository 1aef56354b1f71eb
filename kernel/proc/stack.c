#include "kernel/proc/stack.h"

#include <hal/cpu.h>
#include <hal/entropy.h>

#include "kernel/mm/kmalloc.h"
#include "kernel/proc/layout.h"
#include "kernel/proc/process.h"

#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_RANDOM 25
#define AT_PLATFORM 15
#define AT_HWCAP2 26
#define AT_EXECFN 31
#define AT_SYSINFO_EHDR 33
#define AT_MINSIGSTKSZ 51
#define SIGNAL_FRAME_MOST 4720u // struct rt_sigframe and its record, as Linux counts it
#define PLATFORM "aarch64"

// The words below the strings: argc, argv, NULL, envp, NULL, pairs.
static uint64_t fill_words(uint64_t *words, const struct stack_contents *contents, uint64_t strings, uint64_t path,
                           uint64_t random, uint64_t platform)
{
    const struct exec_strings *texts = contents->strings;
    uint64_t *at = words;
    *at++ = texts->argc;
    size_t offset = 0;
    for (uint32_t i = 0; i < texts->argc + texts->envc; i++) {
        if (i == texts->argc) {
            *at++ = 0;
        }
        *at++ = strings + offset;
        while (texts->bytes[offset++] != 0) {
        }
    }
    *at++ = 0;
    if (texts->envc == 0) {
        *at++ = 0;
    }
    struct cpu_features features = cpu_user_features();
    const uint64_t pairs[] = {
        AT_SYSINFO_EHDR, contents->vdso, // first: left out where there is none
        AT_MINSIGSTKSZ,  SIGNAL_FRAME_MOST,
        AT_HWCAP,        features.hwcap,
        AT_PAGESZ,       PAGE_SIZE,
        AT_CLKTCK,       100,
        AT_PHDR,         contents->headers,
        AT_PHENT,        56,
        AT_PHNUM,        contents->header_count,
        AT_BASE,         contents->base,
        AT_FLAGS,        0,
        AT_ENTRY,        contents->entry,
        AT_UID,          contents->as->real_uid,
        AT_EUID,         contents->as->effective_uid,
        AT_GID,          contents->as->real_gid,
        AT_EGID,         contents->as->effective_gid,
        AT_SECURE,       contents->wary,
        AT_RANDOM,       random,
        AT_HWCAP2,       features.hwcap2,
        AT_EXECFN,       path,
        AT_PLATFORM,     platform,
        AT_NULL,         0,
    };
    const uint64_t *first = contents->vdso != 0 ? pairs : pairs + 2;
    size_t count = ARRAY_SIZE(pairs) - (size_t)(first - pairs);
    __builtin_memcpy(at, first, count * sizeof(*first));
    return (uint64_t)(at - words) + count;
}

int stack_build(struct space *space, const struct stack_contents *contents, uint64_t *sp)
{
    const struct exec_strings *texts = contents->strings;
    uint64_t random[2], path_size = 1;
    while (contents->path[path_size - 1] != 0) {
        path_size++;
    }
    uint64_t offset = layout_stack_offset(space), top = space->stack_top - offset;
    uint64_t words_max = (3 + (uint64_t)texts->argc + texts->envc + 48) * sizeof(uint64_t);
    uint64_t total = offset + texts->size + path_size + sizeof(PLATFORM) + sizeof(random) + words_max + 64;
    struct space_request request = {.address = space->stack_top - round_up(total, PAGE_SIZE),
                                    .size = round_up(total, PAGE_SIZE),
                                    .flags = AREA_READ | AREA_WRITE | AREA_GROWS_DOWN | AREA_STACK,
                                    .fixed = true};
    uint64_t at;
    void *words;
    int error = space_map(space, &request, &at);
    if (error == 0) {
        error = kmalloc(words_max, &words);
    }
    if (error != 0) {
        return error == -EEXIST ? -ENOEXEC : error;
    }
    uint64_t path = top - path_size, strings = path - texts->size, platform = strings - sizeof(PLATFORM);
    uint64_t random_at = round_down(platform - sizeof(random), 16);
    entropy_fill(random, sizeof(random));
    uint64_t size = fill_words(words, contents, strings, path, random_at, platform) * sizeof(uint64_t);
    *sp = round_down(random_at - size, 16);
    size_t arguments = 0;
    for (uint32_t i = 0; i < texts->argc; arguments++) {
        i += texts->bytes[arguments] == 0;
    }
    space->arguments = strings;
    space->environment = strings + arguments;
    space->environment_end = strings + texts->size;
    space->stack_start = *sp;
    error = space_write(space, path, contents->path, path_size);
    error = error != 0 ? error : space_write(space, strings, texts->bytes, texts->size);
    error = error != 0 ? error : space_write(space, platform, PLATFORM, sizeof(PLATFORM));
    error = error != 0 ? error : space_write(space, random_at, random, sizeof(random));
    error = error != 0 ? error : space_write(space, *sp, words, size);
    kfree(words);
    return error;
}
