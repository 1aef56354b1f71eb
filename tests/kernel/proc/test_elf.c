#include "kernel/proc/elf.h"

#include "kernel/debug/ktest.h"
#include "kernel/mm/pagetable.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/program.h"

TEST(elf, the_programs_in_the_image_are_good)
{
    for (size_t i = 0; user_program_name(i) != NULL; i++) {
        const void *data;
        size_t size;
        struct elf_image image;
        EXPECT(user_program_find(user_program_name(i), &data, &size));
        EXPECT_EQ(elf_parse(data, size, size, &image), 0);
        EXPECT(image.segment_count > 0);
        EXPECT_EQ(elf_parse(data, 63, 63, &image), -ENOEXEC);
    }
}

TEST(elf, nothing_is_no_program)
{
    struct elf_image image;
    static const char zeroes[4096];
    EXPECT_EQ(elf_parse(zeroes, 0, 0, &image), -ENOEXEC);
    EXPECT_EQ(elf_parse(zeroes, sizeof(zeroes), sizeof(zeroes), &image), -ENOEXEC);
}

// A small good program of text and data; each test breaks one thing. Layout: System V ABI, chapter 4 and 5.
struct header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static struct {
    struct header header;
    struct segment segments[ELF_SEGMENTS_MAX + 2];
    uint8_t code[64];
} file;

#define TEXT 0x400000ul
#define DATA 0x500000ul
#define READ 4u
#define WRITE 2u
#define EXEC 1u

static void make_file(void)
{
    __builtin_memset(&file, 0, sizeof(file));
    file.header = (struct header){.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                                  .type = 2,
                                  .machine = 183,
                                  .version = 1,
                                  .entry = TEXT + offsetof(__typeof__(file), code),
                                  .phoff = sizeof(struct header),
                                  .phentsize = sizeof(struct segment),
                                  .phnum = 2};
    file.segments[0] = (struct segment){1, READ | EXEC, 0, TEXT, 0, sizeof(file), sizeof(file), PAGE_SIZE};
    file.segments[1] = (struct segment){1, READ | WRITE, 0, DATA, 0, 16, 3 * PAGE_SIZE, PAGE_SIZE};
}

static int parse(struct elf_image *image)
{
    return elf_parse(&file, sizeof(file), sizeof(file), image);
}

TEST(elf, a_good_file_is_described)
{
    struct elf_image image;
    make_file();
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.segment_count, 2);
    EXPECT_EQ(image.phdr_count, 2);
    EXPECT_EQ(image.phdr_va, TEXT + sizeof(struct header));
    EXPECT_EQ(image.entry, file.header.entry);
    EXPECT_EQ(image.segments[0].flags, MAP_USER | MAP_EXEC);
    EXPECT_EQ(image.segments[1].flags, MAP_USER | MAP_WRITE);
    EXPECT_EQ(image.segments[1].va, DATA);
    EXPECT_EQ(image.segments[1].file_size, 16);
    EXPECT_EQ(image.segments[1].memory_size, 3 * PAGE_SIZE);
    file.segments[1].type = 4; // a note: skipped
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.segment_count, 1);
}

TEST(elf, headers_that_are_not_mapped)
{
    struct elf_image image;
    make_file();
    file.segments[0].offset = file.header.phoff + 1; // the file's pages begin behind them
    file.segments[0].filesz = sizeof(file) - file.segments[0].offset;
    file.header.entry = TEXT;
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.phdr_va, 0);
    make_file();
    file.segments[0].filesz = file.header.phoff + 2 * sizeof(struct segment) - 1; // or end within them
    file.header.entry = TEXT;
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.phdr_va, 0);
    file.segments[0].filesz = file.header.phoff; // or before
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.phdr_va, 0);
}

// Breaks one field, expects a refusal, and makes the file whole again.
#define REFUSES(field, value)                                                                                          \
    do {                                                                                                               \
        struct elf_image image_;                                                                                       \
        make_file();                                                                                                   \
        EXPECT_EQ(parse(&image_), 0);                                                                                  \
        file.field = (value);                                                                                          \
        EXPECT_EQ(parse(&image_), -ENOEXEC);                                                                           \
    } while (0)

