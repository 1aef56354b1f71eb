#include "kernel/proc/elf.h"

#include "kernel/mm/pagetable.h"
#include "kernel/mm/usercopy.h"

#define ET_EXEC 2
#define ET_DYN 3
#define INTERPRETER_MAX 4096u
#define EM_AARCH64 183
#define PT_LOAD 1
#define PT_INTERP 3
#define PF_X 1u
#define PF_W 2u

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(struct program_header) == 56, "Elf64_Phdr");

static int read_header(const void *image, size_t size, struct elf_header *header)
{
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; // 64 bits, little-endian, version 1
    if (size < sizeof(*header)) {
        return -ENOEXEC;
    }
    __builtin_memcpy(header, image, sizeof(*header));
    uint64_t end;
    bool good = __builtin_memcmp(header->ident, ident, sizeof(ident)) == 0 &&
                (header->type == ET_EXEC || header->type == ET_DYN) && header->machine == EM_AARCH64 &&
                header->phentsize == sizeof(struct program_header) && header->phnum > 0 &&
                add_fits(header->phoff, (uint64_t)header->phnum * sizeof(struct program_header), &end) && end <= size;
    return good ? 0 : -ENOEXEC;
}

static uint64_t page_start(const struct elf_segment *segment)
{
    return round_down(segment->va, PAGE_SIZE);
}

static uint64_t page_end(const struct elf_segment *segment)
{
    return round_up(segment->va + segment->memory_size, PAGE_SIZE);
}

static int add_segment(struct elf_image *out, const struct program_header *header, uint64_t size)
{
    uint64_t file_end;
    if (header->memsz == 0) {
        return 0;
    }
    if (out->segment_count == ELF_SEGMENTS_MAX || header->filesz > header->memsz ||
        !add_fits(header->offset, header->filesz, &file_end) || file_end > size ||
        !user_range_ok(uaddr(header->vaddr), header->memsz) || (header->vaddr < PAGE_SIZE && !out->moves)) {
        return -ENOEXEC;
    }
    bool executable = (header->flags & PF_X) != 0, writable = (header->flags & PF_W) != 0;
    if (executable && writable) {
        return -ENOEXEC;
    }
    struct elf_segment *segment = &out->segments[out->segment_count];
    *segment = (struct elf_segment){
        .va = header->vaddr,
        .memory_size = header->memsz,
        .offset = header->offset,
        .file_size = header->filesz,
        .flags = MAP_USER | (executable ? MAP_EXEC : 0) | (writable ? MAP_WRITE : 0),
    };
    // The ABI wants rising addresses; pages of their own let each have its rights.
    if (out->segment_count > 0 && page_start(segment) < page_end(&out->segments[out->segment_count - 1])) {
        return -ENOEXEC;
    }
    out->segment_count++;
    return 0;
}

static void find_headers(struct elf_image *out, const struct elf_header *header)
{
    uint64_t bytes = (uint64_t)header->phnum * sizeof(struct program_header);
    for (unsigned i = 0; i < out->segment_count; i++) {
        const struct elf_segment *segment = &out->segments[i];
        if (header->phoff >= segment->offset && header->phoff - segment->offset < segment->file_size &&
            bytes <= segment->file_size - (header->phoff - segment->offset)) {
            out->phdr_va = segment->va + (header->phoff - segment->offset);
            return;
        }
    }
}

static bool entry_is_code(const struct elf_image *out)
{
    for (unsigned i = 0; i < out->segment_count; i++) {
        const struct elf_segment *segment = &out->segments[i];
        if ((segment->flags & MAP_EXEC) != 0 && out->entry >= segment->va &&
            out->entry - segment->va < segment->file_size) {
            return true;
        }
    }
    return false;
}

// The path must end, and no sooner than where the header says.
static int note_interpreter(struct elf_image *out, const struct program_header *header, uint64_t size)
{
    uint64_t end;
    if (header->filesz < 2 || header->filesz > INTERPRETER_MAX || !add_fits(header->offset, header->filesz, &end) ||
        end > size) {
        return -ENOEXEC;
    }
    out->interpreter_offset = header->offset;
    out->interpreter_size = header->filesz;
    return 0;
}

int elf_parse(const void *head, size_t size, uint64_t file_size, struct elf_image *out)
{
    struct elf_header header;
    int error = read_header(head, size, &header);
    if (error != 0) {
        return error;
    }
    *out = (struct elf_image){.moves = header.type == ET_DYN, .entry = header.entry, .phdr_count = header.phnum};
    for (unsigned i = 0; i < header.phnum; i++) {
        struct program_header program;
        __builtin_memcpy(&program, (const char *)head + header.phoff + i * sizeof(program), sizeof(program));
        if (program.type == PT_INTERP) {
            error = note_interpreter(out, &program, file_size);
        } else if (program.type == PT_LOAD) {
            error = add_segment(out, &program, file_size);
        }
        if (error != 0) {
            return error;
        }
    }
    if (!entry_is_code(out)) {
        return -ENOEXEC;
    }
    find_headers(out, &header);
    return 0;
}
