// ELF images, checked. Source: System V ABI, chapter 4 and 5; AArch64 ELF (IHI 0056). Pure: any context.
#pragma once

#include "kernel/base/types.h"

#define ELF_SEGMENTS_MAX 16u

struct elf_segment {
    uint64_t va, memory_size;   // va + memory_size <= USER_LIMIT, no overlap with another in pages of different rights
    uint64_t offset, file_size; // offset + file_size <= image size; file_size <= memory_size
    unsigned flags;             // enum map_flags
};

struct elf_image {
    uint64_t entry;   // inside an executable segment
    uint64_t phdr_va; // where the program headers are mapped, 0 if they are not
    uint16_t phdr_count;
    unsigned segment_count; // 1 to ELF_SEGMENTS_MAX, in rising va
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

// A static little-endian AArch64 executable. -ENOEXEC for anything else; *out is undefined then.
[[nodiscard]] int elf_parse(const void *image, size_t size, struct elf_image *out);