TEST(elf, an_interpreter_is_noted)
{
    struct elf_image image;
    make_file();
    EXPECT_EQ(parse(&image), 0);
    EXPECT(!image.moves && image.interpreter_size == 0);
    file.header.type = 3;
    file.header.phnum = 3;
    file.segments[2] = (struct segment){3, READ, 32, 32, 32, 16, 16, 1};
    EXPECT_EQ(parse(&image), 0);
    EXPECT(image.moves && image.interpreter_offset == 32 && image.interpreter_size == 16);
    file.segments[2].filesz = 1; // not even a slash and a NUL
    EXPECT_EQ(parse(&image), -ENOEXEC);
    file.segments[2].filesz = 4097;
    EXPECT_EQ(parse(&image), -ENOEXEC);
    file.segments[2].filesz = 16;
    file.segments[2].offset = sizeof(file) - 15;
    EXPECT_EQ(parse(&image), -ENOEXEC);
    file.segments[2].offset = UINT64_MAX - 3;
    EXPECT_EQ(parse(&image), -ENOEXEC);
}

TEST(elf, bad_headers_are_refused)
{
    REFUSES(header.ident[0], 0x7e);
    REFUSES(header.ident[4], 1); // 32 bits
    REFUSES(header.ident[5], 2); // big-endian
    REFUSES(header.ident[6], 0);
    REFUSES(header.type, 1); // not linked
    REFUSES(header.machine, 62);
    REFUSES(header.phentsize, 57);
    REFUSES(header.phnum, 0);
    REFUSES(header.phnum, UINT16_MAX);
    REFUSES(header.phoff, UINT64_MAX - 8);
    REFUSES(header.phoff, sizeof(file) - 2 * sizeof(struct segment) + 1);
    REFUSES(header.entry, TEXT - 1);
    REFUSES(header.entry, TEXT + sizeof(file));
    REFUSES(header.entry, DATA);
}

TEST(elf, bad_segments_are_refused)
{
    REFUSES(segments[1].memsz, 15); // less than the file has
    REFUSES(segments[1].offset, UINT64_MAX - 8);
    REFUSES(segments[1].offset, sizeof(file) - 15);
    REFUSES(segments[1].vaddr, USER_LIMIT - PAGE_SIZE);
    REFUSES(segments[1].vaddr, 0xffff800000000000);
    REFUSES(segments[1].memsz, UINT64_MAX);
    REFUSES(segments[1].flags, READ | WRITE | EXEC);
    REFUSES(segments[1].vaddr, TEXT - 4 * PAGE_SIZE); // not rising
    REFUSES(segments[1].vaddr, TEXT + 8);             // the same page with other rights
    REFUSES(segments[0].flags, READ);                 // then there is no code
}

TEST(elf, the_first_page_stays_empty)
{
    struct elf_image image;
    make_file();
    file.segments[0].vaddr = PAGE_SIZE;
    file.header.entry = PAGE_SIZE + 8;
    EXPECT_EQ(parse(&image), 0);
    file.segments[0].vaddr = PAGE_SIZE - 8;
    EXPECT_EQ(parse(&image), -ENOEXEC);
}

TEST(elf, at_most_so_many_segments)
{
    struct elf_image image;
    make_file();
    for (unsigned i = 1; i < ELF_SEGMENTS_MAX + 2; i++) {
        file.segments[i] = (struct segment){1, READ, 0, DATA + i * PAGE_SIZE, 0, 0, 8, PAGE_SIZE};
    }
    file.header.phnum = ELF_SEGMENTS_MAX;
    EXPECT_EQ(parse(&image), 0);
    EXPECT_EQ(image.segment_count, ELF_SEGMENTS_MAX);
    file.header.phnum++;
    EXPECT_EQ(parse(&image), -ENOEXEC);
    file.segments[ELF_SEGMENTS_MAX].memsz = 0; // nothing is no segment
    EXPECT_EQ(parse(&image), 0);
}
