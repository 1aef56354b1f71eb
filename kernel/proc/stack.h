// Between process.c and stack.c only.
#pragma once

#include "kernel/proc/process.h"

void process_write(struct process *process, uint64_t va, const void *from, uint64_t size);
// Puts argc, argv, envp and the auxiliary vector on the new stack; returns its pointer, 16-byte aligned.
uint64_t process_build_stack(struct process *process, const struct elf_image *elf, const char *name);
