// ELF images, checked. Source: System V ABI, chapter 4 and 5; AArch64 ELF (IHI 0056). Pure: any context.
#pragma once

#include "kernel/base/types.h"

#define ELF_SEGMENTS_MAX 16u

struct elf_segment {
    uint64_t va, memory_size;   // va + memory_size <= USER_LIMIT, no overlap with another in pages of different rights
    uint64_t offset, file_size; // offset + file_size <= size of the file; file_size <= memory_size
    unsigned flags;             // enum map_flags
};

struct elf_image {
    bool moves;       // position-independent: all addresses are relative to where it is put
    uint64_t entry;   // inside an executable segment
    uint64_t phdr_va; // where the program headers are mapped, 0 if they are not
    uint16_t phdr_count;
    unsigned segment_count; // 1 to ELF_SEGMENTS_MAX, in rising va
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    uint64_t interpreter_offset, interpreter_size; // its path in the file with the NUL; size 0: none
};

// A little-endian AArch64 executable or shared object. head: its first bytes, which must hold all headers; file_size:
// of the whole. -ENOEXEC for anything else; *out is undefined then.
[[nodiscard]] int elf_parse(const void *head, size_t size, uint64_t file_size, struct elf_image *out);
