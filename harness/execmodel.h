// What must be in a space after a program was loaded there: from the bytes of the program and its interpreter alone, by
// arithmetic in wider integers that shares no line with kernel/proc.
#pragma once

#include "kernel/mm/space.h"
#include "kernel/proc/elf.h"

struct exec_image {
    const uint8_t *bytes;
    size_t size;
    const struct elf_image *elf;
    uint64_t bias;
};

// Each segment's ends and what lies beside them: contents, rights, zeroes behind the file's part.
void exec_verify_image(struct space *space, const struct exec_image *image);
// Nothing but the images, the heap's place, the stack and what the kernel adds is mapped.
void exec_verify_areas(struct space *space, const struct exec_image *images, unsigned count);
// The words at sp: so many arguments, and what the auxiliary vector says of the images. base: of the interpreter, or 0.
void exec_verify_stack(struct space *space, uint64_t sp, uint64_t argc, const struct exec_image *program,
                       uint64_t base);
