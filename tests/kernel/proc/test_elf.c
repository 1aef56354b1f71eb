#include "kernel/debug/ktest.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/program.h"

TEST(elf, the_programs_in_the_image_are_good)
{
    for (size_t i = 0; user_program_name(i) != NULL; i++) {
        const void *data;
        size_t size;
        struct elf_image image;
        EXPECT(user_program_find(user_program_name(i), &data, &size));
        EXPECT_EQ(elf_parse(data, size, &image), 0);
        EXPECT(image.segment_count > 0);
        EXPECT_EQ(elf_parse(data, 63, &image), -ENOEXEC);
    }
}

TEST(elf, nothing_is_no_program)
{
    struct elf_image image;
    static const char zeroes[4096];
    EXPECT_EQ(elf_parse(zeroes, 0, &image), -ENOEXEC);
    EXPECT_EQ(elf_parse(zeroes, sizeof(zeroes), &image), -ENOEXEC);
}
